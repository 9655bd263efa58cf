"""Typed records: the lines of a results file, one class a kind of line.

A record's fields are the keys of its line. A key that a line may lack has a default. Keys that are not listed here are
ignored. `description` says in error messages, and in the JSON schema, which values a key takes.

The public name of `VerdictRecord` is `vlcheck.Verdict`.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from vlcheck.results.words import WordKnowledgeRecord
from vlcheck.stats.decision import BY_GRAVITY, DECIDED, Claim, Status

SCHEMA = 1
UNMEASURED = "Trust: not measured."  # of a method, beside its name
_LARGEST = sys.float_info.max  # the limit excludes NaN and infinity, which JSON does not have

Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Number = Whole | Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
Cells = dict[str, Number | None]
Box = tuple[Number, Number, Number, Number]
Scored = tuple[str, Number | None]  # a word and its score

Text = Annotated[str, Meta(description="text")]
TextOrNone = Annotated[str | None, Meta(description="text or null")]
Texts = Annotated[list[str], Meta(description="a list of texts")]
NumberOrNone = Annotated[Number | None, Meta(description="a number or null")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1, description="a whole number from 0")]
CountOrNone = Annotated[Whole | None, Meta(description="a whole number or null")]
Numbers = Annotated[list[Number | None], Meta(description="a list of numbers, or null")]
FlagOrNone = Annotated[bool | None, Meta(description="true, false or null")]
Object = Annotated[dict[str, Any], Meta(description="an object or null")]
Boxes = Annotated[list[Box] | None, Meta(description="a list of boxes of four numbers, or null")]
Words = Annotated[list[Scored] | None, Meta(description="a list of words with their scores, or null")]
Table = Annotated[Cells | None, Meta(description="an object of numbers, or null")]


class Record(Struct, frozen=True):
    """A line of a results file, or an object in one."""


class LaterRecord(Record, frozen=True):
    """A line of a kind that only a later version knows. It is counted, and read over."""


class KnownBias(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the policy's known biases, in the line of the run.

    Attributes:
        path: the policy's file.
        number: number of the entry in it.
        behavior: the behavior that is known to fail; "" if the entry names a bias.
        bias: the bias that is known; "" if the entry names a behavior.
        metric: the metric that it is about; "" for all.
        reason: why it is excused.
        until: the last day on which it is excused, as YYYY-MM-DD.
        invalid: whether invalid verdicts are excused as well.
        stale: the message if its tests pass.
        needless: the message if it excuses invalid verdicts and there are none.
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
    """The policy of a run.

    Attributes:
        path: its file.
        tables: its tables.
        known: its known biases.
    """

    path: TextOrNone = None
    tables: dict[str, Any] | None = None
    known: list[KnownBias] = field(default_factory=list)


class ContractRecord(Record, frozen=True, kw_only=True):
    """The check of the model's contract.

    Attributes:
        tried: whether the contract was checked.
        broken: the clauses that are broken.
    """

    tried: bool
    broken: list[str]


class WrapperRecord(Record, frozen=True, kw_only=True):
    """A change that the model of a run makes to the answers of another one.

    Attributes:
        wrapper: its name, e.g. "symmetrised".
        says: a sentence without a full stop about its effect.
        model: name of the other model.
        fingerprint: digest of the other model's weights and code.
    """

    wrapper: Text
    says: Text
    model: Text
    fingerprint: Text


class StatedRecord(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bias and the metric of a selected test.

    Attributes:
        bias: the bias.
        metric: the metric.
    """

    bias: str
    metric: str


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


class MethodRecord(Record, frozen=True, kw_only=True):
    """A method that explains cases of a run.

    Attributes:
        name: its identifier, e.g. "gradcam".
        title: its name in words.
        meaning: the meaning of its values, in a sentence.
        trust: its measures where the truth is known, in a sentence, or UNMEASURED; "" in older files.
        count: number of cases that were to be explained, the worst of the run.
    """

    name: Text
    title: Text
    meaning: Text = ""
    trust: Text = ""
    count: Whole


class RunRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="run"):
    """The first line: the model, the data and the settings of a run.

    Attributes:
        schema: version of the file's format.
        model: the model's spec.
        name: the model's name.
        fingerprint: digest of its weights and code.
        baseline: file of the results that it was compared with.
        score_kinds: kind of score by metric.
        data: spec of the cases.
        images: number of images that were requested.
        seed: seed of the choice of cases.
        sequential: whether images were asked about in growing batches.
        device: the device that the model ran on.
        dtype: the model's precision.
        trust_remote_code: whether Python code of the checkpoint was allowed to run.
        versions: versions of packages, by name.
        started: time of the start, as ISO 8601.
        policy: the policy of the run.
        left_out: number of cases that the data left out, by reason.
        contract: the check of the model's contract.
        run_id: id of the run; None in older files.
        complete: whether the whole suite was selected.
        required: biases for which the policy requires a pass or a fail.
        unjudged: selected tests without a verdict.
        stated: bias and metric of each selected test.
        explained: the methods that explain its worst cases.
        unasked: tests of the suite that need an explanation for which the run did not ask.
        sees: whether the model sees the pictures; None in older files.
        wrappers: the wrappers between the model's answers and its network, the outermost first; mostly none.
        setup: the treatment of pictures, texts and weights, by name, e.g. "pictures"; empty in older files.
        wordings: the wordings of the question that the model was asked, the usual one first; empty if it was asked in
            one alone.
        options: further options on which verdicts depend, by their names without `--vl-`, as they were given: columns,
            lexicons, explain, and compile with an empty value; empty in older files.
        lexicons: digest of the words of the lexicons that the data was read with; None in older files.
        objects: the parameters of `vlcheck.evaluate` that were Python objects, which no command can name: model, data,
            policy; empty in older files.
        exit_status: exit status of the run's process; None while it runs.
        verdicts: number of verdicts in the whole file.
        lines: number of lines in the whole file.
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
    explained: Annotated[
        list[MethodRecord], Meta(description="a list of objects with name, title and count, or null")
    ] = field(default_factory=list)
    unasked: Texts = field(default_factory=list)
    sees: FlagOrNone = None
    wrappers: Annotated[
        list[WrapperRecord], Meta(description="a list of objects with wrapper, says, model and fingerprint, or null")
    ] = field(default_factory=list)
    setup: Annotated[dict[str, str], Meta(description="an object of texts, or null")] = field(default_factory=dict)
    wordings: Texts = field(default_factory=list)
    options: Annotated[dict[str, str], Meta(description="an object of texts, or null")] = field(default_factory=dict)
    lexicons: TextOrNone = None
    objects: Texts = field(default_factory=list)
    exit_status: CountOrNone = None
    verdicts: CountOrNone = None
    lines: CountOrNone = None

    def lacks(self, metric: str) -> bool:
        """Return True if the model has no score for a metric, as far as the file says."""
        return bool(self.score_kinds) and metric not in self.score_kinds


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


class IdentityRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="identity"):
    """The check that a model which others run is the same at the end, or that all workers have loaded one model.

    Attributes:
        process: name of the process.
        name: the model's name.
        noise: largest difference of a probability among repeats of a question, in [0, 1].
        changed: the difference from the model of the start, in words; "" if there is none.
    """

    process: Text
    name: Text
    noise: NumberOrNone = None
    changed: Text = ""


class DifferenceRecord(Record, frozen=True, kw_only=True):
    """The differences between the scores of two number types under one metric.

    Attributes:
        metric: the metric.
        n: number of queries that were asked in both.
        log_odds: the largest difference in log-odds.
        score: the largest difference of a score, in [0, 1].
    """

    metric: Text
    n: Count
    log_odds: Number
    score: Number


class PrecisionRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="precision"):
    """The number types of a verified run, at its end: what was asked in which, and how far they differ.

    Attributes:
        process: name of the process.
        exact: the type whose verdicts these are.
        fast: the type of the other scores; "" if there is one type alone.
        alone: why there is one type alone; "" if there are two.
        queries: number of queries.
        exact_alone: number of queries that were asked in the exact type alone.
        both: number of queries that were asked in both types.
        safety: factor by which the bound of a fast score's error is above the largest difference.
        differences: the differences, by metric.
    """

    process: Text
    exact: Text
    fast: Text = ""
    alone: Text = ""
    queries: Count = 0
    exact_alone: Count = 0
    both: Count = 0
    safety: Annotated[Number, Meta(description="a number")] = 1.0
    differences: Annotated[
        list[DifferenceRecord], Meta(description="a list of objects with metric, n, log_odds and score")
    ] = field(default_factory=list)


class WordsLine(Record, frozen=True, kw_only=True, tag_field="kind", tag="words"):
    """The accuracy of a control that sees no picture about visible properties of things, from words alone.

    Attributes:
        found: its accuracy, by property and probe, without the single answers.
    """

    found: Annotated[list[WordKnowledgeRecord], Meta(description="a list of objects, one a property and probe")]


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


class FaultRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="fault"):
    """The reason why a test has no verdict, in the results of a control: a fault of a control fails no test.

    Attributes:
        test: the test's id in pytest.
        behavior: the behavior's name.
        metric: the metric.
        reason: the message of the fault.
    """

    test: Text
    behavior: Text
    metric: Text
    reason: Text


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
