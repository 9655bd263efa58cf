"""A model answers the questions of parity; its answers are kept in a store, case by case."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vlcheck._util.numbers import counted
from vlcheck.equivalence.questions import ParityCase, ParityQuestion
from vlcheck.equivalence.records import KeptAnswer, KeptCase, SideRecord
from vlcheck.errors import UsageError, argument
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.models.protocol import MayChange, VisionLanguageModel, only_compares
from vlcheck.models.setup import setup_of
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.progress import Progress
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ModelLabel, ScoreStore

METRICS = ("itm", "mlm")  # the metrics that are asked for parity
_CASES_AT_ONCE = 16


@dataclass(frozen=True)
class ParitySide:
    """One model of a pair, and how it is asked.

    Attributes:
        name: "a" or "b": the same model twice is asked twice.
        model: the model.
        spec: the text that it was loaded by; "" for an object.
        device: the device that was asked for; "" for an object.
        dtype: the precision that was asked for; "" for an object.
        batch_size: number of pictures that are encoded together, at least 1.
        store: file in which answers are kept for later calls; None for a temporary one.
    """

    name: str
    model: VisionLanguageModel
    spec: str
    device: str
    dtype: str
    batch_size: int
    store: Path | None

    def record(self, versions: Mapping[str, str]) -> SideRecord:
        """Return how the model is asked.

        Args:
            versions: versions of the software that determines its scores.
        """
        setup = setup_of(self.model)
        return SideRecord(
            model=self.model.name,
            spec=self.spec,
            fingerprint=self.model.fingerprint,
            device="" if setup.is_served else self.device,
            dtype="" if setup.is_served else self.dtype,
            batch_size=self.batch_size,
            kinds={name: self.model.kinds[name] for name in METRICS if name in self.model.metrics},
            setup=setup.said(),
            versions=dict(versions),
        )

    def demand_unchanged(self, scorer: CachedScorer) -> None:
        """Raise UsageError if others run the model, and it was another one since the scorer first asked it."""
        if changed := scorer.settle():
            raise UsageError(
                f"{argument('model', repr(self.spec or self.model.name))}: is not shown to be one model from the first"
                f" question to the last: {changed}. Its answers are not used; ask again while the same model is served."
            )

    @contextmanager
    def scorer(self, scratch: Path) -> Iterator[CachedScorer]:
        """Yield a scorer with a store that the other side does not share, nor one that is asked in other batches.

        Args:
            scratch: a temporary folder.

        Raises:
            UsageError: the store cannot be used.
        """
        fingerprint = f"{self.model.fingerprint} parity {self.name}, batches of {self.batch_size}"
        path = self.store or scratch / f"{self.name}.sqlite"
        changes = isinstance(self.model, MayChange)
        label = ModelLabel(f"{self.model.name}, parity {self.name}", setup_of(self.model).precision or self.dtype)
        kept = ScoreStore(
            path, fingerprint, provisional=changes, in_scratch=not self.store, overflow=scratch / "more", label=label
        )
        with kept as store:
            scorer = CachedScorer(Scorer(self.model, batch_size=self.batch_size, top=0), store, thumbnails=False)
            yield scorer
            scorer.settle_rest()


def answered(
    model: VisionLanguageModel,
    cases: Sequence[ParityCase],
    scorer: CachedScorer,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[KeptCase]:
    """Ask a model about cases, some at a time, and yield its answers: about the cases in their order, then the probes.

    Args:
        model: the model.
        cases: the cases.
        scorer: the model's scorer.
        progress: called after each part, with numbers of cases in place of pictures.
    """
    relative, started, done = only_compares(model), time.monotonic(), 0
    for part in _parts(cases):
        asked = {
            question: question.queries(relative=relative)
            for case in part
            for question in case.questions
            if question.metric in model.metrics
        }
        answers = scorer.answers(query for queries in asked.values() for query in queries)
        for case in part:
            kept = (_kept(one, asked[one], answers) for one in case.questions if one in asked)
            yield KeptCase(case=case.id, probe=case.probe, answers=tuple(kept))
        done += len(part)
        if progress:
            progress(Progress.since(started, done, len(cases)))


def _parts(cases: Sequence[ParityCase]) -> Iterator[Sequence[ParityCase]]:
    """Yield the cases in parts; no part mixes probes with others, so that a probe's neighbors are probes."""
    for probes in (False, True):
        group = [case for case in cases if case.probe == probes]
        yield from (group[start : start + _CASES_AT_ONCE] for start in range(0, len(group), _CASES_AT_ONCE))


def _kept(question: ParityQuestion, queries: Sequence[Query], answers: Mapping[str, Answer]) -> KeptAnswer:
    found = [answers[query.key] for query in queries]
    scores = tuple(value for answer in found for value in answer.values)
    refused = next((answer.unasked for answer in found if answer.unasked), "")
    failed = next((answer.error for answer in found if answer.error), "") or (
        "" if refused else _fault(scores, question)
    )
    return KeptAnswer(
        view=question.view,
        metric=question.metric,
        text=question.text,
        asked=question.asked,
        scores=() if refused or failed else scores,
        refused="" if failed else refused,
        failed=failed,
    )


def _fault(scores: Sequence[float], question: ParityQuestion) -> str:
    """Return what is wrong with scores; "" if they are one number for each text or word."""
    if len(scores) != len(question.asked):
        return f"{counted(len(scores), 'score')} for {len(question.asked)} texts or words"
    return "" if all(map(math.isfinite, scores)) else "a score is not finite"
