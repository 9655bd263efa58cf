"""Measures attribution methods on drawn scenes, and on models with a planted bias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attribute import Attribution, attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.bench.curves import deletion_insertion
from vlcheck.explain.bench.planted import CAUSES, CONTROL, PLANTED_CAUSES, Cause
from vlcheck.explain.bench.randomisation import randomisation
from vlcheck.explain.bench.records import SeedScores
from vlcheck.explain.bench.rule import TRIALS
from vlcheck.explain.bench.trials import CauseTrial, ExplainedPair, make_trial
from vlcheck.explain.bench.truth import TruthQuestion, make_questions, truth_scores
from vlcheck.models.differentiable import Differentiable, differentiable
from vlcheck.models.loading.load import load_model

VERSION = 2  # version of the scenes: raise it when the rule or a question changes, so that it is measured on new ones
_BATCH = 64  # pairs at once: the models are small


@dataclass(frozen=True)
class DrawnTruth:
    """The scenes of one seed, drawn once.

    Attributes:
        seed: the seed.
        images: number of scenes of each kind.
        asked: number of trials of each cause.
    """

    seed: int
    images: int
    asked: int = TRIALS

    @cached_property
    def questions(self) -> tuple[TruthQuestion, ...]:
        """The questions whose answer lies in known pixels."""
        return tuple(question for rng in self._streams("truth", self.images) for question in make_questions(rng))

    @cached_property
    def trials(self) -> Mapping[Cause, tuple[CauseTrial, ...]]:
        """The trials of each cause."""
        return {cause: tuple(make_trial(cause, rng) for rng in self._streams(cause, self.asked)) for cause in CAUSES}

    def _streams(self, what: str, times: int) -> Iterator[Random]:
        return (Random(f"explain {VERSION} {self.seed} {what} {number}") for number in range(times))


class Subjects:
    """The models that methods are measured on: the model under test, and the embedded ones.

    Args:
        model: spec of the model under test.
        device: a torch device.
    """

    def __init__(self, model: str, device: str = "cpu") -> None:
        self.under_test = differentiable(load_model(model, device=device))
        self.embedded = {name: differentiable(load_model(name, device=device)) for name in (CONTROL, *PLANTED_CAUSES)}


def measure(subjects: Subjects, method: AttributionMethod, drawn: DrawnTruth) -> SeedScores:
    """Measure a method on the scenes of one seed.

    Args:
        subjects: the models.
        method: the method.
        drawn: the scenes.

    Raises:
        NotApplicable: the method does not apply to a model.
    """
    model = subjects.under_test
    maps = _explained(model, method, drawn.questions)
    asked = [(question, one) for question, one in zip(drawn.questions, maps, strict=True) if question.score == "match"]
    inputs = model.inputs([question.image for question, _ in asked], [question.text for question, _ in asked])
    curves = deletion_insertion(model, inputs, [one for _, one in asked])
    shuffled = randomisation(model, method, inputs[range(min(drawn.images, len(inputs)))], stages=1, seed=drawn.seed)
    return SeedScores(
        method=method.name,
        seed=drawn.seed,
        truth=truth_scores(drawn.questions, maps),
        deletion=float(curves.deletion_areas.mean()),
        insertion=float(curves.insertion_areas.mean()),
        similarity=float(shuffled.means[-1]),
        biased={name: count_biased(one, method, drawn.trials) for name, one in subjects.embedded.items()},
    )


def count_biased(
    model: Differentiable, method: AttributionMethod, trials: Mapping[Cause, Sequence[CauseTrial]]
) -> dict[Cause, int]:
    """Return for each cause the number of trials that come out as biased.

    Args:
        model: the network.
        method: the method.
        trials: the trials of each cause.
    """
    return {cause: sum(_outcomes(model, method, of)) for cause, of in trials.items()}


def _outcomes(model: Differentiable, method: AttributionMethod, trials: Sequence[CauseTrial]) -> Iterator[bool]:
    pairs: list[ExplainedPair] = [pair for trial in trials for pair in trial.pairs]
    images, texts = [pair.image for pair in pairs], [pair.text for pair in pairs]
    found = iter(attribute(model, method, images, texts, batch_size=_BATCH))
    for trial in trials:
        yield trial.is_biased([next(found) for _ in trial.pairs])


def _explained(
    model: Differentiable, method: AttributionMethod, questions: Sequence[TruthQuestion]
) -> list[Attribution]:
    """Return the explanation of each question; those of one score are explained together."""
    found: dict[int, Attribution] = {}
    for score in {question.score: None for question in questions}:
        places = [place for place, question in enumerate(questions) if question.score == score]
        asked = [questions[place] for place in places]
        words = [question.word for question in asked] if score == "word" else None
        images, texts = [question.image for question in asked], [question.text for question in asked]
        explained = attribute(model, method, images, texts, words, batch_size=_BATCH)
        found |= dict(zip(places, explained, strict=True))
    return [found[place] for place in range(len(questions))]


def reason_against(model: Differentiable, method: AttributionMethod, question: TruthQuestion) -> str:
    """Return the reason why a method does not apply to a model; "" if it applies.

    Args:
        model: the network.
        method: the method.
        question: a question about the match of picture and text.
    """
    try:
        attribute(model, method, [question.image], [question.text])
    except NotApplicable as reason:
        return str(reason)
    return ""
