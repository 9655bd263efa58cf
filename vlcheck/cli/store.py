"""Say what a store of scores holds, delete from it, or write its scores as a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util import installed
from vlcheck._util.numbers import counted, figure, whole
from vlcheck.cli.console import say
from vlcheck.cli.group import PLAIN, Group
from vlcheck.errors import UsageError
from vlcheck.report.text.columns import aligned
from vlcheck.scoring.stores.export import export_scores
from vlcheck.scoring.stores.prune import Outdated, prune_store, selected_answers
from vlcheck.scoring.stores.reader import StoreReader
from vlcheck.scoring.stores.statistics import ModelStatistics, StoreStatistics, store_statistics
from vlcheck.scoring.stores.store_file import StoreFile

_DAY = 86_400  # seconds
_SHORT = 12  # digits of a fingerprint
_HEAD = ["model", "precision", "fingerprint", "versions", "answers", "errors", "pictures", "MB", "first", "last"]
Store = Annotated[Path, typer.Argument(metavar="STORE", help="the store, as --vl-store names it")]

app = typer.Typer(cls=Group, help=__doc__, add_completion=False, **PLAIN)


@app.command()
def stats(store: Store) -> None:
    """Print the answers, errors, pictures, bytes and dates of each model, in each precision and set of versions."""
    with _opened(StoreReader, store) as file:
        found = store_statistics(file, store)
    for line in _lines(found):
        say(line)


@app.command()
def prune(
    store: Store,
    model: Annotated[str, typer.Option(help="only of this model: its name, or the beginning of its fingerprint")] = "",
    other_versions: Annotated[
        bool, typer.Option("--other-versions", help="only of other versions than the installed ones")
    ] = False,
    older_than: Annotated[int | None, typer.Option(min=0, metavar="DAYS", help="only kept before so many days")] = None,
    unconfirmed: Annotated[
        bool,
        typer.Option("--unconfirmed", help="only of served models that were not confirmed at the end of their run"),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be deleted, and delete nothing")] = False,
) -> None:
    """Delete the answers that all given options select, and what only they refer to; make the file smaller."""
    if not model and older_than is None and not other_versions and not unconfirmed:
        raise UsageError(
            f"{store}: would be emptied. Say which answers to delete: --model, --other-versions, --older-than or"
            " --unconfirmed."
        )
    outdated = Outdated(
        model=model,
        versions=installed.versions_key(installed.versions()) if other_versions else "",
        before=None if older_than is None else int(time.time()) - older_than * _DAY,
        unconfirmed=unconfirmed,
    )
    before = store.stat().st_size if store.exists() else 0
    with _opened(StoreReader if dry_run else StoreFile, store) as file:
        pruned = selected_answers(file, outdated) if dry_run else prune_store(file, outdated)
    for one in pruned:
        say(f"{'would delete' if dry_run else 'deleted'}: {counted(one.answers, 'answer')} of {_named(one.model)}")
    if not pruned:
        say("nothing is selected")
    elif not dry_run:
        say(f"{store}: {_megabytes(before)} MB before, {_megabytes(store.stat().st_size)} MB now")


@app.command()
def export(
    store: Store,
    to: Annotated[Path, typer.Argument(metavar="TO", help="the table, a new file: FILE.parquet or FILE.csv")],
) -> None:
    """Write a row for each score: model, precision, metric, picture, edits, text and word; errors are left out."""
    with _opened(StoreReader, store) as file:
        rows = export_scores(file, to, tell=lambda said: say(str(said), error=True))
    say(f"{counted(rows, 'row')} written to {to}")


@contextmanager
def _opened(kind: type[StoreFile], path: Path) -> Iterator[StoreFile]:
    """Open a store that exists, to be written or only read. Raises UsageError if it does not exist."""
    if not path.exists():
        raise UsageError(f"STORE {path}: there is no such file; a file that --vl-store named in a run is accepted.")
    file = kind(path, named=f"STORE {path}", tell=lambda said: say(str(said), error=True))
    try:
        yield file
    finally:
        file.close()


def _lines(found: StoreStatistics) -> Iterator[str]:
    now = installed.versions_key(installed.versions())
    yield (
        f"{found.path}: {_megabytes(found.size)} MB, {_megabytes(found.free)} MB of it free;"
        f" {counted(found.pictures, 'picture')} in {_megabytes(found.pictures_size)} MB"
    )
    if not found.models:
        yield "no answers"
        return
    yield from aligned([_HEAD, *(_cells(model, now) for model in found.models)])


def _cells(model: ModelStatistics, now: str) -> list[str]:
    known = "installed" if model.versions == now else "other" if model.versions else "not known"
    return [
        model.name or "-",
        model.precision or "-",
        model.fingerprint[:_SHORT] or "-",
        known if model.confirmed else "unconfirmed",
        whole(model.answers),
        whole(model.errors),
        whole(model.pictures),
        _megabytes(model.size),
        _day(model.first),
        _day(model.last),
    ]


def _named(model: ModelStatistics) -> str:
    known = [model.precision, model.fingerprint[:_SHORT], "" if model.confirmed else "unconfirmed"]
    return f"{model.name or 'a model'} ({', '.join(filter(None, known)) or 'of an older vlcheck'})"


def _megabytes(size: int) -> str:
    return figure(size / 1e6, 1)


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
