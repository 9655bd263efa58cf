"""Pruning: answers that no run will use leave a store, and its file becomes smaller."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from vlcheck.errors import UsageError, nearest
from vlcheck.scoring.stores.statistics import ModelStatistics, model_statistics
from vlcheck.scoring.stores.store_file import StoreFile

# What only the deleted answers referred to. Of an earlier schema's answers no question is known: their pictures stay.
_ORPHANS = (
    "DELETE FROM models WHERE id NOT IN (SELECT model FROM answers)",
    "DELETE FROM questions WHERE query NOT IN (SELECT query FROM answers)",
    "DELETE FROM shown WHERE id NOT IN (SELECT picture FROM questions)",
    """DELETE FROM texts WHERE id NOT IN (
        SELECT text FROM questions UNION SELECT words FROM questions UNION SELECT wording FROM questions
        UNION SELECT place FROM shown UNION SELECT edits FROM shown)""",
    """DELETE FROM pictures WHERE key NOT IN (SELECT key FROM shown)
        AND NOT EXISTS (SELECT 1 FROM answers WHERE query NOT IN (SELECT query FROM questions))""",
)


@dataclass(frozen=True)
class Outdated:
    """The answers to delete: those that each given condition selects.

    Attributes:
        model: name of a model, or the beginning of its fingerprint; "" for all models.
        versions: hash of the installed versions, to select the answers under other ones; "" for all versions.
        before: a time in seconds since 1970, to select the answers that were kept before it; None for all times.
        unconfirmed: whether to select only answers that no later run uses: those of models that may change, from runs
            that did not confirm them.
    """

    model: str = ""
    versions: str = ""
    before: int | None = None
    unconfirmed: bool = False


@dataclass(frozen=True)
class Pruned:
    """The answers of a model that are deleted, or would be.

    Attributes:
        model: the model.
        answers: their number.
    """

    model: ModelStatistics
    answers: int


def selected_answers(store: StoreFile, outdated: Outdated) -> Sequence[Pruned]:
    """Return the answers that are outdated, by model.

    Args:
        store: the open store.
        outdated: the answers.

    Raises:
        UsageError: the store has no such model.
    """
    models = model_statistics(store)
    named = [model for model in models if _is_named(model, outdated.model)]
    if outdated.model and models and not named:
        known = {model.name or model.fingerprint for model in models}
        raise UsageError(f"--model {outdated.model}: the store has no such model. {nearest(outdated.model, known)}")
    counted = [(model, _count(store, model, outdated)) for model in named if _is_selected(model, outdated)]
    return [Pruned(model, answers) for model, answers in counted if answers]


def prune_store(store: StoreFile, outdated: Outdated) -> Sequence[Pruned]:
    """Delete the answers that are outdated, and what only they refer to; give their room back to the disk.

    Args:
        store: the open store.
        outdated: the answers.

    Raises:
        UsageError: another process uses the store, or it has no such model; nothing was deleted.
    """
    with store.alone() as connection:
        pruned = selected_answers(store, outdated)
        if pruned:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                _delete(connection, pruned, outdated)
            connection.execute("VACUUM")
    return pruned


def _is_named(model: ModelStatistics, name: str) -> bool:
    return not name or model.name == name or model.fingerprint.startswith(name)


def _is_selected(model: ModelStatistics, outdated: Outdated) -> bool:
    other = not outdated.versions or model.versions != outdated.versions
    return other and not (outdated.unconfirmed and model.confirmed)


def _before(outdated: Outdated) -> int:
    return 1 << 62 if outdated.before is None else outdated.before


def _count(store: StoreFile, model: ModelStatistics, outdated: Outdated) -> int:
    select = "SELECT count(*) FROM answers WHERE model = ? AND kept < ?"
    ((count,),) = store.rows(select, (model.id, _before(outdated)))
    return int(count)


def _delete(connection: sqlite3.Connection, pruned: Sequence[Pruned], outdated: Outdated) -> None:
    rows = [(one.model.id, _before(outdated)) for one in pruned]
    connection.executemany("DELETE FROM answers WHERE model = ? AND kept < ?", rows)
    # A part that lacks answers is not answered any more.
    connection.executemany("DELETE FROM shards WHERE model = ?", [(model,) for model, _ in rows])
    for statement in _ORPHANS:
        connection.execute(statement)
