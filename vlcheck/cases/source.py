"""Opens data by its spec: `scenes[:N[:SEED]]`, `coco:ROOT[:N[:SEED]]` or `jsonl:PATH[:N[:SEED]]`."""

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
from vlcheck.cases.looked_at import LookedAt
from vlcheck.cases.offer import Offer
from vlcheck.cases.scenes import draw_scenes
from vlcheck.cases.selection import Selection, choose
from vlcheck.errors import NotApplicable, UsageError, nearest, printable
from vlcheck.suite import lexicons_path

IMAGES_PER_BEHAVIOR, MOST_IMAGES = 200, 100_000
_DIGITS = 18  # of a number; Python itself refuses to read one of thousands

_ACCEPTED = "scenes[:N[:SEED]], coco:ROOT[:N[:SEED]] or jsonl:PATH[:N[:SEED]]"
_DRAWN = re.compile(r"(?P<scheme>scenes)(?::(?P<images>\d+))?(?::(?P<seed>\d+))?", re.ASCII)
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
        scheme = spec.partition(":")[0]
        if scheme not in _READERS:
            raise UsageError(f"data {spec!r}: unknown source {scheme!r}. {nearest(scheme, _READERS)} Say {_ACCEPTED}.")
        match = (_DRAWN if scheme == "scenes" else _SPEC).fullmatch(spec)
        if match is None:
            what = (
                "takes N, images a behavior, from 1 on, and SEED, from 0 on" if scheme == "scenes" else "names no path"
            )
            raise UsageError(f"data {spec!r}: {what}. Say {_ACCEPTED}.")
        images, seed = match["images"] or str(IMAGES_PER_BEHAVIOR), match["seed"] or "0"
        if len(images) > _DIGITS or not 1 <= int(images) <= MOST_IMAGES:
            what = f"N is the number of images per behavior; it has to be from 1 to {MOST_IMAGES}"
            raise UsageError(f"data {printable(spec)!r}: {what}.")
        if len(seed) > _DIGITS:
            raise UsageError(f"data {printable(spec)!r}: SEED has {len(seed)} digits; at most {_DIGITS} are accepted.")
        path = Path(match.groupdict().get("path") or "").expanduser()
        return cls(scheme, path, int(images), int(seed))


_READERS: Mapping[str, Callable[[_Spec, Lexicons], Offer]] = {
    "scenes": lambda spec, _: draw_scenes(spec.images, spec.seed),
    "coco": lambda spec, lexicons: read_coco(spec.path, lexicons),
    "jsonl": lambda spec, _: read_jsonl(spec.path),
}


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
        """How many things were left out, by reason; of pictures, those that have been looked at."""
        return self.offer.left_out + self._looked_at.left_out()

    def select(self, selection: Selection) -> tuple[Case, ...]:
        """Choose a behavior's cases: one a picture, balanced over the target words, the same in every process.

        Pictures that do not fit what is said of them are left out, and counted.

        Returns:
            No case where the data has none.

        Raises:
            UsageError: where the data names a picture that cannot be used, and is to be mended.
        """
        if selection not in self._selected:
            self._selected[selection] = choose(
                self.offer.cases, selection, at_most=self.images, seed=self.seed, identify=self._identify
            )
        return self._selected[selection]

    @cached_property
    def fitting(self) -> tuple[Case, ...]:
        """All cases whose pictures fit what is said of them: each picture is looked at. Raises as `select`."""
        named = ((name, case) for name, cases in self.offer.cases.items() for case in cases)
        return tuple(case for name, case in named if self._fits(name, case))

    def _identify(self, name: str, case: Case) -> str | None:
        return self._looked_at.content(name, case) if self._fits(name, case) else None

    def _fits(self, name: str, case: Case) -> bool:
        try:
            self.offer.check(case)
        except NotApplicable as reason:
            self._looked_at.leave_out(name, reason)
            return False
        return True

    @cached_property
    def _looked_at(self) -> LookedAt:
        return LookedAt()

    @cached_property
    def _selected(self) -> dict[Selection, tuple[Case, ...]]:
        return {}


def open_source(spec: str, *, lexicons: Path | None = None) -> CaseSource:
    """Read the cases that a spec names.

    Args:
        spec: `scenes[:N[:SEED]]`, `coco:ROOT[:N[:SEED]]` or `jsonl:PATH[:N[:SEED]]`; N images per behavior, 200
            unless said.
        lexicons: a folder whose files take the place of shipped lexicons.

    Raises:
        UsageError: naming the spec, file or line that cannot be used, and what would be accepted.
    """
    parsed = _Spec.parse(spec)
    offer = _READERS[parsed.scheme](parsed, load_lexicons(lexicons_path(), lexicons))
    return CaseSource(spec, offer, parsed.images, parsed.seed)
