"""The session: the one assembly of model, cases, scorer, store and policy, which every way to run a suite uses."""

from __future__ import annotations

import base64
import platform
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.schedule import schedule_for
from vlcheck.behaviors.suite import BehaviorTest, subjects
from vlcheck.behaviors.trials import Trials
from vlcheck.cases.foils import asks_foils
from vlcheck.cases.picture import Picture
from vlcheck.errors import ForeignFault
from vlcheck.evaluation.blind_control import BlindControl
from vlcheck.evaluation.calibration import Operating
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.evaluator import ModelUnderTest
from vlcheck.evaluation.evidence import Judgement
from vlcheck.evaluation.preview import foresee
from vlcheck.evaluation.records import policy_record, precision_record
from vlcheck.evaluation.steps import Round
from vlcheck.evaluation.verified import Verifier
from vlcheck.evaluation.wordings import with_wordings, wordings_of
from vlcheck.metrics.query import Query
from vlcheck.models import tried
from vlcheck.models.loading.two_types import FAST, TwoTypesModel
from vlcheck.models.protocol import AsksAhead, MayChange, VisionLanguageModel, sees_pictures, wrappings_of
from vlcheck.models.setup import setup_of
from vlcheck.policy.policy import Policy
from vlcheck.results.records import (
    SCHEMA,
    ContractRecord,
    IdentityRecord,
    ImageRecord,
    PrecisionRecord,
    RunRecord,
    StatedRecord,
    WrapperRecord,
)
from vlcheck.scoring.answer_store import AnswerStore
from vlcheck.scoring.batch_size import starting_size
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.alone import Alone
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.memory_store import MemoryStore
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.progress import Progress
from vlcheck.scoring.render import render_all, size_of_shown
from vlcheck.scoring.scorer import Render, Scorer
from vlcheck.scoring.store import ModelLabel, ScoreStore
from vlcheck.scoring.stores.store_file import Tell, warn_of_store
from vlcheck.scoring.two_types import TwoTypes

_ALSO = ("scipy", "pytest")  # packages that no score depends on, but verdicts may


@dataclass(frozen=True)
class Session:
    """A model under test with the settings of the run.

    Attributes:
        config: the settings.
        model: asks the model, and computes verdicts.
        engine: runs the plans; whoever opened it closes it.
        verified: the number types of a verified run; None for a run in one type.
    """

    config: EvaluationConfig
    model: ModelUnderTest
    engine: Engine = field(default_factory=Alone)
    verified: TwoTypesModel | None = None

    def ask(self, tests: Iterable[BehaviorTest], progress: Callable[[Progress], None] | None = None) -> None:
        """Ask the model all queries of some tests whose metrics it has.

        Args:
            tests: the tests.
            progress: called as pictures are done.

        Raises:
            UsageError: the store cannot be used, or the data lacks something.
        """
        for one in self.model.rounds((test.behavior, test.metric) for test in tests):
            self._run(one, progress)
            del one  # memory: before the next round is made

    def ask_at_once(self, tests: Sequence[BehaviorTest], progress: Callable[[Progress], None] | None = None) -> None:
        """Do as `ask`, but ask at first all that the tests may need before further images are drawn.

        An engine that lacks answers to the first questions, on which the others depend, needs no second plan then.
        Raises UsageError as `ask`.

        Args:
            tests: the tests.
            progress: called as pictures are done.
        """
        self.score(self.model.at_once((test.behavior, test.metric) for test in tests), progress)
        self.ask(tests, progress)

    def score(self, queries: Iterable[Query], progress: Callable[[Progress], None] | None = None) -> None:
        """Have some queries answered by the run's engine; raises UsageError as `ask`.

        Args:
            queries: the queries.
            progress: called as pictures are done.
        """
        self._run(Round([*queries], self.model.scorer), progress)

    def _run(self, asked: Round, progress: Callable[[Progress], None] | None) -> None:
        # The last digits of a score depend on its batch: these are the same whichever engine runs the plan.
        plan = make_plan(asked.queries, batch_size=self.config.batch_size)
        self.engine.run(plan, asked.scorer, progress)

    def against(self, control: Session) -> Session:
        """Return the session with a control among the rivals of the model's choices, if that sees no picture."""
        its = control.model
        rival = BlindControl.of(its.adapter, its.trials, its.scorer)
        return replace(self, model=self.model.against(rival))

    def header(
        self,
        tests: Sequence[BehaviorTest],
        *,
        run_id: str,
        started: datetime,
        complete: bool,
        unasked: Iterable[BehaviorTest] = (),
    ) -> RunRecord:
        """Return the first line of the results file, without the end of the run.

        Args:
            tests: the selected tests.
            run_id: the id of the run.
            started: its start.
            complete: whether these are all tests of the suite that the run can ask.
            unasked: tests of the suite that need an explanation for which the run does not ask.

        Raises:
            UsageError: a test's module names no bias.
        """
        adapter, config, source = self.model.adapter, self.config, self.model.source
        self._select_cases(tests)  # the selection shows which pictures the data leaves out
        stated = {test.id: test for test in tests}
        contract, setup = tried.look_up(adapter.fingerprint), setup_of(adapter)
        return RunRecord(
            schema=SCHEMA,
            model=config.model,
            name=adapter.name,
            fingerprint=adapter.fingerprint,
            baseline=str(config.baseline) if config.baseline else None,
            score_kinds=dict(adapter.kinds),
            sees=sees_pictures(adapter),
            wrappers=[WrapperRecord(**one._asdict()) for one in wrappings_of(adapter)],
            setup=setup.said(),
            wordings=list(wordings_of(adapter)) if config.wordings else [],
            options=dict(config.options),
            objects=list(config.objects),
            data=config.data,
            images=source.images,
            seed=source.seed,
            lexicons=source.words or None,
            sequential=config.sequential,
            device=None if setup.is_served else config.device,
            dtype=None if setup.is_served else config.dtype,
            trust_remote_code=config.trust_remote_code,
            versions={"python": platform.python_version()}
            | {**self.model.scorer.store.versions}
            | {name: version(name) for name in _ALSO},
            started=started.isoformat(),
            policy=policy_record(self.model.policy),
            left_out=dict(source.left_out),
            contract=ContractRecord(tried=contract.tried, broken=list(contract.broken)),
            run_id=run_id,
            complete=complete,
            required=self.model.policy.required_of(subjects(filter(self._may_pass, tests))),
            unjudged=[name for name, test in stated.items() if not self.model.lacks(test.metric)],
            explained=list(config.explained),
            unasked=[test.id for test in unasked],
            stated={name: StatedRecord(bias=test.behavior.bias, metric=test.metric) for name, test in stated.items()},
        )

    def last_lines(self, process: str) -> Iterator[IdentityRecord | PrecisionRecord]:
        """Yield what a process says of the model at the end of a run.

        A model that others run is asked whether it is still the one of the start. If it is not, the answers of this run
        leave the store: nobody knows which of them are whose. A verified run says what was asked in which number type.

        Args:
            process: name of this process.
        """
        model = self.model.adapter
        if isinstance(model, MayChange):
            noise = getattr(model, "noise", None)
            yield IdentityRecord(process=process, name=model.name, noise=noise, changed=self.model.scorer.settle())
        if self.verified:
            yield precision_record(process, self.verified, self.model.verifier)

    def _may_pass(self, test: BehaviorTest) -> bool:
        """Return False for a test of foils that no model can pass on this data: no bias is required for its sake."""
        if not asks_foils(test.behavior.cases):
            return True
        model = self.model
        seen = foresee([test], model.operating, model.policy, [test.metric])
        return not any(prospect.hopeless for prospect in seen.prospects)

    def _select_cases(self, tests: Iterable[BehaviorTest]) -> None:
        for test in tests:
            with suppress(ForeignFault), contained():  # reported when the test itself is judged
                self.model.source.select(test.behavior.cases)

    def thumbnail(self, picture: Picture) -> bytes:
        """Return a picture's small copy as JPEG; b"" if pictures are not kept."""
        kept = self.model.scorer.thumbnail(picture) if self.config.images else None
        return kept.jpeg if kept else b""

    def images(
        self, judgement: Judgement, there: Container[str] = (), enlarged: Container[str] = ()
    ) -> Iterator[ImageRecord]:
        """Yield the results' lines of a judgement's pictures; none if pictures are not kept.

        Args:
            judgement: the judgement.
            there: keys of pictures that have a line already.
            enlarged: keys of pictures that have a line with a larger copy already.
        """
        if not self.config.images:
            return
        worst = {picture.key for picture in judgement.worst_pictures()}
        for picture in judgement.pictures():
            larger = picture.key in worst and picture.key not in enlarged
            kept = None if picture.key in there and not larger else self.model.scorer.thumbnail(picture)
            if kept:
                size = dict(zip(("width", "height"), size_of_shown(kept.jpeg), strict=False))
                large = _text_of(self.model.scorer.enlarged(picture)) if larger else ""
                jpeg = _text_of(kept.jpeg)
                yield ImageRecord(key=picture.key, sha256=kept.sha256, jpeg=jpeg, large=large or None, **size)


def _text_of(jpeg: bytes) -> str:
    """Return a copy of a picture in base64."""
    return base64.b64encode(jpeg).decode("ascii")


@contextmanager
def open_session(
    config: EvaluationConfig,
    adapter: VisionLanguageModel,
    trials: Trials,
    policy: Policy,
    folder: Path | None,
    *,
    engine: Engine | None = None,
    load: Callable[[], VisionLanguageModel] | None = None,
    verified: TwoTypesModel | None = None,
    render: Render = render_all,
    on_damage: Tell = warn_of_store,
) -> Iterator[Session]:
    """Assemble a session; close its store at the end.

    Args:
        config: the settings.
        adapter: the model.
        trials: the trials of behaviors on the cases.
        policy: the policy.
        folder: a temporary folder that the processes of a run share; None if no other process asks the model.
        engine: runs the plans; None if this process does so alone. The caller closes it.
        load: loads the model in another process; None if the model itself is sent there.
        verified: the number types of a verified run, of which `adapter` is the exact one; None for a run in one type.
        render: gives the pixels of pictures, as `render_all` does.
        on_damage: called with warnings about the store.

    Raises:
        UsageError: the store cannot be used, or the settings ask for wordings of a question that the model is not
            asked.
    """
    with ExitStack() as held:
        kept = partial(scoring, folder=folder, render=render, on_damage=on_damage)
        own = replace(config, dtype=verified.dtype) if verified else config
        scorer = held.enter_context(kept(own, adapter, load=load))
        verifier = None
        if verified and verified.fast:
            fast = kept(replace(config, dtype=FAST), verified.fast, load=verified.load)
            scorer = TwoTypes(held.enter_context(fast), scorer)
            verifier = Verifier(scorer, means=config.baseline is not None)
        schedule = schedule_for(trials.source.seed, sequential=config.sequential)
        operating = Operating(trials, adapter.kinds, schedule, scorer.exact.answers)
        model = ModelUnderTest(adapter, trials, scorer, policy, operating, verifier=verifier)
        yield Session(config, with_wordings(model) if config.wordings else model, engine or Alone(), verified)


@contextmanager
def scoring(
    config: EvaluationConfig,
    adapter: VisionLanguageModel,
    folder: Path | None,
    *,
    load: Callable[[], VisionLanguageModel] | None = None,
    render: Render = render_all,
    on_damage: Tell = warn_of_store,
) -> Iterator[CachedScorer]:
    """Yield a scorer with the settings' store, or a temporary one.

    Args:
        config: the settings.
        adapter: the model.
        folder: a temporary folder that the processes of a run share; None if no other process asks the model.
        load: loads the model in another process; None if the model itself is sent there.
        render: gives the pixels of pictures, as `render_all` does.
        on_damage: called with warnings about the store.

    Raises:
        UsageError: the store cannot be used.
    """
    with _store(config, adapter, folder, on_damage) as store:
        start = starting_size(config.device)
        asker = Scorer(adapter, batch_size=config.batch_size, top=config.top, load=load, start=start, render=render)
        ahead = config.device != "cpu" and not isinstance(adapter, AsksAhead)
        scorer = CachedScorer(asker, store, thumbnails=config.images, ahead=ahead)
        yield scorer
        scorer.settle_rest()


@contextmanager
def _store(
    config: EvaluationConfig, adapter: VisionLanguageModel, folder: Path | None, on_damage: Tell
) -> Iterator[AnswerStore]:
    """Yield the settings' store; without one, a temporary file if the run has a folder, else this process's memory."""
    temporary = folder / "scores.sqlite" if folder else None
    path = config.store or temporary
    if path is None:
        yield MemoryStore()
        return
    kept = ScoreStore(
        path,
        adapter.fingerprint,
        run=folder.name if folder else "",
        provisional=isinstance(adapter, MayChange),
        in_scratch=not config.store,
        overflow=temporary if config.store else None,
        label=ModelLabel(adapter.name, setup_of(adapter).precision or config.dtype),
        on_damage=on_damage,
    )
    with kept as store:
        yield store


@contextmanager
def scored(
    config: EvaluationConfig,
    adapter: VisionLanguageModel,
    trials: Trials,
    policy: Policy,
    tests: Sequence[BehaviorTest],
    progress: Callable[[Progress], None] | None = None,
    *,
    render: Render = render_all,
) -> Iterator[ModelUnderTest]:
    """Ask a model all queries of some tests at once, and yield it; see `open_session` and `Session.ask`.

    Args:
        config: the settings.
        adapter: the model.
        trials: the trials of behaviors on the cases.
        policy: the policy.
        tests: the tests.
        progress: called as pictures are done.
        render: gives the pixels of pictures, as `render_all` does.

    Raises:
        UsageError: the store cannot be used, or the data lacks something.
    """
    with open_session(config, adapter, trials, policy, None, render=render) as session:
        session.ask(tests, progress)
        yield session.model
