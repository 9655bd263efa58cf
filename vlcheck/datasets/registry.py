"""Opens data by its spec, of which `vlcheck._util.spec_grammar` has the grammar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from vlcheck._util.paths import expanded
from vlcheck._util.spec_grammar import DataSpec, Scheme, accepted, parse_data
from vlcheck.cases.offer import Offer
from vlcheck.cases.source import CaseSource
from vlcheck.datasets.coco.reader import read_coco
from vlcheck.datasets.jsonl import read_jsonl
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.datasets.scenes.cases import draw_scenes
from vlcheck.errors import UsageError, argument, printable
from vlcheck.suite.shipped import lexicons_path

_SCHEMES: Mapping[str, Scheme] = {
    "scenes": Scheme("scenes", path=False),
    "coco": Scheme("coco:ROOT[@SPLIT]", at="split"),
    "jsonl": Scheme("jsonl:PATH"),
}
_READERS: Mapping[str, Callable[[DataSpec, Path, Lexicons], Offer]] = {
    "scenes": lambda spec, _path, _lexicons: draw_scenes(spec.images, spec.seed),
    "coco": lambda spec, path, lexicons: read_coco(path, lexicons, split=str(spec.source.at)),
    "jsonl": lambda _spec, path, lexicons: read_jsonl(path, lexicons),
}
ACCEPTED = accepted(_SCHEMES)


def open_source(spec: str, *, lexicons: Path | None = None) -> CaseSource:
    """Read the cases that a spec names.

    Args:
        spec: `scenes[:N[:SEED]]`, `coco:ROOT[@SPLIT][:N[:SEED]]` or `jsonl:PATH[:N[:SEED]]`; N images per behavior, 200
            unless said.
        lexicons: a folder whose files take the place of shipped lexicons.

    Raises:
        UsageError: naming the spec, file or line that cannot be used, and what would be accepted.
    """
    parsed = parse_data(spec, _SCHEMES)
    words = load_lexicons(lexicons_path(), lexicons)
    offer = _READERS[parsed.source.scheme](parsed, _path(parsed, spec), words)
    return CaseSource(spec, offer, parsed.images, parsed.seed)


def _path(parsed: DataSpec, spec: str) -> Path:
    """Return the place of the data; its reader says what is missing there."""
    try:
        path = expanded(parsed.source.path)
        path.exists()  # raises where the name is too long, or a folder may not be entered
    except (UsageError, OSError) as error:
        raise UsageError(f"{argument('data', repr(printable(spec)))}: {error}") from error
    return path
