"""A control, such as a model that sees no picture: it is judged by the tests of the run, and shown beside its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from vlcheck._util.option_names import option_of
from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.cases import CaseSource
from vlcheck.errors import UsageError, marked, spelled
from vlcheck.explain.control import WORDS_ALONE, judge_control, tell_words, words_fault
from vlcheck.models.loading.two_types import in_one_type
from vlcheck.plugin import workbench
from vlcheck.plugin.settings import Settings
from vlcheck.plugin.workbench import Workbench
from vlcheck.policy.policy import Policy
from vlcheck.results.file import ResultLines
from vlcheck.results.parts import Part, gather
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.progress import Progress

_FOLDER = "control"  # in the folder of the run


@dataclass(frozen=True)
class Control:
    """The control of a run, in one process.

    Attributes:
        bench: its session.
        folder: its folder, shared by the run's processes.
        part: this process's part of its results.
        process: the name of the process.
    """

    bench: Workbench
    folder: Path
    part: Part
    process: str

    @classmethod
    def open(
        cls, settings: Settings, policy: Policy, source: CaseSource, folder: Path, process: str, engine: Engine
    ) -> Self:
        """Load the control.

        Args:
            settings: values of the options; `control` has the spec.
            policy: tolerances and limits.
            source: the cases.
            folder: shared by the run's processes.
            process: the name of this process.
            engine: runs its plans.

        Raises:
            UsageError: it cannot be loaded; the message names --vl-control.
        """
        own = folder / _FOLDER
        own.mkdir(exist_ok=True)
        with _named():
            bench = Workbench.open(_settings(settings), policy, source, own, engine)
            return cls(bench, own, Part(own, process), process)

    @property
    def fingerprint(self) -> str:
        """The digest of its weights and code."""
        return self.bench.session.model.adapter.fingerprint

    def begin(self, tests: Sequence[BehaviorTest], *, run_id: str, started: datetime, complete: bool) -> None:
        """Write the first line of its results, and what it tells from words alone if it sees no picture.

        Args:
            tests: the selected tests.
            run_id: the id of the run.
            started: the start of the run.
            complete: whether these are all tests of the suite.
        """
        self.part.keep([self.bench.session.header(tests, run_id=run_id, started=started, complete=complete)])
        with suppress(FileExistsError):  # another process of the run asks it
            (self.folder / "words").touch(exist_ok=False)
            tell_words(self.bench.session.model.adapter, self.part.keep, _said)

    def ask(self, tests: Sequence[BehaviorTest], progress: Callable[[Progress], None]) -> None:
        """Ask all queries of some tests ahead, shared with the run's other processes.

        Args:
            tests: the tests.
            progress: called after each part.
        """
        with suppress(UsageError):  # said of each test when the control is judged by it
            self.bench.session.ask(tests, progress)

    def judge(self, test: BehaviorTest) -> None:
        """Judge the control by a test, unless it does not offer the metric; a fault of its own fails no test."""
        judge_control(self.bench.session, test, self.part.keep, _said)

    def identify(self) -> None:
        """Ask a control that others run whether it is still the one of the start, and keep what it answers."""
        self.part.keep(self.bench.session.last_lines(self.process))

    def close(self) -> None:
        """Close its store."""
        self.bench.close()


def control_plan(
    settings: Settings, policy: Policy, source: CaseSource, tests: Sequence[BehaviorTest]
) -> Iterator[str]:
    """Yield the lines of --vl-plan about the control.

    Args:
        settings: values of the options; `control` has the spec.
        policy: tolerances and limits.
        source: the cases.
        tests: the selected tests.

    Raises:
        UsageError: it cannot be loaded; the message names --vl-control.
    """
    yield f"the control, {settings.control}:"
    with _named():
        yield from workbench.plan_lines(_settings(settings), policy, source, tests)


def control_results(folder: Path) -> ResultLines | None:
    """Return the results of the control from all processes of a run; None if it was asked nothing.

    Args:
        folder: shared by the run's processes.
    """
    found = gather(folder / _FOLDER)
    if not found.begun:
        return None
    if found.run.sees is False and not found.words and WORDS_ALONE not in found.faults:
        found.faults[WORDS_ALONE] = words_fault("the process that asked it ended before it had all answers")
    return found


def _settings(settings: Settings) -> Settings:
    """Return the settings with the control as the model; it is asked in one wording, not compared and not explained.

    It is asked in one number type: its choices are rivals in the model's verdicts.
    """
    dtype = in_one_type(settings.dtype)
    return replace(settings, model=settings.control, dtype=dtype, baseline=None, wordings=False, explain=())


def _said(error: Exception) -> str:
    """Return an error's message, with the names of options in place of parameters."""
    return spelled(marked(error), option_of)


@contextmanager
def _named() -> Iterator[None]:
    """Name --vl-control in an error about the model."""
    try:
        yield
    except UsageError as error:
        raise error.renamed("model", "control") from error
