"""A case as it is shown: its picture and its text after edits."""

from __future__ import annotations

from dataclasses import dataclass

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
