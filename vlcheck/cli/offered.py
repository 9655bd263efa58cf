"""The cases that data offers to behaviors, what was left out, and which files would add more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from vlcheck._util.numbers import counted
from vlcheck.behaviors.behavior import Behavior
from vlcheck.cases import Case, CaseSource
from vlcheck.datasets.tags import TAGS, compared_with_nothing, wanting
from vlcheck.errors import closest
from vlcheck.report.text.columns import aligned

_TARGETS = 6


def offered(source: CaseSource, behaviors: Sequence[Behavior]) -> Iterator[str]:
    """Yield the number of cases and the commonest targets of each behavior, then what was left out, and problems.

    Args:
        source: the data's cases.
        behaviors: the selected behaviors.
    """
    rows = [["behavior", "images", "targets"]]
    for behavior in behaviors:
        found = source.select(behavior.cases)
        targets = Counter(case.target for case in found).most_common()
        named = ", ".join(f"{word} {count}" for word, count in targets[:_TARGETS])
        rows.append([behavior.name, str(len(found)), named + (", ..." if len(targets) > _TARGETS else "")])
    yield from aligned(rows)
    yield ""
    left_out = Counter(_passed_over(source, behaviors)) + source.left_out
    yield f"{counted(len(source.cases), 'case')} in all; " + ("left out:" if left_out else "none is left out")
    for reason, count in (*left_out.most_common(), *Counter(wanting(source.cases)).most_common()):
        yield f"{count:6} {reason}"
    for doubt, ids in source.offer.doubts.items():
        yield f"{len(ids):6} {doubt}, e.g. {ids[0]}"
    yield from _uncompared(source.cases)
    yield from files_to_add(source, behaviors)
    yield from slips(source.cases, behaviors)


def files_to_add(source: CaseSource, behaviors: Iterable[Behavior]) -> Iterator[str]:
    """Yield the files that would add cases to behaviors with fewer images than were asked for.

    Args:
        source: the data's cases.
        behaviors: the selected behaviors.
    """
    counts = {behavior: len(source.select(behavior.cases)) for behavior in behaviors}
    few = {behavior: count for behavior, count in counts.items() if count < source.images}
    for one in source.offer.missing if few else ():
        served = [f"{each.name} (has {n})" for each, n in few.items() if one.kinds.intersection(each.cases.kinds)]
        if served or not one.kinds:
            yield f"{one.files} would bring more: {', '.join(served) or 'cases of every kind'}"


def slips(cases: Iterable[Case], behaviors: Iterable[Behavior]) -> Iterator[str]:
    """Yield tags that no test knows, and that are similar to a known one.

    Args:
        cases: the data's cases.
        behaviors: the selected behaviors, which know tags.
    """
    selections = [behavior.cases for behavior in behaviors]
    known = TAGS.union(*((*one.kinds, *one.having, *one.lacking) for one in selections))
    strange = Counter(tag for case in cases for tag in case.tags if tag not in known)
    for tag, count in sorted(strange.items()):
        if meant := closest(tag, known):
            yield f"tag {tag!r} ({counted(count, 'case')}) is known to no test. Did you mean {meant!r}?"


def _passed_over(source: CaseSource, behaviors: Sequence[Behavior]) -> Iterator[str]:
    """Yield the reasons why cases are not asked about, one each."""
    names = {case.id: name for name, cases in source.offer.cases.items() for case in cases}
    chosen = {behavior: source.select(behavior.cases) for behavior in behaviors}
    images = {behavior: {names[case.id] for case in found} for behavior, found in chosen.items()}
    asked = {case.id for found in chosen.values() for case in found}
    for case in source.cases:
        wanted = [behavior for behavior in behaviors if behavior.cases.accepts(case)]
        if not wanted:
            yield f"asked for by no behavior (tags {', '.join(sorted(case.tags))})"
        elif case.id not in asked and any(names[case.id] in images[behavior] for behavior in wanted):
            yield "second case of its image: a behavior asks about one case of each"
        elif case.id not in asked and any(len(chosen[behavior]) >= source.images for behavior in wanted):
            yield f"beyond the {counted(source.images, 'image')} for each behavior that were asked for"


def _uncompared(cases: Iterable[Case]) -> Iterator[str]:
    if count := sum(map(compared_with_nothing, cases)):
        yield (
            f"{counted(count, 'case')} without candidates: few tests ask them of a model that only compares (kinds"
            " contrastive, ranking and candidates)"
        )
