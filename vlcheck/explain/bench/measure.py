"""Measures attribution methods on drawn scenes, and on models with a planted bias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np

from vlcheck._util.foreign_code import contained
from vlcheck._util.numbers import rounded
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument
from vlcheck.explain.attribution.attribute import Attribution, explained
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.batches import in_batches
from vlcheck.explain.bench.curves import deletion_insertion
from vlcheck.explain.bench.planted import CAUSES, CONTROL, PLANTED_CAUSES, Cause
from vlcheck.explain.bench.randomisation import randomisation
from vlcheck.explain.bench.records import Score, SeedCauses, SeedScores
from vlcheck.explain.bench.rule import TRIALS
from vlcheck.explain.bench.trials import CauseTrial, ExplainedPair, biased_ranks, make_trial
from vlcheck.explain.bench.truth import SCORES, TruthQuestion, make_questions, truth_scores
from vlcheck.models.differentiable import Differentiable, PairInputs, differentiable
from vlcheck.models.loading.load import load_model

VERSION = 3  # version of the scenes: raise it when the rule or a question changes, so that it is measured on new ones
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
    def questions(self) -> Mapping[Score, tuple[TruthQuestion, ...]]:
        """The questions whose answer lies in known pixels, by the score that is explained."""
        made = [question for rng in self._streams("truth", self.images) for question in make_questions(rng)]
        return {score: tuple(one for one in made if one.score == score) for score in SCORES}

    @cached_property
    def trials(self) -> Mapping[Cause, tuple[CauseTrial, ...]]:
        """The trials of each cause; those of one number begin with the same random scene, and share pictures."""
        return {cause: tuple(make_trial(cause, rng) for rng in self._streams("trial", self.asked)) for cause in CAUSES}

    @cached_property
    def pairs(self) -> tuple[ExplainedPair, ...]:
        """The different pairs of all trials."""
        pairs = (pair for trials in self.trials.values() for trial in trials for pair in trial.pairs)
        return tuple({pair.key: pair for pair in pairs}.values())

    def _streams(self, what: str, times: int) -> Iterator[Random]:
        return (Random(f"explain {VERSION} {self.seed} {what} {number}") for number in range(times))


class Subjects:
    """The models that methods are measured on: the model under test, and the embedded ones.

    Args:
        model: spec of the model under test.
        device: a torch device.

    Attributes:
        fingerprint: content hash of the model under test.

    Raises:
        UsageError: the model cannot be loaded, or gives no gradients.
    """

    def __init__(self, model: str, device: str = "cpu") -> None:
        loaded = load_model(model, device=device)
        self.fingerprint = loaded.fingerprint
        try:
            with contained():
                self.under_test = differentiable(loaded)
        except (NotApplicable, ForeignFault) as reason:
            raise UsageError(f"{argument('model', model)}: cannot be explained: {reason}.") from reason
        self.embedded = {name: differentiable(load_model(name, device=device)) for name in (CONTROL, *PLANTED_CAUSES)}


class PreparedTruth:
    """The scenes of one seed as the models read them, prepared once for all methods.

    Args:
        subjects: the models.
        drawn: the scenes.
    """

    def __init__(self, subjects: Subjects, drawn: DrawnTruth) -> None:
        self.subjects, self.drawn = subjects, drawn

    @cached_property
    def questions(self) -> Mapping[Score, PairInputs]:
        """The questions to the model under test, by the score that is explained."""
        return {score: _asked(self.subjects.under_test, of) for score, of in self.drawn.questions.items()}

    @cached_property
    def pairs(self) -> Mapping[str, PairInputs]:
        """The pairs of the trials, for each embedded model."""
        images, texts = [pair.image for pair in self.drawn.pairs], [pair.text for pair in self.drawn.pairs]
        return {name: model.inputs(images, texts) for name, model in self.subjects.embedded.items()}


def measure(prepared: PreparedTruth, methods: Sequence[AttributionMethod]) -> list[SeedScores]:
    """Measure methods on the questions of a seed; the curves and the randomisation check use a third of them.

    Args:
        prepared: the scenes.
        methods: methods of one base, whose maps are computed once. See `AttributionMethod.base`.

    Raises:
        NotApplicable: the methods do not apply to the model, or a measure is not finite.
    """
    model, drawn = prepared.subjects.under_test, prepared.drawn
    found = {score: _attributions(model, methods, inputs) for score, inputs in prepared.questions.items()}
    few = prepared.questions["match"][range(drawn.images)]
    measures = []
    for number, method in enumerate(methods):
        curves = deletion_insertion(model, few, found["match"][number][: drawn.images])
        shuffled = randomisation(model, method, few, stages=1, seed=drawn.seed)
        if not np.isfinite([*curves.deletion_areas, *curves.insertion_areas, shuffled.means[-1]]).all():
            raise NotApplicable("the scores are not finite when parts of the pair are left out, or weights shuffled")
        measures.append(
            SeedScores(
                method=method.name,
                seed=drawn.seed,
                truth=truth_scores(
                    [question for of in drawn.questions.values() for question in of],
                    [one for of in found.values() for one in of[number]],
                ),
                deletion=rounded(float(curves.deletion_areas.mean())),
                insertion=rounded(float(curves.insertion_areas.mean())),
                similarity=rounded(float(shuffled.means[-1])),
            )
        )
    return measures


def measure_causes(prepared: PreparedTruth, methods: Sequence[AttributionMethod]) -> list[SeedCauses]:
    """Explain the trials of a seed on the embedded models.

    Args:
        prepared: the scenes.
        methods: methods of one base.

    Raises:
        NotApplicable: the methods do not apply to a model.
    """
    by_model = {
        name: _attributions(model, methods, prepared.pairs[name]) for name, model in prepared.subjects.embedded.items()
    }
    return [
        SeedCauses(
            method.name,
            prepared.drawn.seed,
            {name: _ranks(prepared.drawn, of[number]) for name, of in by_model.items()},
        )
        for number, method in enumerate(methods)
    ]


def _ranks(drawn: DrawnTruth, attributions: Sequence[Attribution]) -> Mapping[Cause, float]:
    """Return the ranks of each cause's biased trials.

    Args:
        drawn: the scenes.
        attributions: the explanation of each pair.
    """
    found = dict(zip((pair.key for pair in drawn.pairs), attributions, strict=True))
    return {
        cause: biased_ranks([trial.leaning([found[pair.key] for pair in trial.pairs]) for trial in trials])
        for cause, trials in drawn.trials.items()
    }


def _attributions(
    model: Differentiable, methods: Sequence[AttributionMethod], inputs: PairInputs
) -> list[list[Attribution]]:
    """Return for each method the explanations of all pairs. Raises NotApplicable if a map is not finite."""
    batches = [
        found
        for _, found in in_batches(lambda rows: explained(model, methods, inputs[rows]), range(len(inputs)), _BATCH)
    ]
    if not all(one.is_finite for found in batches for of in found for one in of):
        raise NotApplicable("a map is not finite")
    return [[one for found in batches for one in found[number]] for number in range(len(methods))]


def _asked(model: Differentiable, questions: Sequence[TruthQuestion]) -> PairInputs:
    """Return questions of one score as a model reads them."""
    words = [question.word for question in questions] if questions[0].word else None
    return model.inputs([question.image for question in questions], [question.text for question in questions], words)


def reason_against(prepared: PreparedTruth, method: AttributionMethod) -> str:
    """Return the reason why a method does not apply to the model under test; "" if it applies.

    Args:
        prepared: scenes to try it on.
        method: the method.
    """
    try:
        with contained():  # a model or a method of a user's own
            _attributions(prepared.subjects.under_test, [method], prepared.questions["match"][[0]])
    except (NotApplicable, UsageError, ForeignFault) as reason:
        return str(reason)
    return ""
