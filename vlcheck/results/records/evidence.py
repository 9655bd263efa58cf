"""The evidence of a run, line by line: its cases, their pictures, and maps that explain them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from vlcheck.results.records.fields import (
    Boxes,
    Cells,
    CountOrNone,
    Number,
    NumberOrNone,
    Numbers,
    Record,
    Table,
    Text,
    TextOrNone,
    Texts,
    Words,
)


class ImageRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="image", omit_defaults=True):
    """A picture of the evidence.

    Attributes:
        key: its key in the evidence.
        sha256: digest of the pixels that the model was shown.
        jpeg: a small copy, in base64.
        width: width of the picture in pixels, as the model was shown it.
        height: its height.
        large: a larger copy, in base64, of a picture of a verdict's worst cases; None for other pictures, for those
            that are as small, and in older files.
    """

    key: Text
    sha256: TextOrNone = None
    jpeg: Annotated[Any, Meta(description="any value")] = None  # a value that is no picture is shown as missing
    width: CountOrNone = None
    height: CountOrNone = None
    large: Annotated[Any, Meta(description="any value")] = None


class ExplanationRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="explanation"):
    """A map over one picture and one text of the evidence: how much each part contributes to the model's score.

    A view without a map has the reason in its place.

    Attributes:
        test: the test's id, as in the evidence.
        metric: the metric.
        case: the case's id.
        perturbation: name of the perturbation.
        side: the view of the case that is explained, "before" or "after" the perturbation.
        rank: rank of the case among those of its verdict, 1 for the worst.
        method: name of the method.
        word: the word whose log-probability at the mask is explained; "" for the match logit.
        reason: why the view has no map; "" if it has one.
        rows: rows of the grid over the picture, from the top; 0 without a map.
        columns: columns of the grid, from the left; 0 without a map.
        values: contribution of each cell of the grid, row by row; empty without a map.
        tokens: the tokens of the text as the model reads them, each with its contribution; None if the method does not
            explain tokens.
        error: relative difference between the sum of all contributions and the score that they should sum to; None if
            the method has no such sum.
    """

    test: Text
    metric: Text
    case: Text
    perturbation: Text = ""
    side: Annotated[Literal["before", "after"], Meta(description='"before" or "after"')]
    rank: Annotated[int, Meta(ge=1, description="a whole number from 1")]
    method: Text
    word: Text = ""
    reason: Text = ""
    rows: Annotated[int, Meta(ge=0, le=64, description="a whole number from 0 to 64")] = 0
    columns: Annotated[int, Meta(ge=0, le=64, description="a whole number from 0 to 64")] = 0
    values: Annotated[list[Number], Meta(description="a list of rows x columns numbers")] = field(default_factory=list)
    tokens: Words = None
    error: NumberOrNone = None

    def __post_init__(self) -> None:
        """Raise ValueError unless there is a value for each cell, or a reason why there is none."""
        if not (self.values or self.reason):
            raise ValueError("neither values nor a reason")
        if len(self.values) != self.rows * self.columns:
            raise ValueError(f"{len(self.values)} values for {self.rows} rows of {self.columns} columns")


class EvidenceRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="evidence"):
    """The evidence of one case under a behavior and a metric: its questions and the model's answers.

    Attributes:
        test: the test's id.
        metric: the metric.
        case: the case's id.
        perturbation: name of the perturbation that leads from before to after.
        image: key of the picture before.
        perturbed: key of the picture after.
        texts: the texts before and, if there is one, after.
        targets: the true words before and after.
        wanted: the words before and after that the expectation asks for.
        before: raw score of the target before.
        after: raw score of the target after.
        levels: both scores on the model's operating scale.
        shares: the shares that the margin is made of, before and after; empty if it is made of scores, or the case does
            not count, and in older files.
        margin: above 0 if the expectation holds; None if the case does not count.
        values: for a behavior with several claims, the value of each.
        effect: the change of the score.
        reason: why the case does not count.
        violated: the condition that fails most clearly.
        scores: the raw score of each word, before and after.
        top_before: the likeliest words at the mask before.
        top_after: the likeliest words at the mask after.
        boxes: boxes of the target in pixels, as left, top, width, height.
        perturbed_boxes: the boxes in the picture after.
        other_boxes: boxes of the other thing of a relation; none in older files.
        perturbed_other_boxes: these boxes in the picture after.
    """

    test: TextOrNone = None
    metric: TextOrNone = None
    case: Text
    perturbation: TextOrNone = None
    image: TextOrNone
    perturbed: TextOrNone
    texts: Texts
    targets: Texts = field(default_factory=list)
    wanted: Texts = field(default_factory=list)
    before: NumberOrNone = None
    after: NumberOrNone = None
    levels: Numbers = field(default_factory=list)
    shares: Numbers = field(default_factory=list)
    margin: NumberOrNone
    values: Table = None
    effect: NumberOrNone = None
    reason: TextOrNone = None
    violated: TextOrNone = None
    scores: Annotated[list[Cells] | None, Meta(description="a list of objects of numbers, or null")] = None
    top_before: Words = None
    top_after: Words = None
    boxes: Boxes = None
    perturbed_boxes: Boxes = None
    other_boxes: Boxes = None
    perturbed_other_boxes: Boxes = None

    @property
    def violates(self) -> bool:
        """True if the row counts and its margin is 0 or below."""
        return self.margin is not None and self.margin <= 0
