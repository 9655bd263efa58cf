"""The benchmark of attribution methods: each is measured on drawn scenes, and on models with a planted bias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random

import msgspec

from vlcheck._util.files import begins
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.attribution.attribute import Attribution, attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.bench.curves import deletion_insertion
from vlcheck.explain.bench.planted import CAUSES, CONTROL, PLANTED_CAUSES, Cause
from vlcheck.explain.bench.randomisation import randomisation
from vlcheck.explain.bench.rule import TRIALS
from vlcheck.explain.bench.trials import CauseTrial, ExplainedPair, make_trial
from vlcheck.explain.bench.truth import Score, TruthQuestion, TruthScores, make_questions, truth_scores
from vlcheck.models.differentiable import Differentiable, differentiable
from vlcheck.models.loading.load import load_model

VERSION = 2  # version of the scenes: raise it when the rule or a question changes, so that it is measured on new ones
_BATCH = 64  # pairs at once: the models are small
_START = b'{"explain_bench":'


@dataclass(frozen=True)
class SeedScores:
    """The measures of a method on the scenes of one seed.

    Attributes:
        method: the method's name.
        seed: the seed.
        truth: for each explained score the agreement with the truth, on the model under test.
        deletion: mean area under the deletion curve of P(match); small for a good map.
        insertion: mean area under the insertion curve of P(match); large for a good map.
        similarity: mean rank correlation of the maps with those of the network with all weights shuffled.
        biased: for each embedded model and cause the number of trials that came out as biased.
    """

    method: str
    seed: int
    truth: Mapping[Score, TruthScores]
    deletion: float
    insertion: float
    similarity: float
    biased: Mapping[str, Mapping[Cause, int]]


@dataclass(frozen=True)
class ExplanationBench:
    """The measures of methods over seeds.

    Attributes:
        explain_bench: version of the file's format.
        model: spec of the model under test.
        images: number of scenes of each kind for each seed.
        trials: number of trials of each cause for each seed.
        scores: the measures of each method and seed.
        inapplicable: for each method that does not apply to the model, the reason.
    """

    explain_bench: int = 1
    model: str = CONTROL
    images: int = 20
    trials: int = TRIALS
    scores: tuple[SeedScores, ...] = ()
    inapplicable: Mapping[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> list[str]:
        """The names of the measured methods, in the order in which they were measured first."""
        return list(dict.fromkeys(one.method for one in self.scores))

    def of(self, method: str) -> dict[int, SeedScores]:
        """Return a method's measures by seed."""
        return {one.seed: one for one in self.scores if one.method == method}


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


def bench_as_json(bench: ExplanationBench) -> bytes:
    """Return a benchmark as a JSON document."""
    return msgspec.json.format(msgspec.json.encode(bench), indent=0) + b"\n"


def bench_from_json(content: bytes) -> ExplanationBench:
    """Return the benchmark from the content that `bench_as_json` returned."""
    return msgspec.json.decode(content, type=ExplanationBench)


def is_bench_file(path: Path) -> bool:
    """Return True if a file was written from `bench_as_json`, or is empty."""
    return begins(path, _START)


def read_bench(path: Path) -> ExplanationBench:
    """Read a benchmark from a file that `bench_as_json` was written to. Raises UsageError if it is damaged."""
    try:
        return bench_from_json(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{path}: is no benchmark of explanations: {error}.") from error
