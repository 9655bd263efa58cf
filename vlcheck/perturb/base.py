"""The protocol of perturbations, and two base classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import ClassVar, Protocol

from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK, Case
from vlcheck.cases.view import View
from vlcheck.errors import ForeignFault


class Perturbation(Protocol):
    """A pure edit of a view: of its picture, its text or both. A frozen dataclass whose fields are its parameters."""

    @property
    def label(self) -> str:
        """Name, parameters and version as results show them, e.g. "block(image, black) v1"."""

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        """Return the perturbed view.

        Args:
            view: the view to perturb.
            others: all cases of the behavior, for edits that take something from another case.

        Raises:
            NotApplicable: If the edit makes no sense for this view; the message is the reason under which it is
                counted.
        """


class Labelled:
    """Base of perturbations that edit the text or move things; the label consists of name, fields and version.

    A subclass is a frozen dataclass with a method `__call__(self, view, others)`, which returns a changed copy of the
    view: `dataclasses.replace(view, template=...)`. See `Perturbation`.

    A perturbation also has a method `__call__(self, view, others)`, which returns the changed view: see `Perturbation`.

    Attributes:
        name: part of the label and of every stored score's key.
        version: the same; raise it when the result of the edit changes.
    """

    name: ClassVar[str]
    version: ClassVar[int]

    @property
    def label(self) -> str:
        """Name, parameters and version."""
        parameters = ", ".join(str(getattr(self, one.name)) for one in fields(self))  # type: ignore[arg-type]
        return f"{self.name}({parameters}) v{self.version}" if parameters else f"{self.name} v{self.version}"


class OfThePicture(Labelled, ABC):
    """Base of perturbations that edit the picture's pixels and move nothing in it."""

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        return replace(view, picture=view.picture.then(self))

    @abstractmethod
    def edit(self, image: Image.Image) -> Image.Image:
        """Return the edited picture; raise NotApplicable if the edit makes no sense for this one."""


def perturbed(perturbation: Perturbation, view: View, others: Sequence[Case]) -> View:
    """Return a view after a perturbation, which may be foreign code.

    A perturbation may move the target's boxes and say nothing of those of the other thing of a relation. Nobody knows
    then where that one is, and the view has no box of it.

    Args:
        perturbation: the perturbation.
        view: the view to perturb.
        others: all cases of the behavior.

    Raises:
        NotApplicable: If the edit makes no sense for this view.
        ForeignFault: If the perturbation returns something that no model can be asked about.
    """
    found = perturbation(view, others)
    if fault := _fault(found, view):
        raise ForeignFault(f"{perturbation.label}: {fault}")
    moved = found.region is not view.region
    return replace(found, other_region=()) if moved and found.other_region is view.other_region else found


def _fault(found: object, view: View) -> str:
    """Return the reason why the result of a perturbation cannot be used, and what to write; "" if it can."""
    if not isinstance(found, View):
        return (
            f"its __call__ returned {type(found).__name__} ({found!r:.80}); it has to return a view, e.g."
            " replace(view, template=...) for a new text. Where it does not apply, raise NotApplicable(reason)."
        )
    if found.template != view.template and (times := found.template.count(MASK)) != 1:
        return (
            f"its text {found.template!r} has {MASK} {times} times; {MASK} stands for the word that is asked about:"
            " keep it, exactly once, in capitals."
        )
    if found.region is not view.region and (wrong := [box for box in found.region if not isinstance(box, Box)]):
        return (
            f"its region has {wrong[0]!r}, which is no Box: write Box(x, y, width, height), in pixels, or move a box"
            " with box._replace(x=...)."
        )
    return ""
