"""The scores of a store as a table, one row a score: Parquet or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vlcheck._util.files import demand_place, placing
from vlcheck._util.installed import versions_key
from vlcheck.datasets.tables.arrow import import_extra
from vlcheck.errors import UsageError
from vlcheck.scoring.stores.rows import unpack_scores, versions_in
from vlcheck.scoring.stores.store_file import StoreFile

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
_AT_ONCE = 10_000  # rows in memory
Row = Sequence[Any]
Write = Callable[[Sequence[Row]], None]


def export_scores(store: StoreFile, to: Path, option: str = "TO") -> int:
    """Write each score of a store as a row of a table; errors and unconfirmed answers are left out.

    Args:
        store: the open store.
        to: the table, FILE.parquet or FILE.csv, a file that is not there yet.
        option: the name of `to` in messages.

    Returns:
        The number of rows.

    Raises:
        UsageError: the file cannot be written, has another ending, or is there; or pyarrow is not installed.
    """
    if to.suffix not in _WRITERS:
        raise UsageError(f"{option} {to}: has to end in {' or '.join(_WRITERS)}.")
    demand_place(to, option, "table")
    count = 0
    with placing(to, option) as draft, _WRITERS[to.suffix](draft) as write:
        rows = score_rows(store)
        while several := list(islice(rows, _AT_ONCE)):
            write(several)
            count += len(several)
    return count


def score_rows(store: StoreFile) -> Iterator[Row]:
    """Yield a row for each score, and for each question that makes no sense; see `COLUMNS`."""
    for name, fingerprint, precision, versions, kept, *asked, words, scores, unasked in store.stream(_ROWS):
        about = (name, fingerprint, precision, _hashed(versions), datetime.fromtimestamp(kept, UTC), *asked, words)
        for word, score in _by_word(words, unpack_scores(scores) or ()):
            yield (*about, word, score, unasked or None)


def _by_word(words: str | None, scores: Sequence[float]) -> Iterable[tuple[str | None, float | None]]:
    """Return the scores of an answer with their words; no word for a match, no score where there is none."""
    named = json.loads(words) if words else []
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
        yield writer.writerows


_WRITERS: Mapping[str, Callable[[Path], AbstractContextManager[Write]]] = MappingProxyType(
    {".parquet": _parquet, ".csv": _csv}
)
