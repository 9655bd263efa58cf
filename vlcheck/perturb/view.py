"""A case as a perturbation leaves it, and what a perturbation is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Protocol

from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK, Case
from vlcheck.cases.picture import Picture


@dataclass(frozen=True)
class View:
    """What is shown and what is said.

    Attributes:
        case: the case it began as.
        picture: what is shown; nothing is decoded before it is asked about.
        template: what is said, with "[MASK]" in the target's place.
        target: the word that is true there.
        candidates: the closed set's other words, none of them true of the picture.
        region: boxes of what the target names, in pixels of the picture as edited.
        told: whether a text that asks for no word, as of masked regions, says the target.
    """

    case: Case
    picture: Picture
    template: str
    target: str
    candidates: tuple[str, ...] = ()
    region: tuple[Box, ...] = ()
    told: bool = True

    @classmethod
    def of(cls, case: Case) -> View:
        """The case unperturbed."""
        return cls(case, Picture(case.image), case.masked, case.target, case.candidates, case.region)

    @property
    def key(self) -> tuple[str, str, str, bool]:
        """What is shown and said: views with equal keys ask the same."""
        return self.picture.key, self.template, self.target, self.told

    @property
    def text(self) -> str:
        """What is said where no word is asked for."""
        return self.filled(self.target) if self.told else self.template

    def filled(self, word: str) -> str:
        """The text with a word in the mask's place."""
        return self.template.replace(MASK, word)


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
