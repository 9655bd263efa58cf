"""Views: a case's picture and text after edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vlcheck.cases.box import Box
from vlcheck.cases.case import Case, filled
from vlcheck.cases.picture import Picture


@dataclass(frozen=True)
class View:
    """A case as it is shown to a model, after edits.

    Attributes:
        case: the case before any edit.
        picture: the picture that is shown; it is decoded only when the model is asked.
        template: the text, with "[MASK]" in the target's place.
        target: the word that is true in that place.
        candidates: the other words of the closed set, none of them true of the picture.
        region: boxes of the thing that the target names, in pixels of the edited picture.
        other_region: boxes of the other thing of a relation, in pixels of the edited picture.
        told: whether the text contains the target in queries that ask for no word, such as those about masked regions.

    Example:
        A perturbation returns a changed copy:

        >>> from dataclasses import replace
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, View
        >>> view = View.of(Case(id="ball", image=Solid((64, 48), (200, 0, 0)), caption="a red ball", target="red"))
        >>> view.template, replace(view, template=f"{view.template}.").text
        ('a [MASK] ball', 'a red ball.')
    """

    case: Case
    picture: Picture
    template: str
    target: str
    candidates: tuple[str, ...] = ()
    region: tuple[Box, ...] = ()
    told: bool = True
    other_region: tuple[Box, ...] = ()

    @classmethod
    def of(cls, case: Case) -> View:
        """Return the unperturbed view of a case."""
        return cls(
            case,
            Picture(case.image),
            case.masked,
            case.target,
            case.candidates,
            case.region,
            other_region=case.other_region,
        )

    def moved(self, picture: Picture, move: Callable[[Box], Box]) -> View:
        """Return the view with another picture, in which all boxes are elsewhere.

        Args:
            picture: the picture.
            move: returns the place of a box in it.
        """
        region, other_region = (tuple(map(move, boxes)) for boxes in (self.region, self.other_region))
        return replace(self, picture=picture, region=region, other_region=other_region)

    @property
    def key(self) -> tuple[str, str, str, bool]:
        """An identity of picture and text: views with equal keys ask the model the same."""
        return self.picture.key, self.template, self.target, self.told

    @property
    def text(self) -> str:
        """The text for queries that ask for no word."""
        return self.filled(self.target) if self.told else self.template

    def filled(self, word: str) -> str:
        """Return the text with a word in the mask's place."""
        return filled(self.template, word)
