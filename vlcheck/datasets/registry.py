"""Opens data by its spec. Readers of data are registered under the entry-point group `vlcheck.datasets`.

A reader is a function `read(path, lexicons) -> Offer`, registered as `name = "package.module:read"`.
`--vl-data name:PATH` calls it.

- `path` (Path): the path of the spec, with `~` expanded. It may not exist: the reader says what is missing.
- `lexicons` (Lexicons): the words for colors, sides, hands and so on, which decide the tags of cases.
- It may have keyword-only parameters: `split` (str, "" unless said) allows `name:PATH@SPLIT`; `pictures` (the Reference
  after the @, or None) allows `name:PATH@coco:ROOT` and `name:PATH@FOLDER`; `images` and `seed` (both int) are those of
  the spec; `columns` (str, mapping or None) is that of `--vl-columns`; `shared` (Path or None) is a folder in which the
  processes of a run keep what the first of them has read of large data. A reader without `path` has keyword-only
  parameters alone and is named without a path.

It returns an `Offer`: the cases by the name of their image. Files that are wrong are a `UsageError` that names file and
line; any other error is shown with the line of the reader's code that raised it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from vlcheck._util.foreign_code import contained
from vlcheck._util.hashing import digest
from vlcheck._util.paths import expanded
from vlcheck._util.spec_grammar import DataSpec, Reference, Scheme, accepted, parse_data
from vlcheck.cases.offer import Offer
from vlcheck.cases.source import CaseSource
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.lexicons.toml_files import lexicons_digest, load_lexicons
from vlcheck.datasets.tables.columns import ColumnsSaid
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument, demand_type, printable
from vlcheck.suite.shipped import lexicons_path

GROUP = "vlcheck.datasets"
Reader = Callable[..., Offer]

_SCHEMES: Mapping[str, Scheme] = {  # of the shipped readers, which are imported when they are asked
    "scenes": Scheme("scenes", path=False, foils=False),
    "coco": Scheme("coco:ROOT[@SPLIT]", at="split", foils=False),
    "parquet": Scheme("parquet:PATH"),
    "webdataset": Scheme("webdataset:SHARDS"),
    "hf": Scheme("hf:NAME[:SPLIT]", at="named split"),
    **{
        suite: Scheme(f"{suite}:FOLDER[@PICTURES]", at="source")
        for suite in ("sugarcrepe", "valse", "whatsup", "aro", "winoground")
    },
    "jsonl": Scheme("jsonl:PATH"),
}
_SHIPPED: Mapping[str, EntryPoint] = {
    name: EntryPoint(name, f"vlcheck.datasets.{reader}", GROUP)
    for name, reader in {
        "scenes": "scenes.cases:read_scenes",
        "coco": "coco.reader:read_coco",
        "parquet": "tables.reader:read_parquet",
        "webdataset": "tables.reader:read_webdataset",
        "hf": "tables.reader:read_hub",
        "sugarcrepe": "foils.sugarcrepe:read_sugarcrepe",
        "valse": "foils.valse:read_valse",
        "whatsup": "foils.whatsup:read_whatsup",
        "aro": "foils.aro:read_aro",
        "winoground": "foils.winoground:read_winoground",
        "jsonl": "jsonl:read_jsonl",
    }.items()
}
ACCEPTED = accepted(_SCHEMES)


def registered_sources() -> dict[str, EntryPoint]:
    """Return the readers by name. The shipped ones are there even if an older installation does not register them."""
    return {**_SHIPPED, **{entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _SHIPPED}}


def may_have_foils(spec: str) -> bool:
    """Return True unless a spec, which may be wrong, names a reader whose data never has foils."""
    scheme = _SCHEMES.get(spec.partition(":")[0].partition("@")[0])
    return scheme is None or scheme.foils


def reads_once(spec: str) -> bool:
    """Return True if the reader that a spec names keeps what it has read for the other processes of a run."""
    entry = registered_sources().get(spec.partition(":")[0].partition("@")[0])
    return entry is not None and "shared" in _keywords(_loaded(entry, spec))


def open_source(
    spec: str, *, lexicons: Path | None = None, columns: ColumnsSaid = None, run: Path | None = None
) -> CaseSource:
    """Read the cases that a spec names.

    Args:
        spec: `scenes[:N[:SEED]]`, `coco:ROOT[@SPLIT][:N[:SEED]]`, `jsonl:PATH[:N[:SEED]]`, a foil suite such as
            `sugarcrepe:FOLDER@coco:ROOT[:N[:SEED]]`, or the name of another registered reader in their place; N images
            per behavior, 200 by default.
        lexicons: a folder whose files replace shipped lexicons of the same names.
        columns: the columns of a table, by field: a mapping, `caption=text,image=jpg`, or the path of a TOML file.
        run: a folder that the processes of a run share, so that large data is read by one of them alone.

    Returns:
        A source from which behaviors select their cases.

    Raises:
        UsageError: If the spec, a file or a line cannot be used; the message names it, and what would be accepted.

    Example:
        >>> open_source("scenes:5").images
        5
    """
    demand_type("data", spec, str, "a spec, e.g. 'scenes:50'")
    demand_type("columns", columns, str | Mapping | None, "columns by field, e.g. 'caption=text', or a TOML file")
    readers = registered_sources()
    schemes = {name: _SCHEMES.get(name) or _scheme(entry, spec) for name, entry in readers.items()}
    parsed = parse_data(spec, schemes)
    words = load_lexicons(lexicons_path(), lexicons)
    reader = _loaded(readers[parsed.source.scheme], spec)
    if columns and "columns" not in _keywords(reader):
        scheme = parsed.source.scheme
        raise UsageError(f"{argument('columns', columns)}: {scheme} has no columns; parquet, webdataset and hf have.")
    shared = run / f"data-{digest(spec, str(lexicons))[:16]}" if run else None
    offer = _read(reader, parsed, words, spec, columns, shared)
    read_with = lexicons_digest(lexicons_path(), lexicons) if _takes_path(reader) else ""
    return CaseSource(spec, offer, parsed.images, parsed.seed, read_with)


def _scheme(entry: EntryPoint, spec: str) -> Scheme:
    """Return how a reader's data is named; only the reader that the spec names is imported."""
    name = entry.name
    if spec.partition(":")[0].partition("@")[0] != name:
        return Scheme(f"{name}:PATH")
    reader = _loaded(entry, spec)
    if not _takes_path(reader):
        return Scheme(name, path=False)
    if "pictures" in _keywords(reader):
        return Scheme(f"{name}:PATH[@PICTURES]", at="source")
    return Scheme(f"{name}:PATH[@SPLIT]", at="split") if "split" in _keywords(reader) else Scheme(f"{name}:PATH")


def _loaded(entry: EntryPoint, spec: str) -> Reader:
    try:
        with contained():
            return cast(Reader, entry.load())
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(
            f"{argument('data', repr(printable(spec)))}: {entry.value} cannot be imported. {error}"
        ) from error


def _read(
    reader: Reader, parsed: DataSpec, lexicons: Lexicons, spec: str, columns: ColumnsSaid, shared: Path | None
) -> Offer:
    """Call a reader with what it takes. Raises UsageError for whatever it raises, and where it returns no offer."""
    at = parsed.source.at
    pictures = at if isinstance(at, Reference) else None
    said: dict[str, object] = {"split": str(at), "pictures": pictures, "images": parsed.images, "seed": parsed.seed}
    said |= {"columns": columns, "shared": shared}
    asked = {name: value for name, value in said.items() if name in _keywords(reader)}
    given = (_path(parsed, spec), lexicons) if _takes_path(reader) else ()
    try:
        with _guard(parsed.source.scheme):
            offer = reader(*given, **asked)
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{argument('data', repr(printable(spec)))}: cannot be read. {error}") from error
    if not isinstance(offer, Offer):
        raise UsageError(
            f"{argument('data', repr(printable(spec)))}: its reader gave {type(offer).__name__!r}; it has to return a"
            " vlcheck.cases.Offer."
        )
    return offer


def _guard(name: str) -> AbstractContextManager[None]:
    """Turn what foreign code raises into a ForeignFault; errors of the shipped readers stay what they are."""
    return nullcontext() if name in _SHIPPED else contained()


def _keywords(reader: Reader) -> set[str]:
    return {one.name for one in inspect.signature(reader).parameters.values() if one.kind is one.KEYWORD_ONLY}


def _takes_path(reader: Reader) -> bool:
    return any(one.kind is not one.KEYWORD_ONLY for one in inspect.signature(reader).parameters.values())


def _path(parsed: DataSpec, spec: str) -> Path:
    """Return the path of the data; its reader reports missing files."""
    try:
        path = expanded(parsed.source.path)
        path.exists()  # raises where the name is too long, or a folder may not be entered
    except (UsageError, OSError) as error:
        raise UsageError(f"{argument('data', repr(printable(spec)))}: {error}") from error
    return path
