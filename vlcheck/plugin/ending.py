"""The end of a run: its results and page are written, and its exit status is 0 only if everything is in order."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck._util.paths import there_is
from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.plugin.reporters.lines import shown
from vlcheck.plugin.shard import PartOfRun

if TYPE_CHECKING:
    from vlcheck.plugin.run import Run
    from vlcheck.results.comparison import Comparison
    from vlcheck.results.file import ResultLines
    from vlcheck.results.places import Places


class Ending:
    """The end of a run, in the process that reports it; a worker of xdist reports nothing.

    Attributes:
        results: those of all processes; None until the end, and if no behavior was selected.
        comparison: these results compared with the baseline, if there is one.
        objections: reasons why the run has not passed, even if all its tests did.
        problem: an error for the user that occurred at the end of the run; "" if there is none.
        written: the results file; None if none was written.
        beside: the results file of the control; None if none was written.
        drawn: True once the page is written.
        kept: True if the run's folder has to stay, since the results could not be written elsewhere.
        said: True once all of that was shown.
        part: the part that was asked; only with --vl-shard.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._over = False
        self._forced = pytest.ExitCode.OK
        self._told: int | None = None  # printed last: two wrappers of one hook call `last_word`
        self.results: ResultLines | None = None
        self.comparison: Comparison | None = None
        self.objections: list[str] = []
        self.problem = ""
        self.written: Path | None = None
        self.beside: Path | None = None
        self.drawn = False
        self.kept = False
        self.said = False
        self.part: PartOfRun | None = None

    def finish(self, status: int) -> int:
        """Collect the results of all processes and write them, once; return the run's exit status.

        Args:
            status: the status with which pytest would end.
        """
        if self._over or self._run.process.is_worker:
            return self._at_least(status)
        self._over = True
        if self._run.lists:
            self._refuse_to_list()
        elif self._run.settings.shard:
            self._conclude_part(status)
        elif self._run.concerned:
            with self._ending(f"--vl-results {self._run.settings.results}: stopped before they were collected."):
                self._conclude(status)
            if self._forced and not self.written and (self.results is None or self.results.verdicts):
                self._keep_parts()
        return self._at_least(status)

    def explain(self) -> None:
        """Explain the worst cases; if that is stopped, the results say which are not explained."""
        with self._ending("--vl-explain: stopped before all cases were explained."):
            self._run.explain()

    def identify(self) -> None:
        """Check that a model that others run has not changed."""
        with self._ending("--vl-model: stopped before it was asked whether it is still the same model."):
            self._run.identify()

    def last_word(self, status: int) -> int:
        """Return the final exit status, even if other plugins changed pytest's; the results file gets the same."""
        final = self.finish(status)
        if self.written and self.results and self.results.run.exit_status != final:
            self._write_results(self.written, self.results, final)
            self._write_page(self.results, final)
        reasons = " ".join(filter(None, (*self.objections, self.problem)))
        if reasons and final != self._told and (final != status or not self.said):
            sys.stderr.write(f"vlcheck: the run ends with {int(final)}. {shown(reasons)}\n")
            self.said, self._told = True, final
        return final

    @property
    def places(self) -> Places:
        """The files for the results."""
        from vlcheck.results.places import Places  # not imported in runs of other projects

        return Places(self._run.settings.results)

    def left(self) -> Iterator[str]:
        """Yield the places of the results and the page, or those of older ones that were left as they are."""
        results, report = self._run.settings.results, self._run.settings.report
        yield from self.part.lines() if self.part else ()
        if self.written:
            from vlcheck.results.gate import named_run  # not imported in runs of other projects

            whole = self.places.kept if self.written != results else None
            yield f"results: {self.written}" + (f" (a part; {results.name} keeps {named_run(whole)})" if whole else "")
        if self.beside:
            yield f"results of the control: {self.beside}"
        elif older := self._older_control():
            yield f"left unchanged: {older}, of a control of an earlier run"
        if report and self.drawn:
            yield f"report: {report}"
        if self.results and not self.results.verdicts:
            yield from (f"left unchanged: {path}" for path in (results, report) if path and there_is(str(path)))

    def _older_control(self) -> Path | None:
        """Return the results of a control of an earlier run beside the results of this run, if they are there."""
        if not self.written:
            return None
        from vlcheck.results.places import control_beside  # not imported in runs of other projects

        older = control_beside(self.written)
        return older if older.exists() else None

    def _at_least(self, status: int) -> int:
        """Return the exit status for pytest's status: never 0 if there is an objection."""
        return self._forced or status or (pytest.ExitCode.TESTS_FAILED if self.objections else pytest.ExitCode.OK)

    def _refuse_to_list(self) -> None:
        """Fail if the command line asks for files although pytest only lists tests."""
        settings = self._run.settings
        names = ("results", "report") if settings.plan else ("results", "report", "baseline")
        if asked := [f"--vl-{name}" for name in names if options.on_the_command_line(self._run.config, name)]:
            self._fail(
                pytest.ExitCode.USAGE_ERROR, f"{', '.join(asked)}: {self._run.lists} judges nothing; leave one out."
            )

    def _conclude_part(self, status: int) -> None:
        """Say what part was asked; fail unless all of it was."""
        failed = pytest.ExitCode(status or pytest.ExitCode.TESTS_FAILED)
        self.part = PartOfRun.read(self._run.settings, self._run.process.folder)
        if self.part is None:
            self._fail(failed, f"--vl-shard {self._run.settings.shard}: the part was not scored.")
        for fault in self.part.faults if self.part else ():
            self._fail(failed, fault)

    def _conclude(self, status: int) -> None:
        """Collect the results of all processes, list objections, and write the files."""
        from vlcheck.results.explained_cases import keep_worst
        from vlcheck.results.gate import objections  # not imported in runs of other projects
        from vlcheck.results.parts import gather

        self.results = results = gather(self._run.process.folder)
        keep_worst(results)
        self.comparison = self._compared(results)
        self.objections = list(objections(results, self.comparison))
        if results.changed and self._run.settings.junit:
            from vlcheck.plugin.reporters.junit import add_failure  # not imported in runs of other projects

            add_failure(self._run.settings.junit, results.changed)
        if results.verdicts:
            self._write(self.places.choose(results), results, status)
            self._write_control()
        elif results.begun:
            results.ended_with(int(self._at_least(status)))
            with self._ending(f"--vl-results {self._run.settings.results}: stopped."):
                self.places.leave(results)

    def _compared(self, results: ResultLines) -> Comparison | None:
        """Return the comparison with the baseline; None if there is no baseline, or no verdict."""
        if not results.verdicts or self._run.inputs.baseline is None:
            return None
        from vlcheck.results.comparison import compare_run  # not imported in runs of other projects

        return compare_run(self._run.inputs.baseline, results)

    def _write(self, path: Path, results: ResultLines, status: int) -> None:
        """Write results and page; if an error on the way changes the exit status, write the results again."""
        self._write_results(path, results, status)
        self._write_page(results, status)
        if self.written and results.run.exit_status != self._at_least(status):
            self._write_results(path, results, status)
        if self.written and self._run.settings.report and not self.drawn:
            command = shlex.join(["vlcheck", "report", str(self.written), "--to"])
            self._fail(self._forced, f"The results are kept: `{command} FILE.html` draws the page.")

    def _write_results(self, path: Path, results: ResultLines, status: int) -> None:
        results.ended_with(int(self._at_least(status)))
        with self._ending(f"--vl-results {path}: stopped before they were written."):
            self.places.write(path, results)
            self.written = path
            return
        if self.written == path:  # a disk that is full
            self._fail(self._forced, f"{path.name} holds every verdict, and an exit status from before that.")

    def _write_page(self, results: ResultLines, status: int) -> None:
        report = self._run.settings.report
        if report:
            results.ended_with(int(self._at_least(status)))
            with self._ending(f"--vl-report {report}: stopped; if the file is there, it may be older."):
                self._draw(report, results, (self.written or self._run.settings.results).name)

    def _write_control(self) -> None:
        """Write the results of the control beside those of the model."""
        control = self._run.inputs.beside if self._run.settings.control and self.written else None
        if control and self.written:
            from vlcheck.results.file import write_results
            from vlcheck.results.gate import objections
            from vlcheck.results.places import control_beside  # not imported in runs of other projects

            control.ended_with(int(any(objections(control))))
            path = control_beside(self.written)
            with self._ending(f"--vl-control {path}: stopped before its results were written."):
                write_results(path, control)
                self.beside = path

    def _keep_parts(self) -> None:
        """Keep the run's folder, which holds the results of each process."""
        self.kept = True
        folder = self._run.process.folder
        self.problem += f" The results are kept in {folder}, in parts; vlcheck report draws each of them."

    def _draw(self, path: Path, results: ResultLines, source: str) -> None:
        """Write the page for reviewers. Raises UsageError."""
        from vlcheck.report import page  # not imported in runs of other projects

        drawn = page.stream(results, source=source, beside=self._run.inputs.beside, comparison=self.comparison)
        page.write_page(path, drawn, "--vl-report")
        self.drawn = True

    @contextmanager
    def _ending(self, stopped: str) -> Iterator[None]:
        """Make an error the run's problem.

        Args:
            stopped: the problem's text if the error is Ctrl-C.
        """
        try:
            yield
        except UsageError as error:
            self._fail(pytest.ExitCode.USAGE_ERROR, options.message_of(error))
        except KeyboardInterrupt:
            self._fail(pytest.ExitCode.INTERRUPTED, stopped)

    def _fail(self, status: pytest.ExitCode, problem: str) -> None:
        self._forced = status
        self.problem = " ".join(filter(None, (self.problem, problem)))


def status_of(error: BaseException) -> int:
    """Return the exit status of a process that ends with this exception, as Python and pytest define it."""
    match error:
        case SystemExit(code=int() | None as code):
            return code or 0
        case SystemExit():
            return 1
        case pytest.UsageError():
            return pytest.ExitCode.USAGE_ERROR
        case KeyboardInterrupt():
            return pytest.ExitCode.INTERRUPTED
        case _:
            return pytest.ExitCode.INTERNAL_ERROR
