"""One process's share of a run: what is opened, scored ahead, kept, and put together at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck.behaviors.suite import BehaviorTest, sound, subjects
from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.plugin.case_item import CaseItem, beside_cases
from vlcheck.plugin.ending import Ending
from vlcheck.plugin.mark import all_stated, claim, hold_apart, stated
from vlcheck.plugin.reporters.progress import Reporter
from vlcheck.plugin.scope import is_whole
from vlcheck.plugin.suites import fixtures_folder, judging_fixtures
from vlcheck.results import run_id
from vlcheck.suite.shipped import lexicons_in, policy_in, policy_path

if TYPE_CHECKING:
    from vlcheck._util.temporary import Scratch
    from vlcheck.cases import CaseSource
    from vlcheck.cases.picture import Picture
    from vlcheck.evaluation.evaluator import ModelUnderTest
    from vlcheck.evaluation.evidence import Judgement
    from vlcheck.plugin.workbench import Workbench
    from vlcheck.policy.policy import Policy
    from vlcheck.results.file import Part, ResultLines

_INFORMS = ("help", "version", "markers", "cacheshow")  # options of pytest that begin no session of tests
_LISTS = {  # options of pytest that run no test, by where it keeps them
    "collectonly": "--collect-only",
    "showfixtures": "--fixtures",
    "show_fixtures_per_test": "--fixtures-per-test",
}
FILES = ("results", "report", "baseline")  # options of what a run is to write, or be held to
_ASKS = ("model", *FILES)  # options of a run that is to judge


class Run:
    """What the plugin keeps between its hooks; nothing is opened before a test needs it.

    Attributes:
        settings: what the options say.
        started: when the run did, in all processes: what has expired is told by it.
        collected: the tests before any of them is deselected.
        complete: whether these are all there are, and none was deselected.
        began: whether pytest has begun a session of tests.
        ending: what comes of it.
        problem: what the user has to mend, where the run itself could not say it and exit.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.collected: Sequence[pytest.Item] = ()
        self.complete = False
        self.ending = Ending(self)
        self.problem = ""
        self.began = False
        self._found = False
        self._selected = False
        self._chosen: list[BehaviorTest] = []
        self._single: list[CaseItem] = []
        self._words: Path | None = None  # with which the cases were read, where that was before the tests were found
        self._scratch: Scratch | None = None
        self._opened: tuple[Workbench, Part] | None = None
        self._input: dict[str, str] | None = getattr(config, "workerinput", None)
        said = (self._input or {}).get("vlcheck_started")
        self.started = datetime.fromisoformat(said) if said else datetime.now(UTC)
        try:
            self.settings = options.read_settings(config)
            if self.settings.model:
                self.settings.demand_reports()
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error
        self.run_id = (self._input or {}).get("vlcheck_run_id") or self.settings.run_id or run_id.drawn()

    @property
    def is_worker(self) -> bool:
        """Whether this is one of xdist's workers."""
        return self._input is not None

    @property
    def lists(self) -> str:
        """The option by which it only looks ahead, and no test is to run; "" without one."""
        said = (option for name, option in _LISTS.items() if getattr(self.config.option, name, False))
        return "--vl-plan" if self.settings.plan else next(said, "")

    @property
    def concerned(self) -> bool:
        """Whether tests were to run, and behaviors were selected in any process, or the command line asks for them.

        Where the run ended before it was known which are selected, those that were found count.
        """
        asked = any(options.on_the_command_line(self.config, name) for name in _ASKS)
        found = self._found and not self._selected
        return self.began and (asked or found or (self._scratch is not None and self._note.exists()))

    @property
    def _note(self) -> Path:
        """The file by which one process tells the others, also if it dies, that behaviors were selected."""
        return self.folder / "selected"

    @property
    def folder(self) -> Path:
        """Where the run's processes share scores and leave their parts of the results."""
        if shared := (self._input or {}).get("vlcheck_folder"):
            return Path(shared)
        if self._scratch is None:
            from vlcheck._util.temporary import Scratch  # in no run of other projects

            try:
                self._scratch = Scratch()
            except UsageError as error:
                raise pytest.UsageError(options.message_of(error)) from error
        return self._scratch.path

    @property
    def policy_path(self) -> Path:
        """The policy that is said, else that of the tests' suite, else the shipped one. Raises UsageError."""
        if self.settings.policy:
            return self.settings.policy
        fixtures = judging_fixtures(self.config)
        return (policy_in(fixtures) if fixtures else None) or policy_path()

    @property
    def lexicons(self) -> Path | None:
        """Likewise, the folder of words; None for the shipped ones alone. Raises UsageError."""
        if self.settings.lexicons:
            return self.settings.lexicons
        fixtures = judging_fixtures(self.config)
        return lexicons_in(fixtures) if fixtures else None

    @cached_property
    def source(self) -> CaseSource:
        """The cases, read when they are first needed. Raises UsageError."""
        from vlcheck.datasets.registry import open_source  # in no run of other projects

        self.settings.demand_data()
        return open_source(self.settings.data, lexicons=self.lexicons)

    @cached_property
    def policy(self) -> Policy:
        """What the model is held to, as of the run's start. Raises UsageError where it does not fit the tests."""
        return self.policy_from(self.settings.policy).as_of(self.started.date())

    def policy_from(self, said: Path | None) -> Policy:
        """Read the policy that is said, else `policy_path`. Raises UsageError where it does not fit the tests."""
        from vlcheck.policy.toml_file import load_policy  # in no run of other projects

        policy = load_policy(said or self.policy_path)
        tests = subjects(all_stated(self.collected))
        policy.check(tests)
        if is_whole(self.config):
            fixtures = fixtures_folder(self.config)
            if said or self.settings.policy or (fixtures and policy_in(fixtures)):
                policy.demand_tests(tests)
            elif fixtures:  # the policy of the tests' own suite: none of its biases may be gone
                policy.demand_required(tests)
        return policy

    @cached_property
    def beside(self) -> ResultLines | None:
        """An earlier run's results, to be shown beside this one's. Raises UsageError."""
        from vlcheck.results.file import read_beside  # in no run of other projects

        return read_beside(self.settings.beside, self.settings.data) if self.settings.beside else None

    @cached_property
    def baseline(self) -> ResultLines | None:
        """The results of the release before, which this one has to be no worse than. Raises UsageError."""
        from vlcheck.results.comparison import read_baseline  # in no run of other projects

        return read_baseline(self.settings.baseline, *self.ending.places) if self.settings.baseline else None

    def demand_baseline(self) -> None:
        """End at once, in the process that compares, where the baseline cannot be used."""
        try:
            _ = self.baseline
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error

    def select(self, session: pytest.Session) -> None:
        """Note which tests are to run."""
        self._selected = True
        hold_apart(self.collected)
        self._chosen = all_stated(session.items)
        self._single = [item for item in session.items if isinstance(item, CaseItem)]
        self.complete = is_whole(self.config) and len(session.items) == len(self.collected)
        if self._chosen or self._single or self._emptied(session):
            self._note.touch()

    def prepare(self, session: pytest.Session) -> None:
        """Score all that the selected tests will ask, before the first of them runs."""
        if self.problem and not self.is_worker:
            raise pytest.UsageError(self.problem)
        chosen = sound(test for test in self._chosen if not test.skipped)
        single = self._single
        if not (self._chosen or single) or self.lists or getattr(session.config.option, "setupplan", False):
            return
        reporter = Reporter(self.config, self.folder)
        try:
            bench, _ = self._open()
            model = bench.session.model
            foresight = bench.foresee(self._chosen)
            reporter.say([*bench.superseded(), *foresight.hopeless(), *foresight.shut(), *foresight.faults])
            if not session.config.getvalue("maxfail"):
                asked = [item.queries(model.trials) for item in single if not model.lacks(item.metric)]
                bench.score(chain(*asked), self.folder, reporter.show)
                for queries in model.rounds((test.behavior, test.metric) for test in chosen):
                    bench.score(queries, self.folder, reporter.show)
        except UsageError as error:
            self._complain(error)

    def _emptied(self, session: pytest.Session) -> bool:
        """Whether there were behaviors, and something has left no test at all of what was collected."""
        return not session.items and any(map(stated, self.collected))

    def collect(self) -> None:
        """Read the cases before the tests are collected, where each case is to have an item."""
        if self.settings.cases:
            try:
                self._words = self.lexicons
                _ = self.source
            except UsageError as error:
                self._complain(error)

    def with_cases(self, made: object) -> object:
        """What pytest made of a function, each behavior followed by its single cases where they are asked for."""
        self._found = self._found or any(map(stated, made if isinstance(made, list) else ()))
        if not self.settings.cases or self.problem or not isinstance(made, list):
            return made
        try:
            return list(beside_cases(made, self.source, self.model_for))
        except UsageError as error:
            self.problem = options.message_of(error)
            return made

    def plan(self, session: pytest.Session) -> None:
        """Say what the selected tests would take and could tell, and score nothing."""
        from vlcheck.plugin.workbench import plan_lines  # in no run of other projects

        try:
            self._demand_own_words()
            self.settings.demand_comparable()
            _ = self.baseline
            hold_apart(self.collected)
            chosen = all_stated(session.items)
            reporter = Reporter(self.config, self.folder)
            reporter.say(plan_lines(self.settings, self.policy, self.source, chosen))
            reporter.say(f"{test.name} cannot be judged. {test.amiss}" for test in chosen if test.amiss)
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error

    def model_for(self, item: pytest.Item) -> ModelUnderTest:
        """The model under test, which keeps what it judges under the item's name. Raises UsageError."""
        if self.problem:
            raise UsageError(self.problem)
        bench, _ = self._open()
        return replace(bench.session.model, record=lambda judgement: self._keep(item, judgement))

    def close(self) -> None:
        """Free what the run holds."""
        if self._opened:
            self._opened[0].close()
        if self._scratch:
            self._scratch.keep() if self.ending.kept else self._scratch.close()

    def _demand_own_words(self) -> None:
        """Raise UsageError where the cases were read before the tests were found, with another suite's words."""
        if self.settings.cases and self._words != self.lexicons:
            raise UsageError(
                f"--vl-cases: the cases were read with the words of {self._words or 'vlcheck'} before the tests were"
                f" found, and the tests are of the suite with {self.lexicons or 'no words of its own'}. Name the"
                " folder of the tests, or --vl-lexicons."
            )

    def _complain(self, error: UsageError) -> None:
        if not self.is_worker:
            raise pytest.UsageError(options.message_of(error)) from error
        # A worker has no terminal and no exit status of its own: its tests have to say it.
        self.problem = options.message_of(error)

    def _open(self) -> tuple[Workbench, Part]:
        if self._opened is None:
            from vlcheck.plugin.workbench import Workbench  # brings torch
            from vlcheck.results.file import Part

            self.settings.demand()
            self._demand_own_words()
            self._begin()
            _ = self.beside  # what is wrong with it is said before anything is scored
            if not self.is_worker:
                _ = self.baseline
            bench = Workbench.open(self.settings, self.policy, self.source, self.folder)
            part = Part(self.folder, (self._input or {}).get("workerid", "main"))
            header = bench.session.header(
                self._chosen, run_id=self.run_id, started=self.started, complete=self.complete
            )
            part.keep([header])
            self._opened = bench, part
        return self._opened

    def _begin(self) -> None:
        """Start the unfinished file, before the model's own code runs, which may end the process."""
        started = self.started.isoformat()
        self.ending.places.begin(
            run_id=self.run_id, started=started, model=self.settings.model, data=self.settings.data
        )

    def _keep(self, item: pytest.Item, judgement: Judgement) -> None:
        if not stated(item):
            # What a test of another kind makes of its verdict is its own; only the fixture lets a known bias be.
            judgement = replace(judgement, known=None, gates=False)
        bench, part = self._open()
        part.keep([*bench.session.images(judgement), *judgement.records(claim(item))])
        _hold(item, judgement)

    def thumbnail(self, picture: Picture) -> bytes:
        """The JPEG of a picture; empty where pictures are to be left out."""
        return self._opened[0].session.thumbnail(picture) if self._opened else b""


def last_word(config: pytest.Config, status: int) -> int:
    """Return what the process ends with where pytest ends with a status."""
    run = config.stash.get(RUN, None)
    if run and (run.began or run.lists):
        return run.ending.last_word(status)
    informs = any(getattr(config.option, name, False) for name in _INFORMS)
    asked = [f"--vl-{name}" for name in (FILES if informs else _ASKS) if options.on_the_command_line(config, name)]
    if asked and status == pytest.ExitCode.OK:  # another plugin ended it before any session of tests began
        sys.stderr.write(f"vlcheck: {', '.join(asked)}: no test was run, and nothing judged.\n")
        return pytest.ExitCode.USAGE_ERROR
    return status


def _hold(item: pytest.Item, judgement: Judgement) -> None:
    """Keep a judgement for the item's reports: in the place of an earlier one on the same, as where a test is rerun."""
    others = [one for one in item.stash.get(JUDGEMENTS, []) if one.of != judgement.of]
    item.stash[JUDGEMENTS] = held = [*others, judgement]
    foreign = [(name, value) for name, value in item.user_properties if not name.startswith("vlcheck_")]
    item.user_properties[:] = [*foreign, *chain.from_iterable(one.properties() for one in held)]


RUN = pytest.StashKey[Run]()
JUDGEMENTS = pytest.StashKey["list[Judgement]"]()
