"""The records of the benchmark of attribution methods, and the file that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from vlcheck._util.files import begins
from vlcheck.errors import UsageError
from vlcheck.explain.bench.planted import CONTROL, Cause
from vlcheck.explain.bench.rule import TRIALS, name_cause

Score = Literal["match", "word"]  # the match logit of a true caption; the log-probability of a word at the mask

FORMAT = 2  # version of the file
_START = b'{"explain_bench":'


@dataclass(frozen=True)
class TruthScores:
    """Means over the explanations of questions.

    Attributes:
        pointing: share of the maps whose peak lies on the target.
        energy: share of a map that lies on the target.
        target: share of the picture that the target takes.
        distracted: share of a map that lies on the distractor, over the questions with one.
        distractor: share of the picture that the distractor takes.
        precedence: share of the other words that have smaller values than the decisive word; None without words.
    """

    pointing: float
    energy: float
    target: float
    distracted: float
    distractor: float
    precedence: float | None

    @property
    def lift(self) -> float:
        """The share of the map on the target over the target's share of the picture: 1 for an even map."""
        return self.energy / self.target

    @property
    def distractor_lift(self) -> float:
        """The share of the map on the distractor over the distractor's share of the picture: 1 for an even map."""
        return self.distracted / self.distractor


@dataclass(frozen=True)
class SeedScores:
    """The measures of a method on the model under test and the scenes of one seed.

    Attributes:
        method: the method's name.
        seed: the seed.
        truth: for each explained score the agreement with the truth.
        deletion: mean area under the deletion curve of P(match); small for a good map.
        insertion: mean area under the insertion curve of P(match); large for a good map.
        similarity: mean rank correlation of the maps with those of the network with all weights shuffled.
    """

    method: str
    seed: int
    truth: Mapping[Score, TruthScores]
    deletion: float
    insertion: float
    similarity: float


@dataclass(frozen=True)
class SeedCauses:
    """The trials of causes of one seed, explained on the embedded models by a method.

    Attributes:
        method: the method's name.
        seed: the seed.
        ranks: for each embedded model and cause the ranks of the trials that came out as biased. See `biased_ranks`.
    """

    method: str
    seed: int
    ranks: Mapping[str, Mapping[Cause, float]]

    def named(self, model: str, trials: int) -> Cause | None:
        """Return the cause that the rule names for an embedded model.

        Args:
            model: the model.
            trials: number of trials of each cause.
        """
        return name_cause(self.ranks[model], trials)


@dataclass(frozen=True)
class ExplanationBench:
    """The measures of methods over seeds.

    Attributes:
        explain_bench: version of the file's format.
        scenes: version of the scenes and of the rule, `vlcheck.explain.bench.measure.VERSION`; 0 if it was not kept.
        model: spec of the model under test.
        images: number of scenes of each kind for each seed.
        trials: number of trials of each cause for each seed.
        scores: the measures of each method and seed.
        causes: the trials of each method and seed, which take longer and may have fewer seeds.
        inapplicable: for each method that does not apply to the model, the reason.
        fingerprint: content hash of the model under test; "" if it was not kept.
    """

    explain_bench: int = FORMAT
    scenes: int = 0
    model: str = CONTROL
    images: int = 20
    trials: int = TRIALS
    scores: tuple[SeedScores, ...] = ()
    causes: tuple[SeedCauses, ...] = ()
    inapplicable: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def methods(self) -> list[str]:
        """The names of the measured methods, in the order in which they were measured first."""
        return list(dict.fromkeys(one.method for one in self.scores))

    def of(self, method: str) -> dict[int, SeedScores]:
        """Return a method's measures by seed."""
        return {one.seed: one for one in self.scores if one.method == method}

    def causes_of(self, method: str) -> dict[int, SeedCauses]:
        """Return a method's trials by seed."""
        return {one.seed: one for one in self.causes if one.method == method}


def bench_as_json(bench: ExplanationBench) -> bytes:
    """Return a benchmark as a JSON document, the measures of each method and seed on a line."""
    return msgspec.json.encode(bench).replace(b'{"method":', b'\n{"method":') + b"\n"


def bench_from_json(content: bytes) -> ExplanationBench:
    """Return the benchmark from the content that `bench_as_json` returned."""
    return msgspec.json.decode(content, type=ExplanationBench)


def is_bench_file(path: Path) -> bool:
    """Return True if a file was written from `bench_as_json`, or is empty."""
    return begins(path, _START)


def read_bench(path: Path) -> ExplanationBench:
    """Read a benchmark from a file that `bench_as_json` was written to.

    Raises:
        UsageError: the file is damaged, or of another version.
    """
    try:
        bench = bench_from_json(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{path}: is no benchmark of explanations: {error}.") from error
    if bench.explain_bench != FORMAT:
        raise UsageError(f"{path}: is a benchmark of version {bench.explain_bench}; version {FORMAT} is read.")
    return bench
