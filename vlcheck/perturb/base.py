"""The protocol of perturbations, and two base classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import ClassVar, Protocol

from PIL import Image

from vlcheck.cases.case import Case
from vlcheck.cases.view import View


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
