"""The scores of a store as a table, one row a score: Parquet or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vlcheck._util.csv_cells import csv_cell
from vlcheck._util.files import demand_place, placing
from vlcheck._util.installed import versions_key
from vlcheck._util.numbers import counted
from vlcheck.datasets.tables.arrow import import_extra
from vlcheck.errors import UsageError
from vlcheck.scoring.stores.rows import unpack_scores, versions_in
from vlcheck.scoring.stores.store_file import DamagedStore, StoreFile, Tell, warn_of_store

# The question is unknown where an older vlcheck kept the answer. Words are a JSON list, edits one of [name, version,
# parameters]; the source is the digest of the picture before its edits, and the place where it was read from.
COLUMNS = (
    *("model", "fingerprint", "precision", "versions", "kept"),
    *("metric", "wording", "picture", "source", "place", "edits", "text", "words", "word", "score", "unasked"),
)
_ROWS = """SELECT models.name, fingerprint, precision, versions, kept, metric, wording.text, shown.key, shown.source,
        place.text, edits.text, asked.text, words.text, scores, unasked
    FROM answers JOIN models ON models.id = answers.model
    LEFT JOIN questions ON questions.query = answers.query
    LEFT JOIN shown ON shown.id = questions.picture
    LEFT JOIN texts AS place ON place.id = shown.place LEFT JOIN texts AS edits ON edits.id = shown.edits
    LEFT JOIN texts AS asked ON asked.id = questions.text LEFT JOIN texts AS words ON words.id = questions.words
    LEFT JOIN texts AS wording ON wording.id = questions.wording
    WHERE error = '' AND models.unconfirmed = ''"""
_AT_ONCE = 10_000  # answers in memory
Row = Sequence[Any]
Write = Callable[[Sequence[Row]], None]


def export_scores(store: StoreFile, to: Path, option: str = "TO", *, tell: Tell = warn_of_store) -> int:
    """Write each score of a store as a row of a table; errors and unconfirmed answers are left out.

    Answers that cannot be read are left out as well, and a DamagedStore warning says how many.

    Args:
        store: the open store.
        to: the table, FILE.parquet or FILE.csv, a file that is not there yet.
        option: the name of `to` in messages.
        tell: called with the warning.

    Returns:
        The number of rows.

    Raises:
        UsageError: the file cannot be written, has another ending, or is there; or pyarrow is not installed.
    """
    writer = _WRITERS.get(to.suffix.lower())
    if writer is None:
        raise UsageError(f"{option} {to}: has to end in {' or '.join(_WRITERS)}.")
    demand_place(to, option, "table")
    count = damaged = 0
    with placing(to, option) as draft, writer(draft) as write:
        answers = store.stream(_ROWS)
        while several := list(islice(answers, _AT_ONCE)):
            read = list(map(read_rows, several))
            rows = list(chain.from_iterable(read))
            if rows:
                write(rows)
            count += len(rows)
            damaged += read.count([])
    if damaged:
        left = counted(damaged, "answer")
        tell(DamagedStore(f"{store.named}: the store is damaged: {left} cannot be read and are left out."))
    return count


def read_rows(answer: Sequence[Any]) -> list[Row]:
    """Return a row for each score of an answer, one for a question that makes no sense, none if it is damaged.

    Args:
        answer: a row of the store; see `COLUMNS` for what becomes of it.
    """
    name, fingerprint, precision, versions, kept, *asked, words, scores, unasked = answer
    values = unpack_scores(scores)
    try:
        about = (name, fingerprint, precision, _hashed(versions), datetime.fromtimestamp(kept, UTC), *asked, words)
        "".join(one for one in about if isinstance(one, str)).encode()  # fails on bytes that are no text
        named = json.loads(words) if words else []
    except (ValueError, OverflowError, OSError, TypeError, RecursionError):
        return []
    if values is None or not isinstance(named, list):
        return []
    return [(*about, word, score, unasked or None) for word, score in _by_word(named, values)]


def _by_word(named: Sequence[str], scores: Sequence[float]) -> Iterable[tuple[str | None, float | None]]:
    """Return the scores of an answer with their words; no word for a match, no score where there is none."""
    if len(named) == len(scores) > 0:
        return zip(named, scores, strict=True)
    return [(None, score) for score in scores or (None,)]


@lru_cache(maxsize=256)
def _hashed(versions: str) -> str | None:
    found = versions_in(versions)
    return versions_key(found) if found else None


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    arrow, parquet = import_extra("pyarrow", str(path)), import_extra("pyarrow.parquet", str(path))
    kinds = {"score": arrow.float64(), "kept": arrow.timestamp("s", tz="UTC")}
    schema = arrow.schema([(name, kinds.get(name, arrow.string())) for name in COLUMNS])
    with parquet.ParquetWriter(path, schema) as writer:
        yield lambda rows: writer.write_table(
            arrow.table(dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)), schema=schema)
        )


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        yield lambda rows: writer.writerows(map(csv_cell, row) for row in rows)


_WRITERS: Mapping[str, Callable[[Path], AbstractContextManager[Write]]] = MappingProxyType(
    {".parquet": _parquet, ".csv": _csv}
)
