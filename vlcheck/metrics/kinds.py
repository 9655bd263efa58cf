"""The names of the metrics, and the kinds of score that a metric can be for a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Metric = Literal["mlm", "itm", "mrc", "mm-shap", "map"]


ANY = "any of the words"  # stands for the likely words in an answer of a model that only compares words


@dataclass(frozen=True)
class Kind:
    """A kind of score.

    Attributes:
        meaning: description of one score, for people.
        among: the set of which one score is a share, for a kind that only compares; "" for one that scores a word or a
            text on
            its own.
        of_classes: True if a model has scores only for words that name one of its classes.
        reads_text: False if a score does not depend on the text.
    """

    meaning: str
    among: str = ""
    of_classes: bool = False
    reads_text: bool = True
