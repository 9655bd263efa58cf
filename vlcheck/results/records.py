"""Typed records: the lines of a results file, one class a kind of line.

A record's fields are the keys of its line. A key that a line may lack has a default. Keys that are not listed here are
ignored. `description` says in error messages, and in the JSON schema, which values a key takes.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from vlcheck.stats.decision import BY_GRAVITY, DECIDED, Claim, Status

SCHEMA = 1
_LARGEST = sys.float_info.max  # so that NaN and infinity, which JSON has not, are no numbers

Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Number = Whole | Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
Cells = dict[str, Number | None]
Box = tuple[Number, Number, Number, Number]
Scored = tuple[str, Number | None]  # a word and its score

Text = Annotated[str, Meta(description="text")]
TextOrNone = Annotated[str | None, Meta(description="text or null")]
Texts = Annotated[list[str], Meta(description="a list of texts")]
NumberOrNone = Annotated[Number | None, Meta(description="a number or null")]
CountOrNone = Annotated[Whole | None, Meta(description="a whole number or null")]
Numbers = Annotated[list[Number | None], Meta(description="a list of numbers, or null")]
FlagOrNone = Annotated[bool | None, Meta(description="true, false or null")]
Object = Annotated[dict[str, Any], Meta(description="an object or null")]
Boxes = Annotated[list[Box] | None, Meta(description="a list of boxes of four numbers, or null")]
Words = Annotated[list[Scored] | None, Meta(description="a list of words with their scores, or null")]
Table = Annotated[Cells | None, Meta(description="an object of numbers, or null")]


class Record(Struct, frozen=True):
    """A line of a results file, or an object in one."""


class KnownBias(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the policy's known biases, as the run's line has it.

    Attributes:
        bias: the bias that is known; "" where the entry names a behavior.
        behavior: the behavior that is known to fail; "" where the entry names a bias.
        metric: the metric that it is about; "" for all.
        stale: the message for an entry whose tests pass.
        needless: the message for an entry that excuses invalid verdicts where there is none.
    """

    path: TextOrNone = None
    number: CountOrNone = None
    behavior: str
    bias: str
    metric: str
    reason: TextOrNone = None
    until: TextOrNone = None
    invalid: FlagOrNone = None
    stale: str
    needless: TextOrNone = None


class PolicyInForce(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The policy of a run: its file, its tables and its known biases."""

    path: TextOrNone = None
    tables: dict[str, Any] | None = None
    known: list[KnownBias] = field(default_factory=list)


class ContractRecord(Record, frozen=True, kw_only=True):
    """Whether the model's contract was tried, and which of its clauses are broken."""

    tried: bool
    broken: list[str]


class StatedRecord(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bias and the metric of a selected test."""

    bias: str
    metric: str


class ScaleRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The scale of a verdict's margins.

    Attributes:
        demanded: the scale that the policy asks for.
        used: the scale that was used.
        reason: why another one was used than the policy asks for; else "".
        gain, offset, power: of the operating scale; None where none was fitted.
        auc: area under the curve between own and other pictures, in [0, 1].
        auc_low: lower bound of it.
        pairs: how many pairs it was fitted on.
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
        """Raise ValueError where a calibrated scale lacks a figure, or where gain or power is not positive."""
        gain, power = self.gain, self.power
        if self.used == "calibrated" and (
            None in (gain, self.offset, power, self.auc, self.auc_low, self.pairs)
            or not ((gain or 0) > 0 and (power or 0) > 0)
        ):
            raise ValueError("a calibrated scale without its figures")


class ExcuseRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The policy's word on a verdict that is a known bias.

    Attributes:
        reason: why it is let be.
        until: the last day of that, as YYYY-MM-DD.
        expired: whether the run was after that day.
        invalid: whether invalid verdicts are excused as well.
    """

    reason: TextOrNone = None
    until: TextOrNone = None
    expired: FlagOrNone = None
    invalid: FlagOrNone = None


class RunRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="run"):
    """The first line: what was run, and how.

    Attributes:
        schema: version of the file's format.
        run_id: what the run is told by; None in older files.
        complete: whether the whole suite was selected.
        name: the model's name.
        fingerprint: digest of its weights and code.
        data: spec of the cases' source.
        started: ISO 8601 time.
        score_kinds: kind of score by metric.
        versions: of packages, by name.
        left_out: how many cases were left out, by reason.
        unjudged: selected tests that have no verdict.
        required: biases of which the policy requires a pass or a fail.
        stated: bias and metric of each selected test.
        verdicts, lines: how many of them the whole file has.
    """

    schema: Annotated[int, Meta(description="a whole number")]
    model: TextOrNone = None
    name: Text
    fingerprint: Text
    baseline: TextOrNone = None
    score_kinds: Object = field(default_factory=dict)
    data: Text
    images: CountOrNone = None
    seed: CountOrNone = None
    sequential: FlagOrNone = None
    device: TextOrNone = None
    dtype: TextOrNone = None
    trust_remote_code: FlagOrNone = None
    versions: Object = field(default_factory=dict)
    started: Text
    policy: Annotated[
        PolicyInForce,
        Meta(description="an object whose known biases have texts under bias, behavior, metric, stale, or null"),
    ] = field(default_factory=PolicyInForce)
    left_out: Object = field(default_factory=dict)
    contract: Annotated[
        ContractRecord | None, Meta(description="an object with tried, a flag, and broken, a list of texts, or null")
    ] = None
    run_id: TextOrNone = None
    complete: FlagOrNone = None
    required: Texts = field(default_factory=list)
    unjudged: Texts = field(default_factory=list)
    stated: Annotated[
        dict[str, StatedRecord], Meta(description="an object of objects that have a bias and a metric, or null")
    ] = field(default_factory=dict)
    exit_status: CountOrNone = None
    verdicts: CountOrNone = None
    lines: CountOrNone = None


class ImageRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="image"):
    """A picture that evidence shows.

    Attributes:
        key: its key in evidence.
        sha256: of the file.
        jpeg: a small copy of it, in base64.
        width, height: in pixels of the picture as it was shown.
    """

    key: Text
    sha256: TextOrNone = None
    jpeg: Annotated[Any, Meta(description="any value")] = None  # what is no picture is shown as missing
    width: CountOrNone = None
    height: CountOrNone = None


class EvidenceRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="evidence"):
    """One case under a behavior and a metric: what the model was shown, and what it answered.

    Attributes:
        test, metric: of the verdict that it belongs to.
        case: the case's id.
        perturbation: what leads from before to after.
        image, perturbed: keys of the pictures before and after.
        texts, targets, wanted: before and, where there is one, after.
        before, after: raw scores of the target.
        levels: the same on the model's operating scale.
        margin: above 0 where the expectation holds; None where the case does not count.
        values: of a claim about several things, the value of each.
        effect: how far the score moves.
        reason: why the case does not count.
        violated: the condition that fails most clearly.
        scores: the raw score of each word, before and after.
        top_before, top_after: the likeliest words at the mask.
        boxes, perturbed_boxes: of the target, in pixels, as left, top, width, height.
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

    @property
    def violates(self) -> bool:
        """Whether it counts, and violates what is expected."""
        return self.margin is not None and self.margin <= 0


class VerdictRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="verdict"):
    """What was decided of a behavior under a metric.

    Attributes:
        test: the test's pytest id.
        doc, bias_doc: docstrings of the test and of its file.
        bias: the bias that the test belongs to.
        behavior: the behavior's name.
        metric, score_kind: which score, and of which kind it is.
        perturbation, expected: what is done to a case, and what has to hold.
        tolerances: what margins were taken with, by name.
        scale: the scale of margins; None in older files.
        status: fail, invalid, inconclusive, pass or not asked.
        claim: "rate" for a share of violations, "mean" for a mean score.
        reason: the verdict in words.
        cause: why it is invalid.
        n: images that count.
        not_applicable: cases that do not count.
        refused: cases that the model refused.
        mass: probability of the closed set, at the median.
        violations: how many cases violate.
        rate, rate_low, rate_high: share of images that violates, and its one-sided bounds, in [0, 1].
        allowed: the highest rate that passes.
        band: lowest and highest mean that pass.
        alpha: error rate of each bound.
        p: p-value against the limit.
        needed_n: how many images would decide.
        detectable: the rate or mean that would be found.
        effect, effect_low, effect_high: how far the score moves on average, and its bounds, in [-1, 1].
        asked, offered: how many images were asked about, and how many there were.
        known: the policy's word on it, where it is a known bias.
        gates: whether it keeps a run from ending with 0; None in older files.
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
    tolerances: Table = None
    scale: Annotated[
        ScaleRecord | None,
        Meta(
            description="an object with demanded, used, reason, gain, offset, power, auc, auc_low, pairs, or null",
        ),
    ] = None
    status: Annotated[Status, Meta(description=f"one of {', '.join(BY_GRAVITY)}")]
    claim: Annotated[Claim, Meta(description='"rate" or "mean"')]
    reason: Text
    cause: TextOrNone = None
    n: CountOrNone = None
    not_applicable: CountOrNone = None
    refused: CountOrNone = None
    mass: NumberOrNone = None
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
    tables: Annotated[dict[str, Cells | None], Meta(description="an object of tables, or null")] = field(
        default_factory=dict
    )

    @property
    def decided(self) -> bool:
        """Whether it passes or fails."""
        return self.status in DECIDED

    @property
    def passed(self) -> bool:
        """Whether the behavior holds; what is inconclusive, invalid or not asked does not pass."""
        return self.status == "pass"

    @property
    def observed(self) -> float | None:
        """The rate of violations, or the mean, whichever the claim is about; None where there is none."""
        return self.effect if self.claim == "mean" else self.rate

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """The one-sided bounds of `observed`, the lower one first."""
        return (self.effect_low, self.effect_high) if self.claim == "mean" else (self.rate_low, self.rate_high)
