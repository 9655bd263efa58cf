"""The likely cause of a difference, as far as the probes show it.

A cause is named only if one model's answers are explained by it: what is left of the difference, once the other model is
asked about edited pictures or texts, is at most a quarter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vlcheck.equivalence.probes import DRAWN, FLAT, HYPOTHESES, Hypothesis
from vlcheck.equivalence.questions import OWN
from vlcheck.equivalence.records import KeptCase

EXPLAINED = 0.25  # share of the difference that may be left for a cause to be named
_TOLD_APART = 0.01  # mean difference of scores from which on a probe says anything
_Answers = Mapping[tuple[str, str], np.ndarray]  # scores by hypothesis and metric


@dataclass
class ProbePairs:
    """Both models' answers about the probes."""

    a: dict[str, _Answers] = field(default_factory=dict)
    b: dict[str, _Answers] = field(default_factory=dict)

    def add(self, a: KeptCase, b: KeptCase) -> None:
        """Add both models' answers about one probe; only metrics that both answer are looked at."""
        one, other = _answers(a), _answers(b)
        shared = {metric for _, metric in one} & {metric for _, metric in other}
        self.a[a.case], self.b[b.case] = (_of_metrics(answers, shared) for answers in (one, other))

    def causes(self, tie: float) -> Iterator[str]:
        """Yield what the probes show of the difference between both models.

        Args:
            tie: the difference of scores up to which they are tied.
        """
        moved = {name: _distance(self.a[name], self.b[name], OWN) for name in self.a}
        if not moved or np.mean([*moved.values()]) <= max(tie, _TOLD_APART / len(moved)):
            return
        named = list(self._edits())
        mixed = self._mixed(moved, tie)
        if named:
            yield from named
        elif mixed:
            yield mixed
        else:
            yield from _where(moved, tie)

    def _edits(self) -> Iterator[str]:
        """Yield the edit that explains the difference best, if any does."""
        left = {}
        for name, hypothesis in HYPOTHESES.items():
            for who, (one, other) in {"B": (self.a, self.b), "A": (self.b, self.a)}.items():
                share = _left(one, other, name)
                if share is not None and share <= EXPLAINED:
                    left[name, who] = share, hypothesis
        if left:
            (_, who), (share, hypothesis) = min(left.items(), key=lambda each: each[1][0])
            yield _said(who, hypothesis, share)

    def _mixed(self, moved: Mapping[str, float], tie: float) -> str:
        """Return a sentence if one model's answers about pictures are those about other pictures; else ""."""
        pictures = [name for name in moved if not name.startswith(DRAWN)]
        differing = [name for name in pictures if moved[name] > max(tie, _TOLD_APART)]
        for who, (one, other) in {"B": (self.a, self.b), "A": (self.b, self.a)}.items():
            foreign = [name for name in differing if _is_of_another(name, pictures, one, other, moved[name])]
            if foreign and 2 * len(foreign) > len(differing):
                return (
                    f"{who}'s answers about {len(foreign)} of {len(pictures)} pictures are those about other pictures of"
                    " the batch: what is kept of one picture, such as a prefix, is used for another."
                )
        return ""


def _where(moved: Mapping[str, float], tie: float) -> Iterator[str]:
    """Yield the kinds of probes that differ, where no cause explains them."""
    flat = [value for name, value in moved.items() if name.startswith(FLAT)]
    others = [value for name, value in moved.items() if not name.startswith(FLAT)]
    if max(flat) <= tie < np.mean(others):
        yield (
            "Pictures of one color are answered alike, and others are not: pictures are resized or cropped in another"
            " way (size, interpolation, crop)."
        )
    else:
        yield (
            "Pictures of one color differ as well, and no edit of pictures or texts that was tried explains it: look at"
            " the template and the wording of texts, at the values that pictures are scaled to, and at the weights."
        )


def _said(who: str, hypothesis: Hypothesis, share: float) -> str:
    other = "A" if who == "B" else "B"
    what = "pictures" if hypothesis.picture else "texts"
    return (
        f"{who} reads {what} as {other} reads them {hypothesis.said}: this explains"
        f" {100 * (1 - share):.0f} % of the difference on the probes."
    )


def _left(one: Mapping[str, _Answers], other: Mapping[str, _Answers], hypothesis: str) -> float | None:
    """Return the share of the difference that an edit of what `one` is asked leaves; None if it cannot be told.

    Args:
        one: the answers of the model that is asked about the edit.
        other: the answers of the other model, as it is.
        hypothesis: name of the edit.
    """
    before, after = 0.0, 0.0
    for name, answers in one.items():
        for (view, metric), scores in answers.items():
            plain, target = answers.get((OWN, metric)), other[name].get((OWN, metric))
            if view == hypothesis and plain is not None and target is not None:
                before += float(np.abs(target - plain).sum())
                after += float(np.abs(target - scores).sum())
    return after / before if before > _TOLD_APART else None


def _is_of_another(
    name: str,
    pictures: Sequence[str],
    one: Mapping[str, _Answers],
    other: Mapping[str, _Answers],
    moved: float,
) -> bool:
    """Return True if a model's answers about a picture are those of the other model about another picture.

    Args:
        name: the picture.
        pictures: all pictures.
        one: the answers of the other model.
        other: the answers of the model.
        moved: the distance between both models' answers about the picture.
    """
    return any(
        _distance(one[another], other[name], OWN) <= EXPLAINED * moved for another in pictures if another != name
    )


def _distance(one: _Answers, other: _Answers, view: str) -> float:
    """Return the mean difference between scores, over the metrics that both have."""
    parts = [
        np.abs(scores - other[key]).mean() for key, scores in one.items() if key[0] == view and key in other
    ]
    return float(np.mean(parts)) if parts else 0.0


def _answers(case: KeptCase) -> _Answers:
    return {(answer.view, answer.metric): np.array(answer.scores) for answer in case.answers if not answer.refused}


def _of_metrics(answers: _Answers, metrics: set[str]) -> _Answers:
    return {key: scores for key, scores in answers.items() if key[1] in metrics}
