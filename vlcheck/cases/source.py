"""Opens data by its spec: `coco:ROOT[:N[:SEED]]` or `jsonl:PATH[:N[:SEED]]`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vlcheck.cases.case import Case
from vlcheck.cases.coco import read_coco
from vlcheck.cases.jsonl import read_jsonl
from vlcheck.cases.lexicon import Lexicons
from vlcheck.cases.lexicon_files import load_lexicons
from vlcheck.cases.offer import Offer
from vlcheck.cases.selection import Selection, choose
from vlcheck.errors import UsageError, nearest
from vlcheck.suite import lexicons_path

IMAGES_PER_BEHAVIOR = 200

_READERS: Mapping[str, Callable[[Path, Lexicons], Offer]] = {
    "coco": read_coco,
    "jsonl": lambda path, _: read_jsonl(path),
}
_ACCEPTED = "coco:ROOT[:N[:SEED]] or jsonl:PATH[:N[:SEED]]"
# Read from the right, since a path may have colons.
_SPEC = re.compile(r"(?P<scheme>[^:]*):(?P<path>.+?)(?::(?P<images>\d+))?(?::(?P<seed>\d+))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class _Spec:
    scheme: str
    path: Path
    images: int
    seed: int

    @classmethod
    def parse(cls, spec: str) -> _Spec:
        match = _SPEC.fullmatch(spec)
        scheme = match["scheme"] if match else spec.partition(":")[0]
        if scheme not in _READERS:
            raise UsageError(f"data {spec!r}: unknown source {scheme!r}. {nearest(scheme, _READERS)} Say {_ACCEPTED}.")
        if match is None:
            raise UsageError(f"data {spec!r}: names no path. Say {_ACCEPTED}.")
        images = int(match["images"] or IMAGES_PER_BEHAVIOR)
        if images < 1:
            raise UsageError(f"data {spec!r}: N is the number of images per behavior; it has to be 1 or more.")
        return cls(scheme, Path(match["path"]).expanduser(), images, int(match["seed"] or 0))


@dataclass(frozen=True)
class CaseSource:
    """Cases, and how to choose among them.

    Attributes:
        spec: what it was opened by.
        offer: what the reader found.
        images: at most so many images a behavior.
        seed: for another choice of them.
    """

    spec: str
    offer: Offer
    images: int
    seed: int

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Everything that the data offers, before any choice, in the data's order."""
        return tuple(case for cases in self.offer.cases.values() for case in cases)

    @property
    def left_out(self) -> Counter[str]:
        """How many things were left out, by reason."""
        return self.offer.left_out

    def select(self, selection: Selection) -> tuple[Case, ...]:
        """Choose a behavior's cases: one an image, balanced over the target words, the same in every process.

        Returns:
            No case where the data has none.

        Raises:
            UsageError: where a chosen picture is missing, does not decode or is too large.
        """
        if selection not in self._selected:
            chosen = choose(self.offer.cases, selection, at_most=self.images, seed=self.seed)
            for case in chosen:
                self.offer.check(case)
            self._selected[selection] = chosen
        return self._selected[selection]

    @cached_property
    def _selected(self) -> dict[Selection, tuple[Case, ...]]:
        return {}


def open_source(spec: str, *, lexicons: Path | None = None) -> CaseSource:
    """Read the cases that a spec names.

    Args:
        spec: `coco:ROOT[:N[:SEED]]` or `jsonl:PATH[:N[:SEED]]`; N images per behavior, 200 unless said.
        lexicons: a folder whose files take the place of shipped lexicons.

    Raises:
        UsageError: naming the spec, file or line that cannot be used, and what would be accepted.
    """
    parsed = _Spec.parse(spec)
    offer = _READERS[parsed.scheme](parsed.path, load_lexicons(lexicons_path(), lexicons))
    return CaseSource(spec, offer, parsed.images, parsed.seed)
