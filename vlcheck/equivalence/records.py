"""The records of parity: the lines of a file of kept answers, and the report.

`python -m vlcheck.equivalence.records > docs/parity.schema.json` writes the report's JSON schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from vlcheck._util.typed import json_schema
from vlcheck.metrics.kinds import Metric
from vlcheck.stats.equivalence import Sameness

_Count = Annotated[int, Meta(ge=0, description="a number of things")]
_Share = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
_Signed = Annotated[float, Meta(ge=-1, le=1, description="a number from -1 to 1")]
_Text = Annotated[str, Meta(description="a text")]
_Texts = Annotated[tuple[str, ...], Meta(description="a list of texts")]
_Named = Annotated[Mapping[str, str], Meta(description="texts by name")]
_Scores = Annotated[tuple[_Share, ...], Meta(description="a list of numbers from 0 to 1")]


class SideRecord(Struct, frozen=True, kw_only=True):
    """A model as it was asked.

    Attributes:
        model: its name.
        spec: the text that it was loaded by; "" for an object.
        fingerprint: content hash of everything that decides its scores.
        device: the device that was asked for; "" for an object.
        dtype: the precision that was asked for; "" for an object.
        batch_size: number of pictures that were encoded together.
        kinds: its kind of score for each metric.
        setup: the treatment of pictures, texts and weights, as far as the model tells it.
        versions: versions of the software that determines its scores.
    """

    model: _Text
    spec: _Text
    fingerprint: _Text
    device: _Text
    dtype: _Text
    batch_size: _Count
    kinds: _Named
    setup: _Named
    versions: _Named


class KeptHead(Struct, frozen=True, kw_only=True):
    """The first line of a file of kept answers.

    Attributes:
        parity: version of the file's form.
        asks: version of the questions that vlcheck makes of a case.
        data: spec of the data.
        images: number of images that were chosen.
        questions: digest of all questions.
        side: the model.
    """

    parity: Annotated[int, Meta(ge=1, description="a version")]
    asks: Annotated[int, Meta(ge=1, description="a version")]
    data: _Text
    images: _Count
    questions: _Text
    side: SideRecord


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """The scores of one view of a case under one metric.

    Attributes:
        view: name of the perturbation; "own" for the picture as it is.
        metric: the metric.
        text: mlm: the text with its mask; else "".
        asked: itm: the texts; mlm: the words. The first is true of the picture.
        scores: one for each; none if there is no answer.
        refused: the reason why the question makes no sense for the model; else "".
        failed: the error that left it without an answer, e.g. of an endpoint; else "".
    """

    view: _Text
    metric: Metric
    text: _Text
    asked: _Texts
    scores: _Scores = ()
    refused: _Text = ""
    failed: _Text = ""

    def __post_init__(self) -> None:
        """Raise ValueError unless it has either a score for each text or word, or a reason."""
        if not self.asked or len(self.scores) != (0 if self.refused or self.failed else len(self.asked)):
            raise ValueError(f"has {len(self.scores)} scores for {len(self.asked)} texts or words")

    @property
    def key(self) -> tuple[str, str, str, tuple[str, ...]]:
        """The identity of the question."""
        return self.view, self.metric, self.text, self.asked


class KeptCase(Struct, frozen=True, kw_only=True):
    """The answers about one case.

    Attributes:
        case: id of the case.
        probe: whether it is a probe, which looks for the cause of a difference and is no evidence of sameness.
        answers: the answers.
    """

    case: _Text
    probe: Annotated[bool, Meta(description="true or false")] = False
    answers: Annotated[tuple[KeptAnswer, ...], Meta(description="a list of answers")] = ()


class CriterionRecord(Struct, frozen=True, kw_only=True):
    """A mean over images, held to a margin.

    Attributes:
        name: "changed", "shift" or "difference".
        mean: the mean over the images.
        low: its lower bound at alpha.
        high: its upper bound at alpha.
        margin: the margin.
        p_same: p-value of the hypothesis that the mean is at the margin or beyond it.
        p_different: p-value of the hypothesis that the mean is within the margin.
    """

    name: _Text
    mean: _Signed
    low: _Signed
    high: _Signed
    margin: _Share
    p_same: _Share
    p_different: _Share


class ViewRecord(Struct, frozen=True, kw_only=True):
    """The differences on one perturbation, which decide nothing on their own.

    Attributes:
        view: its name.
        n: number of images.
        changed: share of images whose answer changed.
        low: lower bound of that share at alpha.
        high: upper bound of that share at alpha.
        shift: mean change of the score of the true answer.
        difference: mean of the largest difference between scores.
        largest: the largest difference of all.
    """

    view: _Text
    n: _Count
    changed: _Share
    low: _Share
    high: _Share
    shift: _Signed
    difference: _Share
    largest: _Share


class MetricParity(Struct, frozen=True, kw_only=True):
    """The comparison of two models under one metric.

    Attributes:
        metric: the metric.
        kind: the kind of score.
        status: the answer on this metric alone.
        n: number of images.
        compared: number of pairs of answers.
        refused: number of questions that neither model answers, by the first model's reason.
        failed: number of questions that a model failed to answer, by the error; they are not compared.
        criteria: the criteria.
        largest: the largest difference between two scores.
        views: the differences by perturbation.
    """

    metric: Metric
    kind: _Text
    status: Sameness
    n: _Count
    compared: _Count
    refused: Mapping[str, int]
    failed: Mapping[str, int]
    criteria: tuple[CriterionRecord, ...]
    largest: _Share
    views: tuple[ViewRecord, ...]


class PairRecord(Struct, frozen=True, kw_only=True):
    """Two answers to one question.

    Attributes:
        case: id of the case.
        view: name of the perturbation.
        metric: the metric.
        text: mlm: the text with its mask; else "".
        asked: the texts or words; the first is true.
        a: scores of the first model; none if it refused.
        b: scores of the second model; none if it refused.
        changed: whether the answer changed.
        shift: change of the score of the true answer.
        difference: the largest difference between scores; 1 if one model alone refused.
        refused: the reason of the model that refused; else "".
    """

    case: _Text
    view: _Text
    metric: Metric
    text: _Text
    asked: _Texts
    a: _Scores
    b: _Scores
    changed: bool
    shift: _Signed
    difference: _Share
    refused: _Text = ""


class ParityReport(Struct, frozen=True, kw_only=True):
    """The comparison of two models that should be the same.

    Attributes:
        parity_report: version of the report's form.
        vlcheck: version of vlcheck.
        status: the answer.
        reason: why.
        data: spec of the data.
        images: number of images that both models were asked about.
        fewest: number of images at which models that do not differ at all are called the same; None if none is.
        margins: the margins.
        a: the first model.
        b: the second model.
        differs: differences between both as they were asked.
        not_compared: the reason for each metric that is not compared.
        metrics: the comparison by metric.
        worst: pairs of answers that differ most.
        causes: likely causes, as far as the probes show them.
    """

    parity_report: Literal[1] = 1
    vlcheck: _Text
    status: Sameness
    reason: _Text
    data: _Text
    images: _Count
    fewest: int | None
    margins: Mapping[str, float]
    a: SideRecord
    b: SideRecord
    differs: _Texts
    not_compared: _Named
    metrics: tuple[MetricParity, ...]
    worst: tuple[PairRecord, ...]
    causes: _Texts

    @property
    def same(self) -> bool:
        """True if sameness is shown."""
        return self.status == "same"

    def to_json(self) -> bytes:
        """Return the report as JSON."""
        return msgspec.json.encode(self) + b"\n"


REPORT_START = b'{"parity_report":1,'


if __name__ == "__main__":
    print(json.dumps(json_schema(ParityReport), indent=1))
