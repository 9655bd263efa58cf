"""The likely cause of a difference, as far as the probes show it.

An edit is named as the cause only if it explains the difference: once the other model is asked about edited pictures or
texts, at most a tenth of the difference is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from vlcheck._util.numbers import figure, share
from vlcheck.equivalence.probes import AGAIN, FLAT, HYPOTHESES, Hypothesis
from vlcheck.equivalence.questions import OWN
from vlcheck.equivalence.records import KeptCase

UNEXPLAINED = 0.1  # share of the difference that may be left for a cause to be named
WAVERING = 0.01  # mean difference of two answers about the same picture from which on chance or a cache is at work
_FEWEST = 3  # probes that have to differ: one or two are explained by many edits
_Answers = Mapping[tuple[str, str], np.ndarray]  # scores by view and metric
_Probes = Mapping[str, _Answers]  # by probe
_NONE = np.zeros(0)  # the scores of a question that was not answered
_PICTURES = (OWN, AGAIN, *(name for name, hypothesis in HYPOTHESES.items() if hypothesis.picture))


@dataclass
class ProbePairs:
    """Both models' answers about the probes.

    Attributes:
        a: those of the first model.
        b: those of the second model.
    """

    a: dict[str, _Answers] = field(default_factory=dict)
    b: dict[str, _Answers] = field(default_factory=dict)

    def add(self, a: KeptCase, b: KeptCase) -> None:
        """Add both models' answers about one probe; only metrics that both answer are looked at.

        Args:
            a: the first model's answers.
            b: the second model's answers.
        """
        one, other = _answers(a), _answers(b)
        shared = {metric for _, metric in one} & {metric for _, metric in other}
        self.a[a.case], self.b[b.case] = (_of_metrics(answers, shared) for answers in (one, other))

    def causes(self, tie: float) -> Iterator[str]:
        """Yield what the probes show of the difference between both models.

        Args:
            tie: the difference of scores up to which they are tied.
        """
        wavering = [*_wavering("A", self.a, self.b), *_wavering("B", self.b, self.a)]
        moved = {name: _distance(answers, self.b[name]) for name, answers in self.a.items()}
        if wavering:
            yield from wavering
        elif moved and np.mean([*moved.values()]) > tie:
            yield _best_edit({"B": (self.a, self.b), "A": (self.b, self.a)}) or _where(moved, tie)


def _wavering(who: str, answers: _Probes, others: _Probes) -> Iterator[str]:
    """Yield a sentence if a model answers otherwise about a picture that it is shown again.

    Args:
        who: "A" or "B".
        answers: the model's answers.
        others: those of the other model.
    """
    apart = {name: _distance(its, its, AGAIN) for name, its in answers.items()}
    wavers = float(np.mean([*apart.values()])) if apart else 0.0
    if wavers <= WAVERING:
        return
    yield (
        f"{who} gives other answers about a picture that it is shown again (by {figure(wavers)} on"
        " average): they depend on the other pictures of a batch, as with a kept prefix or cache that is another"
        " picture's, or on chance."
    )
    wrong = [name for name, its in answers.items() if _distance(others[name], its) > WAVERING]
    foreign = [name for name in wrong if _is_of_another(name, answers[name], others)]
    if wrong and 2 * len(foreign) > len(wrong):
        yield (
            f"{who}'s answers about {len(foreign)} of {len(wrong)} pictures that differ are the other model's answers"
            " about another picture that was asked: pictures are mixed up."
        )


def _is_of_another(name: str, answers: _Answers, others: _Probes) -> bool:
    """Return True if a model's answers about a picture are those of the other model about another picture.

    Args:
        name: the picture.
        answers: the model's answers about it.
        others: the other model's answers about all pictures.
    """
    most = UNEXPLAINED * _distance(others[name], answers)
    return any(
        _distance(answers, its, view) <= most
        for another, its in others.items()
        for view in _PICTURES
        if (another, view) != (name, OWN) and any(key[0] == view for key in its)
    )


def _best_edit(directions: Mapping[str, tuple[_Probes, _Probes]]) -> str:
    """Return the edit that explains the difference best; "" if none does.

    Args:
        directions: for each model that may make the edit, the other model's answers and its own.
    """
    left = {}
    for who, (one, other) in directions.items():
        for name in HYPOTHESES:
            rest = _left(one, other, name)
            if rest is not None and rest <= UNEXPLAINED:
                left[who, name] = rest
    if not left:
        return ""
    who, name = min(left, key=left.__getitem__)
    return _said(who, HYPOTHESES[name], left[who, name])


def _said(who: str, hypothesis: Hypothesis, left: float) -> str:
    other = "A" if who == "B" else "B"
    what = "pictures" if hypothesis.picture else "texts"
    return (
        f"{who} reads {what} as {other} reads them {hypothesis.said}: this explains"
        f" {share(1 - left, decimals=0)} of the difference on the probes."
    )


def _where(moved: Mapping[str, float], tie: float) -> str:
    """Say on which kinds of probes both models differ, where no edit explains it."""
    flat = [value for name, value in moved.items() if name.startswith(FLAT)]
    if max(flat, default=0.0) <= tie:
        return (
            "Pictures of one color are answered alike, and others are not: look at how pictures are resized (size,"
            " interpolation) and cropped."
        )
    return (
        "Pictures of one color differ as well, and no edit of pictures or texts that was tried explains it: look at the"
        " template and the wording of texts, at the values that pictures are scaled to, and at the weights."
    )


def _left(one: _Probes, other: _Probes, hypothesis: str) -> float | None:
    """Return the share of the difference that an edit of what `one` is asked leaves; None if it cannot be told.

    Args:
        one: the answers of the model that is asked about the edit.
        other: the answers of the other model, without the edit.
        hypothesis: name of the edit.
    """
    before, after = 0.0, 0.0
    moved: set[str] = set()
    for name, answers in one.items():
        for (view, metric), scores in answers.items():
            plain, target = answers.get((OWN, metric), _NONE), other[name].get((OWN, metric), _NONE)
            if view == hypothesis and len(plain) == len(target) == len(scores):
                before += float(np.abs(target - plain).sum())
                after += float(np.abs(target - scores).sum())
                moved |= {name} if np.abs(target - plain).max() > WAVERING else set()
    return after / before if len(moved) >= _FEWEST else None


def _distance(one: _Answers, other: _Answers, view: str = OWN) -> float:
    """Return the mean difference between the scores of one about a picture and of another about a view of it.

    Args:
        one: answers, of which those about the picture as it is are taken.
        other: answers.
        view: the view of which those of `other` are taken.
    """
    pairs = [(scores, other.get((view, metric), _NONE)) for (own, metric), scores in one.items() if own == OWN]
    parts = [float(np.abs(scores - its).mean()) for scores, its in pairs if len(scores) == len(its)]
    return float(np.mean(parts)) if parts else 0.0


def _answers(case: KeptCase) -> _Answers:
    return {(answer.view, answer.metric): np.array(answer.scores) for answer in case.answers if answer.scores}


def _of_metrics(answers: _Answers, metrics: set[str]) -> _Answers:
    return {key: scores for key, scores in answers.items() if key[1] in metrics}
