"""The contents of a score store in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vlcheck._util.installed import versions_key
from vlcheck.scoring.stores.rows import versions_in
from vlcheck.scoring.stores.store_file import StoreFile

_MODELS = """SELECT models.id, name, precision, fingerprint, versions, unconfirmed,
        count(*), sum(error != ''), count(DISTINCT picture), min(kept), max(kept),
        sum(length(answers.query) + length(scores) + length(top) + length(unasked) + length(error))
    FROM answers JOIN models ON models.id = answers.model LEFT JOIN questions ON questions.query = answers.query
    GROUP BY models.id ORDER BY max(kept) DESC, models.id"""


@dataclass(frozen=True)
class ModelStatistics:
    """The answers of one model in one precision, under one set of versions.

    Attributes:
        id: its number in the store.
        name: its name; "" if an older vlcheck kept the answers.
        precision: the type of its weights; "" if that is not known.
        fingerprint: its fingerprint; "" if an older vlcheck kept the answers.
        versions: hash of the versions; "" if they are not known.
        confirmed: False for answers of a model that may change, of a run that did not confirm them.
        answers: number of answers, errors among them.
        errors: number of errors, which later runs do not use.
        pictures: number of pictures that they are about, as far as the store knows.
        first: time of the first answer, in seconds since 1970.
        last: time of the last one.
        size: bytes of the answers, without those of the table.
    """

    id: int
    name: str
    precision: str
    fingerprint: str
    versions: str
    confirmed: bool
    answers: int
    errors: int
    pictures: int
    first: int
    last: int
    size: int


@dataclass(frozen=True)
class StoreStatistics:
    """The contents of a store.

    Attributes:
        path: the file.
        size: its bytes.
        free: bytes of it that hold nothing.
        pictures: number of small copies of pictures.
        pictures_size: their bytes.
        models: the models, the latest first.
    """

    path: Path
    size: int
    free: int
    pictures: int
    pictures_size: int
    models: Sequence[ModelStatistics]


def store_statistics(store: StoreFile, path: Path) -> StoreStatistics:
    """Count what a store holds.

    Args:
        store: the open store.
        path: its file.
    """
    page, pages, free = (store.rows(f"PRAGMA {name}")[0][0] for name in ("page_size", "page_count", "freelist_count"))
    ((pictures, pictures_size),) = store.rows("SELECT count(*), coalesce(sum(length(jpeg)), 0) FROM pictures")
    return StoreStatistics(path, page * pages, page * free, pictures, pictures_size, model_statistics(store))


def model_statistics(store: StoreFile) -> list[ModelStatistics]:
    """Return the statistics of each model in a store, the latest first."""
    return [
        ModelStatistics(number, name, precision, fingerprint, _hashed(versions), not unconfirmed, *counts)
        for number, name, precision, fingerprint, versions, unconfirmed, *counts in store.rows(_MODELS)
    ]


def _hashed(versions: str) -> str:
    found = versions_in(versions)
    return versions_key(found) if found else ""
