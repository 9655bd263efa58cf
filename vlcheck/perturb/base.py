"""A case as a perturbation leaves it, and what a perturbation is."""

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
            view: what to perturb.
            others: all cases of the behavior, for what is taken from another case.

        Raises:
            NotApplicable: where the edit makes no sense; the message is the reason under which it is counted.
        """


class Labelled:
    """What a frozen dataclass needs to be labelled: name and version; its fields are the parameters."""

    name: ClassVar[str]
    version: ClassVar[int]

    @property
    def label(self) -> str:
        """Name, parameters and version."""
        parameters = ", ".join(str(getattr(self, one.name)) for one in fields(self))  # type: ignore[arg-type]
        return f"{self.name}({parameters}) v{self.version}" if parameters else f"{self.name} v{self.version}"


class OfThePicture(Labelled, ABC):
    """A perturbation that edits the picture's pixels, and moves nothing in it."""

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        return replace(view, picture=view.picture.then(self))

    @abstractmethod
    def edit(self, image: Image.Image) -> Image.Image:
        """Return the edited picture; raise NotApplicable where the edit makes no sense for this one."""
