"""The figure of one photograph: four views of it side by side, with each metric's score of every word.

It holds plain values: `vlcheck.explain.single_image` asks the model for them, and
`vlcheck.report.single_image.png` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from PIL import Image

from vlcheck._util.numbers import figure as written
from vlcheck.errors import printable
from vlcheck.metrics.registry import METRICS
from vlcheck.report.single_image.change import Expected
from vlcheck.report.single_image.places import PlacedThing, place_lines
from vlcheck.report.text.columns import aligned

TRUE = "*"  # mark of the word that is true
TRUE_MEANS = "the word that is true of the view"
_LONGEST = 40  # characters of a word in a heading


@dataclass(frozen=True)
class Scores:
    """The scores of one metric for one view.

    Attributes:
        shares: word -> score in [0, 1], the target first; empty if there are no scores.
        together: mlm: the sum of the words' probabilities before they were normalised over the words.
        top: mlm: the likeliest words at the mask, likeliest first, if the model names them.
        reason: the reason why there are no scores; else "".
    """

    shares: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    together: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class ViewMap:
    """The explanation of one view by one method.

    Attributes:
        cells: map over the picture, (rows, columns); None if there is none.
        tokens: the tokens of the text with their values; empty if the method does not explain tokens.
        reason: the reason why there is no map; else "".
    """

    cells: np.ndarray | None = None
    tokens: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Panel:
    """One view of the photograph.

    Attributes:
        name: the edit, in words.
        image: the picture.
        scores: metric -> scores.
        maps: title -> explanation.
        true: the word that is true of the view; "" if the view does not show it.
        expected: the change of the scores that is expected of the view; None for the original.
    """

    name: str
    image: Image.Image
    scores: Mapping[str, Scores]
    maps: Mapping[str, ViewMap] = field(default_factory=lambda: MappingProxyType({}))
    true: str = ""
    expected: Expected | None = None


@dataclass(frozen=True)
class Figure:
    """All views of a photograph.

    Attributes:
        model: name of the model.
        text: the text, with the target in brackets.
        words: the words asked in place of the brackets, the target first.
        headings: metric -> heading that explains its scores.
        panels: the views.
        places: a thing of the photograph in nine places; None if no thing was asked about.
    """

    model: str
    text: str
    words: tuple[str, ...]
    headings: Mapping[str, str]
    panels: tuple[Panel, ...]
    places: PlacedThing | None = None

    @property
    def answered(self) -> bool:
        """True if there is any score."""
        return any(scores.shares for panel in self.panels for scores in panel.scores.values())

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons why scores are missing, each once."""
        said = (scores.reason for panel in self.panels for scores in panel.scores.values())
        return tuple(dict.fromkeys(filter(None, said)))

    def change(self, panel: Panel) -> str:
        """Return what should have changed in a view, and whether it did, in a line; "" for the original."""
        before, after = ({metric: one.shares for metric, one in of.scores.items()} for of in (self.panels[0], panel))
        return panel.expected.line(before, after) if panel.expected else ""


def figure_lines(figure: Figure) -> Iterator[str]:
    """Yield the figure as lines for a terminal, a row a view. Foreign text in it is made harmless."""
    yield f"{printable(figure.model)}: {printable(figure.text, len(figure.text) * 10)}"
    for metric, heading in figure.headings.items():
        yield f"{metric.upper()}: {heading}"
    yield ""
    yield from aligned(list(_table(figure)))
    if any(panel.true for panel in figure.panels):
        yield f"{TRUE} {TRUE_MEANS}"
    yield from (f"{panel.name}: {figure.change(panel)}" for panel in figure.panels if panel.expected)
    yield from (f"({number}) {printable(reason)}" for number, reason in enumerate(figure.reasons, start=1))
    yield from _without_map(figure.panels)
    likeliest = list(_likeliest(figure.panels))
    if likeliest:
        yield ""
        yield "likeliest at the mask"
        yield from likeliest
    if figure.places:
        yield ""
        yield from place_lines(figure.places)


def score(number: float) -> str:
    """Return a score in four digits, as the study prints them."""
    return written(number, 4)


def _table(figure: Figure) -> Iterator[Sequence[str]]:
    words = [printable(word, _LONGEST) for word in figure.words]
    together = len(words) > 1
    head = [""]
    for metric in figure.headings:
        head += [f"{metric.upper()} {word}" for word in words]
        head += ["together"] if METRICS[metric].closed_sets and together else []
    yield head
    for panel in figure.panels:
        row = [panel.name]
        for metric, scores in panel.scores.items():
            row += _cells(scores, figure, panel.true)
            row += [_total(scores)] if METRICS[metric].closed_sets and together else []
        yield row


def _cells(scores: Scores, figure: Figure, true: str) -> Iterator[str]:
    """Yield the score of each word, the true one's marked, or the number of the reason why there is none."""
    for word in figure.words:
        if scores.shares:
            yield score(scores.shares[word]) + (TRUE if word == true else "")
        else:
            yield f"({figure.reasons.index(scores.reason) + 1})"


def _total(scores: Scores) -> str:
    return "-" if scores.together is None else score(scores.together)


def _likeliest(panels: Iterable[Panel]) -> Iterator[str]:
    named = [panel for panel in panels if panel.scores["mlm"].top]
    width = max((len(panel.name) for panel in named), default=0)
    for panel in named:
        yield f"  {panel.name.ljust(width)}  {likeliest(panel.scores['mlm'])}"


def _without_map(panels: Iterable[Panel]) -> Iterator[str]:
    """Yield a line for each view and reason why there is no map of it."""
    for panel in panels:
        reasons = dict.fromkeys(one.reason for one in panel.maps.values() if one.reason)
        yield from (f"{panel.name}: no map: {printable(reason)}" for reason in reasons)


def likeliest(scores: Scores) -> str:
    """Return the likeliest words in one line."""
    return ", ".join(f"{printable(word, _LONGEST)} {score(share)}" for word, share in scores.top)
