"""The figures of a verdict and their meanings: the source of tooltips, glossary, legends and documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Term:
    """A figure of a verdict.

    Attributes:
        name: its name on the page.
        meaning: its meaning, in a sentence or two.
        column: its name as a column on the terminal; "" if it has none there.
    """

    name: str
    meaning: str
    column: str = ""

    @property
    def id(self) -> str:
        """The id of its meaning on the page."""
        return f"term-{re.sub('[^a-z0-9]+', '-', self.name.lower()).strip('-')}"


_TERMS = (
    Term(
        "images that count",
        "Images that take part in the verdict: the edit applies to them, and the model knows them where a score has to"
        " stay.",
        "n",
    ),
    Term("violations", "Rows whose margin is 0 or less. An image may have several rows."),
    Term(
        "rate",
        "The share of images that violates; an image with several rows counts with the share of its rows that does."
        " The interval beside it has its one-sided bounds.",
    ),
    Term(
        "mean",
        "The mean over the images of the value that the claim is about. The interval beside it has its one-sided"
        " bounds.",
    ),
    Term("allowed", "The largest rate, or the band of means, with which a test passes. The policy says it."),
    Term(
        "without the picture",
        "The share of right answers that can be had without the picture, which the model has to beat.",
    ),
    Term(
        "tolerances",
        "Limits on scores, which the policy sets. within: the most that a score may fall that has to stay. by: the"
        " least difference that counts; of two words, one needs a share above 0.5 + by, and the other one under"
        " 0.5 - by. below: a score that has to drop ends below it. delta: the model knows a case if its own picture"
        " scores higher than another one by more than this. floor, mass: a case counts if the words, or the answers,"
        " that are compared have at least this probability together. On the model's own scale, 0.5 is where it is as"
        " likely right as wrong.",
    ),
    Term("effect", "How far the edit moves the score on average. It decides nothing."),
    Term(
        "least lead",
        "Right answers of the model beyond those of the best choice without the picture. It decides the test.",
    ),
    Term(
        "detectable",
        "The least true rate, or the least distance of a mean from its band, that a test of this many images fails 4"
        " times in 5. A smaller bias may pass unseen.",
        "detectable",
    ),
    Term(
        "would decide",
        "The number of images at which what was observed would be enough for a pass or a fail.",
    ),
    Term(
        "p",
        "The probability of what was observed, or of more, if the model were within what is allowed. A test fails by p"
        " alone.",
        "p",
    ),
    Term("p (Holm)", "p corrected for the number of tests of the run. It decides nothing.", "p (Holm)"),
    Term(
        "cases left out",
        "Cases that do not count: the edit does not apply to them, or the model does not know them, so that no score"
        " can be lost.",
    ),
    Term("refused", "Cases left out because the model refused to answer."),
    Term(
        "P(yes) + P(no)",
        "The probability that the model answers yes or no at all, on average. The scores are shares of it.",
    ),
    Term(
        "P(any of the words)",
        "The probability of all words asked about together, on average. The scores are shares of it.",
    ),
    Term(
        "thoughts cut",
        "The share of the thoughts before the answers that ended at the limit, or with the model's turn.",
    ),
    Term("in other words", "The verdict and the rate if the question is put in these words instead."),
    Term("images asked", "Images asked about until the test was decided, of those there are."),
    Term("score", "What a number of this model means, such as a probability or a share among texts."),
    Term(
        "margin",
        "How clearly a case holds: above 0 it holds, at 0 and below it violates. For a claim about a mean it is called"
        " value: the case's part of the mean.",
    ),
    Term(
        "words",
        "The words asked about and the likeliest words at the mask, in one list by their raw score. In brackets, the"
        " share of those asked about: raw scores divided by their sum. Without brackets, a word was not asked about.",
    ),
)
TERMS: Mapping[str, Term] = MappingProxyType({term.name: term for term in _TERMS})


def legend(*columns: str) -> str:
    """Return the meanings of columns in one line: "n: Images that ... p: The probability ...".

    Args:
        columns: names of columns on the terminal.
    """
    by_column = {term.column: term for term in _TERMS if term.column}
    return " ".join(f"{column}: {by_column[column].meaning}" for column in columns)


def glossary_table() -> str:
    """Return the terms as a table in Markdown."""
    return "\n".join(["| figure | meaning |", "| --- | --- |", *map(_row, _TERMS)]) + "\n"


def _row(term: Term) -> str:
    on_terminal = f", on the terminal `{term.column}`" if term.column not in ("", term.name) else ""
    return f"| *{term.name}*{on_terminal} | {term.meaning} |"
