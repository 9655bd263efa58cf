"""Evidence: the rows and tables behind a verdict, and their lines in the results file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from vlcheck._util.numbers import between, figure, rounded, signed
from vlcheck.behaviors.behavior import Behavior
from vlcheck.cases import Case
from vlcheck.cases.box import Box
from vlcheck.cases.picture import Picture
from vlcheck.evaluation.records import excuse_record
from vlcheck.expect.base import AFTER, BEFORE, WHOLE, Expectation
from vlcheck.metrics.answer import Top
from vlcheck.metrics.kinds import Metric
from vlcheck.policy.policy import Known
from vlcheck.results.records import EvidenceRecord, ScaleRecord, ToldRecord, VerdictRecord, WordingRecord
from vlcheck.stats.verdict import Verdict

LOOKED_AT = 3  # cases of a verdict that fails, the worst ones, whose pictures are kept large


@dataclass(frozen=True)
class Shown:
    """One view of a case with the model's answer.

    Attributes:
        picture: the picture.
        text: the text; for itm with the target filled in.
        target: the true word.
        value: the raw score of the case; for mlm its share of the closed set, if there is one.
        level: the score on the model's operating scale, from which margins are computed.
        scores: the raw score of each word.
        top: for mlm, the likeliest words at the mask, if the model names them.
        boxes: boxes of the target in pixels of the picture, as (left, top, width, height).
        other_boxes: boxes of the other thing of a relation.
        bar: the score as a bar for the terminal; "" for none.
    """

    picture: Picture
    text: str
    target: str
    value: float
    level: float
    scores: Mapping[str, float]
    top: Top = ()
    boxes: tuple[Box, ...] = ()
    other_boxes: tuple[Box, ...] = ()
    bar: str = ""

    @property
    def said(self) -> str:
        """The score, and the raw scores of the target and of the four likeliest other words."""
        others = sorted(self.scores.keys() - {self.target}, key=lambda word: (-self.scores[word], word))
        raw = ", ".join(f"{word} {figure(self.scores[word], 4)}" for word in (self.target, *others[:4]))
        return f"{figure(self.value, 4)} ({raw})"


@dataclass(frozen=True)
class Row:
    """The evidence of one case.

    Attributes:
        case: the case.
        margins: the margin of each claim, by name (see `vlcheck.expect.base.Expectation.margins`); empty if the case
            does not
            count.
        reason: why the case does not count; "" if it does.
        violated: the condition that fails most clearly, with its numbers; "" if none fails.
        before: the view before the perturbation.
        after: the view after it.
        perturbation: the name of the perturbation.
        effect: the change of the score; None if the case does not count.
        shares: the shares that the margin is made of, before and after; empty if it is made of scores.
    """

    case: Case
    margins: Mapping[str, float]
    reason: str = ""
    violated: str = ""
    before: Shown | None = None
    after: Shown | None = None
    perturbation: str = ""
    effect: float | None = None
    shares: tuple[float, ...] = ()

    @property
    def margin(self) -> float | None:
        """The margin; of several the one that is farthest from 0; None if there is none."""
        return max(self.margins.values(), key=abs, default=None)

    def lines(self) -> Iterator[str]:
        """Yield the row as lines for a terminal."""
        under = f"{self.perturbation}, " if self.perturbation else ""
        found = f"margin {signed(self.margin, 4)}" if self.margin is not None else self.reason
        yield f"case {self.case.id}, {under}{found}"
        if self.violated:
            yield f"  violated: {self.violated}"
        text = None
        for name, shown in (("before", self.before), ("after", self.after)):
            if shown:
                yield f"  {name:6} {shown.said}  {'same text' if shown.text == text else repr(shown.text)}"
                if shown.bar:
                    yield f"  {'':6} {shown.bar}"
                text = shown.text


@dataclass(frozen=True)
class Judgement:
    """A verdict with the evidence that it rests on.

    Attributes:
        behavior: the behavior.
        metric: the metric.
        score_kind: the model's kind of score for it.
        tolerances: the tolerances of the margins, by name.
        scale: the scale of the margins: see `vlcheck.results.records.ScaleRecord`.
        verdict: the verdict.
        rows: the evidence of each case.
        tables: figures beside the verdict, by table.
        asked: number of images that were asked about.
        offered: number of images that the data has for it.
        known: the policy's entry if it is a known bias.
        gates: whether the policy lets the test fail on this status; a pass and a known bias never fail it.
        told: the best choice by the words alone between captions and foils; None for a test of anything else.
        wordings: the verdicts in the other wordings of the question; empty if it was asked in one alone.
    """

    behavior: Behavior
    metric: Metric
    score_kind: str
    tolerances: Mapping[str, float]
    scale: ScaleRecord
    verdict: Verdict
    rows: Sequence[Row]
    tables: Mapping[str, Mapping[str, float | int]]
    asked: int
    offered: int
    known: Known | None = None
    gates: bool = True
    told: ToldRecord | None = None
    wordings: tuple[WordingRecord, ...] = ()

    def worst(self, count: int = 3) -> list[Row]:
        """Return the `count` rows that speak most clearly against the model, one for each case, the worst first."""
        return [self.rows[at] for at in self._worst[:count]]

    @cached_property
    def _worst(self) -> tuple[int, ...]:
        """The place of the worst row of each case that counts, the worst first."""
        counted = [(row.margin, at, row.case.id) for at, row in enumerate(self.rows) if row.margin is not None]
        if self.verdict.claim == "mean":
            counted.sort(key=lambda one: -abs(one[0]))
        else:
            counted.sort(key=lambda one: one[0])
        worst: dict[str, int] = {}
        for _, at, case in counted:
            worst.setdefault(case, at)
        return tuple(worst.values())

    @property
    def brief(self) -> Judgement:
        """The judgement with its worst rows alone, for reports: all rows of all tests would fill the memory."""
        return replace(self, rows=tuple(self.worst()))

    @property
    def of(self) -> tuple[str, str]:
        """The names of the behavior and the metric."""
        return self.behavior.name, self.metric

    @property
    def attribution(self) -> str:
        """The part of the effect that noise of the same size does not explain, in words; "" if it was not measured."""
        cells = self.tables.get("against_noise")
        if not cells:
            return ""
        low, high = cells["difference_low"], cells["difference_high"]
        beyond = f"{figure(cells['difference'])} ({between(low, high)})"
        return f"costs {figure(cells['cost'])} on average; {beyond} of it is more than what noise as large costs"

    def records(self, test: str) -> Iterator[EvidenceRecord | VerdictRecord]:
        """Yield the lines of the results file: the evidence, then the verdict.

        Args:
            test: the test's pytest id.
        """
        behavior = self.behavior
        for row in self.rows:
            yield _evidence(row, test, self.metric, behavior.expect)
        yield VerdictRecord(
            test=test,
            doc=behavior.doc,
            bias=behavior.bias,
            bias_doc=behavior.bias_doc,
            behavior=behavior.name,
            metric=self.metric,
            score_kind=self.score_kind,
            perturbation=behavior.perturbation,
            expected=behavior.expect.expected,
            share_of=behavior.expect.share_of,
            tolerances=dict(self.tolerances),
            scale=self.scale,
            **self.verdict.as_dict(),
            asked=self.asked,
            offered=self.offered,
            known=excuse_record(self.known) if self.known else None,
            gates=self.gates,
            told=self.told,
            wordings=list(self.wordings),
            tables={name: dict(cells) for name, cells in self.tables.items()},
        )

    def pictures(self) -> Iterator[Picture]:
        """Yield all pictures of the rows, each once."""
        return _pictures(self.rows)

    def worst_pictures(self) -> Iterator[Picture]:
        """Yield the pictures that a person should look at closely: of the worst cases, of which a fail has several."""
        return _pictures(self.worst(LOOKED_AT if self.verdict.status == "fail" else 1))

    def properties(self) -> list[tuple[str, object]]:
        """Return the verdict's figures as pairs of name and value, for JUnit's properties."""
        low, high = self.verdict.band or (None, None)
        figures = {"bias": self.behavior.bias, "metric": self.metric, **self.verdict.as_dict()}
        figures |= {"band_low": low, "band_high": high, "known": self.known.excuse if self.known else None}
        figures |= {"scale": self.scale.used, "margin": next((row.margin for row in self.worst(1)), None)}
        flat = {
            name: _plain(value)
            for name, value in figures.items()
            if isinstance(value, str | int | float) and value != ""
        }
        return [(f"vlcheck_{name}", value) for name, value in flat.items()]


def _pictures(rows: Iterable[Row]) -> Iterator[Picture]:
    """Yield all pictures of some rows, each once."""
    seen: set[str] = set()
    for view in (view for row in rows for view in (row.before, row.after) if view):
        if view.picture.key not in seen:
            seen.add(view.picture.key)
            yield view.picture


def _plain(value: str | float) -> str | float:
    """Return a figure without the digits that arithmetic leaves behind; texts and whole numbers are unchanged."""
    return rounded(value) if isinstance(value, float) and math.isfinite(value) else value


def _evidence(row: Row, test: str, metric: Metric, expect: Expectation) -> EvidenceRecord:
    before, after = row.before, row.after
    arms = [(arm, view) for arm, view in ((BEFORE, before), (AFTER, after)) if view]
    shown = [view for _, view in arms]
    return EvidenceRecord(
        test=test,
        metric=metric,
        case=row.case.id,
        perturbation=row.perturbation,
        image=before.picture.key if before else None,
        perturbed=after.picture.key if after else None,
        texts=[view.text for view in shown],
        targets=[view.target for view in shown],
        wanted=[expect.wanted(arm, view.target) for arm, view in arms],
        before=before.value if before else None,
        after=after.value if after else None,
        levels=[view.level for view in shown],
        shares=list(row.shares),
        margin=row.margin,
        values=None if WHOLE in row.margins else dict(row.margins),
        effect=row.effect,
        reason=row.reason,
        violated=row.violated,
        scores=[dict(view.scores) for view in shown],
        top_before=list(before.top) if before else [],
        top_after=list(after.top) if after else [],
        boxes=list(before.boxes) if before else [],
        perturbed_boxes=list(after.boxes) if after else [],
        other_boxes=list(before.other_boxes) if before else [],
        perturbed_other_boxes=list(after.other_boxes) if after else [],
    )
