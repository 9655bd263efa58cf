"""The figure of one photograph: four views of it side by side, with what each metric says of every word.

Plain values: `vlcheck.explain.single_image` asks the model for them, `vlcheck.report.single_image.png` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from PIL import Image

from vlcheck._util.numbers import figure as written
from vlcheck.errors import printable
from vlcheck.metrics.registry import METRICS
from vlcheck.report.text.summary import aligned

_LONGEST = 40  # of a word in a heading


@dataclass(frozen=True)
class Scores:
    """What one metric says of one view.

    Attributes:
        shares: by word, the target first; empty where there is none, for `reason`.
        together: mlm: what the words' probabilities came to before they were renormalised over the words.
        top: mlm: the likeliest words at the mask, best first, where the model names them.
    """

    shares: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    together: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Panel:
    """One view of the photograph.

    Attributes:
        name: what was done to it.
        scores: by metric.
    """

    name: str
    image: Image.Image
    scores: Mapping[str, Scores]


@dataclass(frozen=True)
class Figure:
    """All views of a photograph.

    Attributes:
        model: its name.
        text: what is said, with the target in brackets.
        words: what stands in the brackets' place, the target first.
        headings: metric -> what its scores are.
    """

    model: str
    text: str
    words: tuple[str, ...]
    headings: Mapping[str, str]
    panels: tuple[Panel, ...]

    @property
    def answered(self) -> bool:
        """Whether there is any score."""
        return any(scores.shares for panel in self.panels for scores in panel.scores.values())

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why scores are missing, each reason once."""
        said = (scores.reason for panel in self.panels for scores in panel.scores.values())
        return tuple(dict.fromkeys(filter(None, said)))


def lines(figure: Figure) -> Iterator[str]:
    """The figure as a terminal shows it: a row a view. What comes from the model or the user cannot steer it."""
    yield f"{printable(figure.model)}: {printable(figure.text, len(figure.text) * 10)}"
    for metric, heading in figure.headings.items():
        yield f"{metric.upper()}: {heading}"
    yield ""
    yield from aligned(list(_table(figure)))
    yield from (f"({number}) {printable(reason)}" for number, reason in enumerate(figure.reasons, start=1))
    likeliest = list(_likeliest(figure.panels))
    if likeliest:
        yield ""
        yield "likeliest at the mask"
        yield from likeliest


def score(number: float) -> str:
    """A score in four digits, as the study has them."""
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
            row += _cells(scores, figure)
            row += [_total(scores)] if METRICS[metric].closed_sets and together else []
        yield row


def _cells(scores: Scores, figure: Figure) -> Iterator[str]:
    """The scores of each word, or the number of the reason why there are none."""
    for word in figure.words:
        if scores.shares:
            yield score(scores.shares[word])
        else:
            yield f"({figure.reasons.index(scores.reason) + 1})"


def _total(scores: Scores) -> str:
    return "-" if scores.together is None else score(scores.together)


def _likeliest(panels: Iterable[Panel]) -> Iterator[str]:
    named = [panel for panel in panels if panel.scores["mlm"].top]
    width = max((len(panel.name) for panel in named), default=0)
    for panel in named:
        yield f"  {panel.name.ljust(width)}  {likeliest(panel.scores['mlm'])}"


def likeliest(scores: Scores) -> str:
    """The likeliest words in a line."""
    return ", ".join(f"{printable(word, _LONGEST)} {score(share)}" for word, share in scores.top)
