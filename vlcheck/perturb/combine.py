"""Combinations of perturbations, and the picture or the caption of another case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import ClassVar

from vlcheck.cases.case import Case
from vlcheck.cases.mixed_order import in_mixed_order
from vlcheck.cases.picture import Picture
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb.base import Labelled, Perturbation, perturbed

_id = attrgetter("id")


@dataclass(frozen=True)
class OtherImage(Labelled):
    """Show another case's picture, of which the caption is known to be false; the same picture in every run.

    Example:
        >>> import vlcheck
        >>> from vlcheck.perturb import View
        >>> cases = vlcheck.open_cases("scenes:5").select(vlcheck.with_target("object"))
        >>> view = OtherImage()(View.of(cases[0]), cases)
        >>> view.text == View.of(cases[0]).text, view.picture.key == View.of(cases[0]).picture.key
        (True, False)
    """

    name: ClassVar[str] = "other-image"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        other = refuting_case(view.case, others)
        return replace(view, picture=Picture(other.image, view.picture.edits), region=(), other_region=())


@dataclass(frozen=True)
class OtherCaption(Labelled):
    """Say another case's caption, which is known to be false of the picture; the same caption in every run.

    Example:
        >>> import vlcheck
        >>> from vlcheck.perturb import View
        >>> cases = vlcheck.open_cases("scenes:5").select(vlcheck.with_target("object"))
        >>> view = OtherCaption()(View.of(cases[0]), cases)
        >>> view.text == View.of(cases[0]).text, view.picture.key == View.of(cases[0]).picture.key
        (False, True)
    """

    name: ClassVar[str] = "other-caption"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        ordered = in_mixed_order(view.case, others, _id)
        other = next((other for other in ordered if other.refuted_by(view.case)), None)
        if other is None:
            raise NotApplicable("no other caption is known to be false of the picture")
        return replace(
            view,
            template=other.masked,
            target=other.target,
            candidates=other.candidates,
            region=(),
            other_region=(),
        )


def refuting_case(case: Case, others: Sequence[Case]) -> Case:
    """Return a case whose picture refutes the caption of another one; the same in every run.

    Args:
        case: the case with the caption.
        others: the cases to choose from.

    Raises:
        NotApplicable: If no picture is known to refute it.
    """
    return first_refuting(refuting_cases(case, others))


def first_refuting(cases: Iterator[Case]) -> Case:
    """Return the first of the cases whose pictures refute a caption; raise NotApplicable if there is none."""
    found = next(cases, None)
    if found is None:
        raise NotApplicable("no other picture is known to refute the caption")
    return found


def refuting_cases(case: Case, others: Sequence[Case]) -> Iterator[Case]:
    """Yield the cases whose pictures refute the caption of another one, in a mixed order, the same in every run.

    Each is looked for when it is asked for, since a run does so for each of its cases.

    Args:
        case: the case with the caption.
        others: the cases to choose from.
    """
    return filter(case.refuted_by, in_mixed_order(case, others))


class Compose:
    """Apply perturbations one after another.

    Args:
        *parts: the perturbations, first to last.

    Example:
        >>> from vlcheck.perturb import Blur, Mirror
        >>> Compose(Mirror(), Blur(radius=0.01)).label
        'mirror v1 + blur(0.01) v1'
    """

    def __init__(self, *parts: Perturbation) -> None:
        self.parts = parts

    @property
    def label(self) -> str:
        return " + ".join(part.label for part in self.parts)

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        for part in self.parts:
            view = perturbed(part, view, others)
        return view

    def __repr__(self) -> str:
        return f"Compose({', '.join(map(repr, self.parts))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Compose) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


class Each:
    """Apply each of several perturbations on its own: a case has a row for each, and its image counts once.

    Args:
        *parts: the perturbations, at least one.

    Raises:
        ValueError: If there is none.

    Example:
        >>> from vlcheck.perturb import Blur, Jpeg
        >>> Each(Jpeg(quality=40), Blur()).label
        'each of jpeg(40) v1, blur(0.004) v1'
    """

    def __init__(self, *parts: Perturbation) -> None:
        if not parts:
            raise ValueError("Each: needs at least one perturbation")
        self.parts = parts

    @property
    def label(self) -> str:
        return "each of " + ", ".join(part.label for part in self.parts)

    def __repr__(self) -> str:
        return f"Each({', '.join(map(repr, self.parts))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Each) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)
