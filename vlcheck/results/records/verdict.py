"""The line of a verdict, and the records in it. The public name of `VerdictRecord` is `vlcheck.Verdict`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from vlcheck.results.records.fields import (
    Cells,
    CountOrNone,
    FlagOrNone,
    Number,
    NumberOrNone,
    Record,
    Table,
    Text,
    TextOrNone,
)
from vlcheck.stats.decision import BY_GRAVITY, DECIDED, Claim, Status


class ScaleRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The scale of a verdict's margins.

    Attributes:
        demanded: the scale that the policy asks for.
        used: the scale that was used.
        reason: why it is not the one that the policy asks for; "" if it is.
        gain: gain of the operating scale; None if none was fitted.
        offset: its offset.
        power: its exponent for closed sets.
        auc: area under the ROC curve of own against other pictures, in [0, 1].
        auc_low: its lower bound.
        pairs: number of pairs that it was fitted to.
    """

    demanded: Literal["calibrated", "raw"]
    used: Literal["calibrated", "raw"]
    reason: str
    gain: Number | None = None
    offset: Number | None = None
    power: Number | None = None
    auc: Number | None = None
    auc_low: Number | None = None
    pairs: CountOrNone = None

    def __post_init__(self) -> None:
        """Raise ValueError if a calibrated scale lacks a figure, or its gain or power is not positive."""
        gain, power = self.gain, self.power
        if self.used == "calibrated" and (
            None in (gain, self.offset, power, self.auc, self.auc_low, self.pairs)
            or not ((gain or 0) > 0 and (power or 0) > 0)
        ):
            raise ValueError("a calibrated scale without its figures")


class ExcuseRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The policy's excuse for a verdict that is a known bias.

    Attributes:
        reason: why it is excused.
        until: the last day on which it is excused, as YYYY-MM-DD.
        expired: whether the run was after that day.
        invalid: whether invalid verdicts are excused as well.
    """

    reason: TextOrNone = None
    until: TextOrNone = None
    expired: FlagOrNone = None
    invalid: FlagOrNone = None


class ToldRecord(Record, frozen=True, kw_only=True):
    """The success of a choice by the words alone between captions and foils, on all cases that the data has.

    Attributes:
        choice: the name of the choice, the best one.
        right: its share of right answers, in [0, 1].
        low: one-sided lower bound of that share, corrected for the number of choices.
        chance: the share of right answers of a coin.
        n: number of images.
        marked: whether words alone tell many of the foils.
    """

    choice: Text
    right: Number
    low: Number
    chance: Number
    n: Annotated[int, Meta(ge=1, description="a whole number from 1")]
    marked: bool


class WordingRecord(Record, frozen=True, kw_only=True):
    """The verdict on a test in another wording of the question.

    Attributes:
        wording: the wording, with "{text}" in the place of the text.
        status: the verdict.
        reason: the explanation, in words.
        n: number of images that count.
        rate: share of images that violate; None for a mean.
        effect: mean change of the score, or the mean or lead of the claim.
    """

    wording: Text
    status: Annotated[Status, Meta(description=f"one of {', '.join(BY_GRAVITY)}")]
    reason: Text
    n: CountOrNone = None
    rate: NumberOrNone = None
    effect: NumberOrNone = None


class VerdictRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="verdict"):
    """The verdict of one behavior under one metric.

    Attributes:
        test: the test's id in pytest.
        doc: docstring of the test.
        bias: the bias that the test belongs to.
        bias_doc: docstring of the test's file.
        behavior: the behavior's name.
        metric: the metric.
        score_kind: the model's kind of score for it.
        perturbation: name of the perturbation.
        expected: the expectation in words.
        share_of: the word whose share against a rival is among the `shares` of its evidence: "the true word", "the word
            true before the edit", or a word such as "left"; "" if its margins are made of scores, None in older files.
        tolerances: the tolerances of the margins, by name.
        scale: the scale of the margins; None in older files.
        status: fail, invalid, inconclusive, pass or not asked.
        claim: "rate" for a claim about the rate of violations, "mean" for one about a mean, "lead" for one about being
            right more often than without the picture.
        reason: the explanation, in words.
        cause: the kind of reason for an invalid verdict.
        n: number of images that count.
        not_applicable: number of cases that do not count.
        refused: number of those among them that the model refused.
        mass: mean probability that the scores are shares of.
        cut: share of the thoughts before the answers that were cut at their limit, in [0, 1]; None for a model that
            does not think, and in older files.
        violations: number of rows that violate.
        rate: share of images that violate, in [0, 1].
        rate_low: one-sided lower bound of the rate.
        rate_high: one-sided upper bound of the rate.
        allowed: the highest rate that passes; of a lead, that of the best choice without the picture, which decides
            nothing.
        band: the lowest and highest mean that pass.
        alpha: error rate of each bound.
        p: p-value of the hypothesis that the model is within the limit.
        needed_n: number of images at which the verdict would be decided.
        detectable: the least true rate or mean that would be found.
        effect: mean change of the score, or the mean or lead of the claim, in [-1, 1].
        effect_low: lower bound of the effect.
        effect_high: upper bound of the effect.
        asked: number of images that were asked about.
        offered: number of images that the data had.
        known: the policy's excuse if it is a known bias.
        gates: whether it keeps a run from ending with 0; None in older files.
        told: the best choice by the words alone between captions and foils; None for other tests, and in older files.
        wordings: the verdicts in the other wordings of the question; empty if it was asked in one alone.
        tables: figures beside the verdict, by table.
    """

    test: Text
    doc: TextOrNone = None
    bias: Text
    bias_doc: TextOrNone = None
    behavior: Text
    metric: Text
    score_kind: Text
    perturbation: TextOrNone = None
    expected: TextOrNone = None
    share_of: TextOrNone = None
    tolerances: Table = None
    scale: Annotated[
        ScaleRecord | None,
        Meta(
            description="an object with demanded, used, reason, gain, offset, power, auc, auc_low, pairs, or null",
        ),
    ] = None
    status: Annotated[Status, Meta(description=f"one of {', '.join(BY_GRAVITY)}")]
    claim: Annotated[Claim, Meta(description='"rate", "mean" or "lead"')]
    reason: Text
    cause: TextOrNone = None
    n: CountOrNone = None
    not_applicable: CountOrNone = None
    refused: CountOrNone = None
    mass: NumberOrNone = None
    cut: NumberOrNone = None
    violations: CountOrNone = None
    rate: NumberOrNone = None
    rate_low: NumberOrNone = None
    rate_high: NumberOrNone = None
    allowed: NumberOrNone = None
    band: Annotated[tuple[Number, Number] | None, Meta(description="two numbers or null")] = None
    alpha: NumberOrNone = None
    p: NumberOrNone = None
    needed_n: CountOrNone = None
    detectable: NumberOrNone = None
    effect: NumberOrNone = None
    effect_low: NumberOrNone = None
    effect_high: NumberOrNone = None
    asked: CountOrNone = None
    offered: CountOrNone = None
    known: Annotated[
        ExcuseRecord | None, Meta(description="an object with reason and until, texts, and expired, a flag, or null")
    ] = None
    gates: FlagOrNone = None
    told: Annotated[
        ToldRecord | None, Meta(description="an object with choice, right, low, chance, n, marked, or null")
    ] = None
    wordings: Annotated[
        list[WordingRecord],
        Meta(description="a list of objects with wording, status and reason, or null"),
    ] = field(default_factory=list)
    tables: Annotated[dict[str, Cells | None], Meta(description="an object of tables, or null")] = field(
        default_factory=dict
    )

    @property
    def decided(self) -> bool:
        """True if it passes or fails."""
        return self.status in DECIDED

    @property
    def passed(self) -> bool:
        """True if the behavior holds; inconclusive, invalid and "not asked" verdicts do not pass."""
        return self.status == "pass"

    @property
    def observed(self) -> float | None:
        """The rate of violations, or the mean if the claim is about one; None if there is none."""
        return self.effect if self.claim == "mean" else self.rate

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """The one-sided bounds of `observed`, the lower one first."""
        return (self.effect_low, self.effect_high) if self.claim == "mean" else (self.rate_low, self.rate_high)
