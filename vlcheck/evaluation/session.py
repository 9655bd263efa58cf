"""A model under test outside pytest: all that some tests ask is scored once, before anything is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vlcheck._util.temporary import Scratch
from vlcheck.behaviors.schedule import ONCE
from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.behaviors.trials import Trials
from vlcheck.evaluation.calibration import Operating
from vlcheck.evaluation.evaluator import ModelUnderTest
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.policy.policy import Policy
from vlcheck.scoring.scorer import Progress, Scorer
from vlcheck.scoring.store import ScoreStore


@contextmanager
def scored(
    adapter: VisionLanguageModel,
    trials: Trials,
    policy: Policy,
    tests: Sequence[BehaviorTest],
    *,
    store: Path | None = None,
    batch_size: int = 16,
    top: int = 5,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[ModelUnderTest]:
    """Ask the model all that some tests ask, as far as it has their metrics.

    Args:
        adapter: the model.
        trials: of any behavior, on the cases.
        policy: what the model is held to.
        tests: what to ask for.
        store: where answers are kept; a file that is gone in the end, unless said.
        batch_size: pictures encoded together.
        top: how many of the likeliest words to keep.
        progress: called as pictures are done.

    Raises:
        UsageError: the store cannot be used, or the data lacks something.
    """
    with ExitStack() as held:
        path = store or held.enter_context(Scratch()) / "scores"
        kept = held.enter_context(ScoreStore(path, adapter.fingerprint, in_scratch=store is None))
        scorer = Scorer(adapter, kept, batch_size=batch_size, thumbnails=False, top=top)
        operating = Operating(trials, adapter.kinds, ONCE, scorer.answers)
        model = ModelUnderTest(adapter, trials, scorer, policy, operating)
        for queries in model.rounds((test.behavior, test.metric) for test in tests):
            scorer.answers(queries, progress)
        yield model
