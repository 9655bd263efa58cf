"""Cases for a model that has scores only for words that name one of its classes, such as a classifier of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vlcheck.cases import Case
from vlcheck.errors import NotApplicable

CanName = Callable[[str], bool]


def among_classes(case: Case, can_name: CanName) -> Case:
    """Return a case with those of its candidates that name a class.

    Args:
        case: the case.
        can_name: whether a word names a class of the model.

    Raises:
        NotApplicable: its target names no class; or it has candidates, and none of them names a class.

    Example:
        >>> from vlcheck.perturb import Solid
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="dog", image=red, caption="a dog", target="dog", candidates=("cat", "giraffe"))
        >>> among_classes(case, {"dog", "cat"}.__contains__).candidates
        ('cat',)
    """
    if not can_name(case.target):
        raise NotApplicable("the target names no class of the model")
    named = tuple(filter(can_name, case.candidates))
    if case.candidates and not named:
        raise NotApplicable("the target names a class of the model, and none of the other words does")
    return replace(case, candidates=named)
