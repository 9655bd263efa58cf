"""A control that sees no picture as a rival: which of a caption and its foils it chooses by the words alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import MASK, Case
from vlcheck.cases.foils import CONTROL
from vlcheck.cases.picture import Picture
from vlcheck.expect.base import BEFORE, competes
from vlcheck.expect.words_alone import credit
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Heard
from vlcheck.metrics.registry import hear
from vlcheck.models.protocol import VisionLanguageModel, sees_pictures
from vlcheck.scoring.cached import CachedScorer

_WORD = re.compile(r"[^\W_]+")
_LEAST = float(np.finfo(np.float64).tiny)  # in place of a probability that was rounded to 0


@dataclass(frozen=True)
class BlindControl:
    """A control that sees no picture, with what it takes to ask it.

    A control with the test's own metric is asked the test's question. One that predicts masked words chooses the
    sentence with the highest pseudo-log-likelihood: the sum, over its words, of the log-probability of the word where
    it is masked.

    Source:
        Salazar et al. 2020, arXiv:1910.14659.

    Attributes:
        adapter: the control.
        trials: the trials of behaviors as it can be asked about them.
        scorer: asks it, and keeps its answers.
    """

    adapter: VisionLanguageModel
    trials: Trials
    scorer: CachedScorer
    _found: dict[tuple[str, Metric, str], float | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, adapter: VisionLanguageModel, trials: Trials, scorer: CachedScorer) -> Self | None:
        """Return the rival that a control is; None for one that sees the pictures.

        Args:
            adapter: the control.
            trials: the trials of behaviors as it can be asked about them.
            scorer: asks it, and keeps its answers.
        """
        return None if sees_pictures(adapter) else cls(adapter, trials, scorer)

    def beside(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> Sequence[Trial]:
        """Return the trials of a behavior, with the control among the rivals where it can choose.

        Args:
            behavior: the behavior; the trials of one that claims no lead are returned as they are.
            metric: the metric of the test.
            trials: the trials.
        """
        if not competes(behavior.expect):
            return trials
        return [self._beside(trial, behavior, metric) for trial in trials]

    def _beside(self, trial: Trial, behavior: Behavior, metric: Metric) -> Trial:
        key = behavior.name, metric, trial.case.id
        if key not in self._found:
            self._found[key] = self._choose(trial.case, behavior, metric)
        found = self._found[key]
        return trial if found is None else replace(trial, rivals={**trial.rivals, CONTROL: found})

    def _choose(self, case: Case, behavior: Behavior, metric: Metric) -> float | None:
        """Return the control's credit for a case, in [0, 1]; None if it cannot be asked."""
        if metric in self.adapter.metrics:
            return self._by_metric(case, behavior, metric)
        return self._by_words(case) if self.adapter.kinds.get("mlm") == "masked-lm" else None

    def _by_metric(self, case: Case, behavior: Behavior, metric: Metric) -> float | None:
        for trial in self.trials.of_case(behavior, metric, case):
            question = trial.arms[BEFORE]
            if isinstance(question, Question) and competes(behavior.expect):
                heard = hear(question, self.scorer.answers(question.queries.values()))
                if isinstance(heard, Heard) and _finite(heard.reading.scores.values()):
                    return behavior.expect.chosen(heard.reading, case)
        return None

    def _by_words(self, case: Case) -> float | None:
        texts = {text: list(_masked(case, text)) for text in (case.caption, *case.foils)}
        answers = self.scorer.answers(query for queries in texts.values() for query in queries)
        found = [[value for query in queries for value in answers[query.key].values] for queries in texts.values()]
        whole = all(len(values) == len(queries) for values, queries in zip(found, texts.values(), strict=True))
        if not whole or not all(map(_finite, found)):
            return None
        return credit(sum(math.log(max(value, _LEAST)) for value in values) for values in found)


def _masked(case: Case, text: str) -> Iterator[Query]:
    """Yield a question about each word of a text, with that word masked."""
    for word in _WORD.finditer(text):
        template = f"{text[: word.start()]}{MASK}{text[word.end() :]}"
        yield Query("mlm", Picture(case.image), template, (word[0],))


def _finite(values: Iterable[float]) -> bool:
    return all(map(math.isfinite, values))
