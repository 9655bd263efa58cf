"""One process's share of a run: what is opened, scored ahead, kept, and put together at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.plugin.case_item import CaseItem, beside_cases
from vlcheck.plugin.extent import is_whole
from vlcheck.plugin.mark import Stated, all_stated, amiss, claim, hold_apart, sound, stated, subjects
from vlcheck.plugin.progress import Reporter
from vlcheck.plugin.suites import fixtures_folder, judging_fixtures
from vlcheck.suite import lexicons_in, policy_in, policy_path

if TYPE_CHECKING:
    from vlcheck.cases import CaseSource
    from vlcheck.judge import ModelUnderTest
    from vlcheck.judgement import Judgement
    from vlcheck.plugin.workbench import Workbench
    from vlcheck.policy import Policy
    from vlcheck.query import Picture
    from vlcheck.report.comparison import Comparison
    from vlcheck.report.results import Part, Results


class Run:
    """What the plugin keeps between its hooks; nothing is opened before a test needs it.

    Attributes:
        settings: what the options say.
        started: when the run did, in all processes: what has expired is told by it.
        collected: the tests before any of them is deselected.
        complete: whether these are all there are, and none was deselected.
        gone: what is to be done about known biases that show in no test.
        selected: how many selected tests state a behavior, or are one of its cases, in all processes.
        results: what all processes found, once the run is over; None in a worker and where nothing was selected.
        comparison: of these with the baseline, where there is one and something was judged.
        problem: what the user has to mend, where the run itself could not say it and exit.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.selected = 0
        self.collected: Sequence[pytest.Item] = ()
        self.complete = False
        self.gone: list[str] = []
        self.results: Results | None = None
        self.comparison: Comparison | None = None
        self.problem = ""
        self._chosen: list[tuple[pytest.Function, Stated]] = []
        self._folder: Path | None = None
        self._words: Path | None = None  # with which the cases were read, where that was before the tests were found
        self._kept = False  # the folder, where the results could go nowhere else
        self._opened: tuple[Workbench, Part] | None = None
        self._input: dict[str, str] | None = getattr(config, "workerinput", None)
        said = (self._input or {}).get("vlcheck_started")
        self.started = datetime.fromisoformat(said) if said else datetime.now(UTC)
        try:
            self.settings = options.read(config)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error

    @property
    def is_worker(self) -> bool:
        """Whether this is one of xdist's workers."""
        return self._input is not None

    @property
    def folder(self) -> Path:
        """Where the run's processes share scores and leave their parts of the results."""
        if self._folder is None:
            shared = (self._input or {}).get("vlcheck_folder")
            self._folder = Path(shared or tempfile.mkdtemp(prefix="vlcheck-"))
        return self._folder

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
        from vlcheck.cases import open_source  # in no run of other projects

        self.settings.demand_data()
        return open_source(self.settings.data, lexicons=self.lexicons)

    @cached_property
    def policy(self) -> Policy:
        """What the model is held to, as of the run's start. Raises UsageError where it does not fit the tests."""
        return self.policy_from(self.settings.policy).as_of(self.started.date())

    def policy_from(self, said: Path | None) -> Policy:
        """Read the policy that is said, else `policy_path`. Raises UsageError where it does not fit the tests."""
        from vlcheck.policy_file import load_policy  # in no run of other projects

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
    def beside(self) -> Results | None:
        """An earlier run's results, to be shown beside this one's. Raises UsageError."""
        from vlcheck.report.results import read_beside  # in no run of other projects

        return read_beside(self.settings.beside, self.settings.data) if self.settings.beside else None

    @cached_property
    def baseline(self) -> Results | None:
        """The results of the release before, which this one has to be no worse than. Raises UsageError."""
        from vlcheck.report.comparison import read_baseline  # in no run of other projects

        return read_baseline(self.settings.baseline, self.settings.results) if self.settings.baseline else None

    def demand_baseline(self) -> None:
        """End at once, in the process that compares, where the baseline cannot be used."""
        try:
            _ = self.baseline
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error

    def prepare(self, session: pytest.Session) -> None:
        """Score all that the selected tests will ask, before the first of them runs."""
        if self.problem and not self.is_worker:
            raise pytest.UsageError(self.problem)
        self._chosen = chosen = all_stated(session.items)
        single = [item for item in session.items if isinstance(item, CaseItem)]
        self.selected = len(chosen) + len(single)
        self.complete = is_whole(self.config) and len(session.items) == len(self.collected)
        hold_apart(all_stated(self.collected))
        chosen = sound([(item, its) for item, its in chosen if not item.get_closest_marker("skip")])
        if not self.selected or session.config.option.collectonly:
            return
        reporter = Reporter(self.config, self.folder)
        try:
            bench, _ = self._open()
            foresight = bench.foresee(self._chosen)
            reporter.say([*bench.superseded(), *foresight.hopeless(), *foresight.shut()])
            if not session.config.getvalue("maxfail"):
                asked = [item.queries(bench.model.trials) for item in single if not bench.model.lacks(item.metric)]
                bench.score(chain(*asked), self.folder, reporter.show)
                for queries in bench.model.rounds((item.behavior(of), item.metric) for of, item in chosen):
                    bench.score(queries, self.folder, reporter.show)
        except UsageError as error:
            self._complain(error)

    def read_cases(self) -> None:
        """Read the cases before the tests are collected, where each case is to have an item."""
        if self.settings.cases:
            try:
                self._words = self.lexicons
                _ = self.source
            except UsageError as error:
                self._complain(error)

    def with_cases(self, made: object) -> object:
        """What pytest made of a function, each behavior followed by its single cases where they are asked for."""
        if not self.settings.cases or self.problem or not isinstance(made, list):
            return made
        try:
            return list(beside_cases(made, self.source, self.model_for))
        except UsageError as error:
            self.problem = str(error)
            return made

    def plan(self, session: pytest.Session) -> None:
        """Say what the selected tests would take and could tell, and score nothing."""
        from vlcheck.plugin.workbench import outlook  # in no run of other projects

        try:
            self._demand_own_words()
            self.settings.demand_comparable()
            _ = self.baseline
            hold_apart(all_stated(self.collected))
            chosen = all_stated(session.items)
            reporter = Reporter(self.config, self.folder)
            reporter.say(outlook(self.settings, self.policy, self.source, chosen))
            reporter.say(f"{item.name} cannot be judged. {wrong}" for item, _ in chosen if (wrong := amiss(item)))
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error

    def model_for(self, item: pytest.Item) -> ModelUnderTest:
        """The model under test, which keeps what it judges under the item's name. Raises UsageError."""
        if self.problem:
            raise UsageError(self.problem)
        bench, _ = self._open()
        return replace(bench.model, record=lambda judgement: self._keep(item, judgement))

    def finish(self, session: pytest.Session) -> None:
        """Put the parts together; a run that ends without one verdict does not exit 0."""
        if self.is_worker:
            getattr(self.config, "workeroutput", {})["vlcheck_selected"] = self.selected
            return
        ran = not (session.config.option.collectonly or self.settings.plan)
        if not ran or not (self.selected or self.settings.asked):
            return
        from vlcheck.report.conclusion import gone, missing  # in no run of other projects
        from vlcheck.report.results import gather, write

        self.results = results = gather(self.folder)
        self.comparison = self._compared(results)
        self.gone = list(gone(results))
        lacking = not results.decided or missing(results)
        if lacking or self.gone or (self.comparison and not self.comparison.accepted):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        if not results.run:
            return
        before = self.problem
        with self._ending(session, f"--vl-results {self.settings.results}: stopped before they were written."):
            write(self.settings.results, results)
        if self.problem != before:
            self._kept = True
            self.problem += f" They are kept in {self.folder}, in parts; vlcheck report draws each of them."
        if self.settings.report is None:
            return
        with self._ending(session, f"--vl-report {self.settings.report}: stopped; what is there may be older."):
            self._report(self.settings.report, results)
        if not self._kept and results.run["exit_status"] != session.exitstatus:
            with self._ending(session, f"--vl-results {self.settings.results}: stopped; it says how the tests ended."):
                write(self.settings.results, results)

    @contextmanager
    def _ending(self, session: pytest.Session, stopped: str) -> Iterator[None]:
        """Write something at the run's end, whose status it says; what goes wrong is the run's problem.

        Args:
            session: gets the status.
            stopped: what is wrong where the user presses Ctrl-C meanwhile.
        """
        if self.results:
            self.results.run["exit_status"] = int(session.exitstatus)
        try:
            yield
        except UsageError as error:
            self._fail(session, pytest.ExitCode.USAGE_ERROR, str(error))
        except KeyboardInterrupt:
            self._fail(session, pytest.ExitCode.INTERRUPTED, stopped)

    def _fail(self, session: pytest.Session, status: pytest.ExitCode, problem: str) -> None:
        session.exitstatus = status
        self.problem = " ".join(filter(None, (self.problem, problem)))

    def _report(self, path: Path, results: Results) -> None:
        """Write the page for reviewers. Raises UsageError."""
        from vlcheck.report import page  # in no run of other projects

        drawn = page.draw(results, source=self.settings.results.name, beside=self.beside, comparison=self.comparison)
        page.write(path, drawn, "--vl-report")

    def _compared(self, results: Results) -> Comparison | None:
        """With the baseline; None where there is none, or nothing to compare with it."""
        if not results.verdicts or self.baseline is None:
            return None
        from vlcheck.report.comparison import compare_run  # in no run of other projects

        return compare_run(self.baseline, results)

    def close(self) -> None:
        """Free what the run holds."""
        if self._opened:
            self._opened[0].close()
        if self._folder and not self._kept and "vlcheck_folder" not in (self._input or {}):
            shutil.rmtree(self._folder, ignore_errors=True)

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
            raise pytest.UsageError(str(error)) from error
        # A worker has no terminal and no exit status of its own: its tests have to say it.
        self.problem = str(error)

    def _open(self) -> tuple[Workbench, Part]:
        if self._opened is None:
            from vlcheck.plugin.workbench import Workbench  # brings torch
            from vlcheck.report.results import Part

            self.settings.demand()
            self._demand_own_words()
            _ = self.beside  # what is wrong with it is said before anything is scored
            if not self.is_worker:
                _ = self.baseline
            bench = Workbench.open(self.settings, self.policy, self.source, self.folder, self.started)
            part = Part(self.folder, (self._input or {}).get("workerid", "main"))
            asked = [item for item, its in self._chosen if not bench.model.lacks(its.metric)]
            expected = list(dict.fromkeys(map(claim, asked)))
            required = self.policy.required_of(subjects(self._chosen))
            for item, its in sound(self._chosen):
                self.source.select(its.behavior(item).cases)  # the header says which pictures are left out
            part.keep([bench.header() | {"complete": self.complete, "required": required, "unjudged": expected}])
            self._opened = bench, part
        return self._opened

    def _keep(self, item: pytest.Item, judgement: Judgement) -> None:
        if not stated(item):
            judgement = replace(judgement, known=None)  # only the verdict fixture lets a known bias be
        bench, part = self._open()
        part.keep([*bench.images(judgement), *judgement.records(claim(item))])
        _hold(item, judgement)

    def thumbnail(self, picture: Picture) -> bytes:
        """The JPEG of a picture; empty where pictures are to be left out."""
        return self._opened[0].thumbnail(picture) if self._opened else b""


def _hold(item: pytest.Item, judgement: Judgement) -> None:
    """Keep a judgement for the item's reports: in the place of an earlier one on the same, as where a test is rerun."""
    others = [one for one in item.stash.get(JUDGEMENTS, []) if one.of != judgement.of]
    item.stash[JUDGEMENTS] = held = [*others, judgement]
    foreign = [(name, value) for name, value in item.user_properties if not name.startswith("vlcheck_")]
    item.user_properties[:] = [*foreign, *chain.from_iterable(one.properties() for one in held)]


RUN = pytest.StashKey[Run]()
JUDGEMENTS = pytest.StashKey["list[Judgement]"]()
