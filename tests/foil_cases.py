"""Drawn pictures with foils, for the tests of foils."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from vlcheck._util.hashing import digest
from vlcheck.cases import Case, CaseSource, Offer, with_target
from vlcheck.datasets.registry import open_source

ATTRIBUTES, OBJECTS = "replaced-attribute", "replaced-object"
KINDS = {"color": ATTRIBUTES, "object": OBJECTS}
TESTS = ("test_caption_beats_replaced_attribute", "test_caption_beats_replaced_object")
Foil = Callable[[Case, str], str]


def another_word(case: Case, word: str) -> str:
    """Say another word in the target's place: the sentences of all cases are alike."""
    return case.masked.replace("[MASK]", word)


def longer(case: Case, word: str) -> str:
    """Say more than the caption: the length tells the foil."""
    return f"{case.caption.rstrip('.')} and some other thing that is not there"


def foil_cases(images: int, foil: Foil = another_word) -> Iterator[Case]:
    """Yield cases of drawn scenes, with one foil each: so many of an attribute and as many of an object.

    Each caption has a number of its own, so that no foil is the caption of another picture.
    """
    drawn = open_source(f"scenes:{images}")
    for kind, phenomenon in KINDS.items():
        for number, own in enumerate(drawn.select(with_target(kind))):
            case = replace(own, caption=f"Number {number} shows {own.caption}", bare=None)
            word = min(case.candidates, key=lambda one: digest(case.id, one))
            foils, tags = (foil(case, word),), frozenset({"foil", phenomenon})
            yield replace(case, id=f"{case.id}-{kind}", foils=foils, tags=tags)


def foil_source(images: int, foil: Foil = another_word) -> CaseSource:
    """Return a source of such cases."""
    cases: dict[str, tuple[Case, ...]] = {}
    for case in foil_cases(images, foil):
        cases[case.image.key] = (*cases.get(case.image.key, ()), case)
    return CaseSource("foils", Offer(cases), images, 0)


def write_foils(folder: Path, images: int, foil: Foil = another_word) -> str:
    """Write such cases and their pictures as a file of cases, and return its spec."""
    lines = []
    for case in foil_cases(images, foil):
        name = f"{case.image.key[:16]}.png"
        if not (folder / name).exists():
            case.image.open().save(folder / name)
        line = {"id": case.id, "image": name, "caption": case.caption, "target": case.target, "tags": sorted(case.tags)}
        lines.append(json.dumps(line | {"foils": list(case.foils), "present": sorted(case.present)}))
    (folder / "foils.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return f"jsonl:{folder / 'foils.jsonl'}"
