"""The end of a run: what it judged is written where it belongs, and it never ends with 0 where that is not green."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from vlcheck.plugin.run import Run
    from vlcheck.results.comparison import Comparison
    from vlcheck.results.file import ResultLines
    from vlcheck.results.places import Places


class Ending:
    """What came of a run, in the process that says it; a worker of xdist says nothing.

    Attributes:
        results: what all processes found; None until then, and where nothing was selected.
        comparison: of these with the baseline, where there is one and something was judged.
        objections: why the run is not green, whatever its tests did.
        problem: what the user has to mend, where it cannot be said before the run's end.
        written: where the results went; None where they went nowhere.
        drawn: whether the page was.
        kept: whether the run's folder has to stay, since the results could go nowhere else.
        said: whether all of that was shown.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._over = False
        self._forced = pytest.ExitCode.OK
        self._told: int | None = None  # the status that was said last: two wrappers of one hook come to say it
        self.results: ResultLines | None = None
        self.comparison: Comparison | None = None
        self.objections: list[str] = []
        self.problem = ""
        self.written: Path | None = None
        self.drawn = False
        self.kept = False
        self.said = False

    def finish(self, status: int) -> int:
        """Put the parts together and write them, once; return the run's exit status.

        Args:
            status: what pytest would end with.
        """
        if self._over or self._run.is_worker:
            return self._at_least(status)
        self._over = True
        if self._run.lists:
            self._refuse_to_list()
        elif self._run.concerned:
            with self._ending(f"--vl-results {self._run.settings.results}: stopped before they were put together."):
                self._conclude(status)
            if self._forced and not self.written and (self.results is None or self.results.verdicts):
                self._keep_parts()
        return self._at_least(status)

    def last_word(self, status: int) -> int:
        """Return what the process ends with, whatever other plugins made of the exit status; the results say it too."""
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
        """Where results go."""
        from vlcheck.results.places import Places  # in no run of other projects

        return Places(self._run.settings.results)

    def left(self) -> Iterator[str]:
        """Yield where results and page are, or which older ones are as they were."""
        results, report = self._run.settings.results, self._run.settings.report
        if self.written:
            from vlcheck.results.gate import named_run  # in no run of other projects

            whole = self.places.kept if self.written != results else None
            yield f"results: {self.written}" + (f" (a part; {results.name} keeps {named_run(whole)})" if whole else "")
        if report and self.drawn:
            yield f"report: {report}"
        if self.results and not self.results.verdicts:
            yield from (f"as it was: {path}" for path in (results, report) if path and there_is(str(path)))

    def _at_least(self, status: int) -> int:
        """What the run ends with where pytest would end with a status: never 0 where there is an objection."""
        return self._forced or status or (pytest.ExitCode.TESTS_FAILED if self.objections else pytest.ExitCode.OK)

    def _refuse_to_list(self) -> None:
        """Where the command line asks a run for files and it judges nothing, say so."""
        settings = self._run.settings
        names = ("results", "report") if settings.plan else ("results", "report", "baseline")
        if asked := [f"--vl-{name}" for name in names if options.on_the_command_line(self._run.config, name)]:
            self._fail(
                pytest.ExitCode.USAGE_ERROR, f"{', '.join(asked)}: {self._run.lists} judges nothing; leave one out."
            )

    def _conclude(self, status: int) -> None:
        """Gather what was judged, object to it, and write it."""
        from vlcheck.results.file import gather
        from vlcheck.results.gate import objections  # in no run of other projects

        self.results = results = gather(self._run.folder)
        self.comparison = self._compared(results)
        self.objections = list(objections(results, self.comparison))
        if results.verdicts:
            self._write(self.places.choose(results), results, status)
        elif results.begun:
            results.ended_with(int(self._at_least(status)))
            with self._ending(f"--vl-results {self._run.settings.results}: stopped."):
                self.places.leave(results)

    def _compared(self, results: ResultLines) -> Comparison | None:
        """With the baseline; None where there is none, or nothing to compare with it."""
        if not results.verdicts or self._run.baseline is None:
            return None
        from vlcheck.results.comparison import compare_run  # in no run of other projects

        return compare_run(self._run.baseline, results)

    def _write(self, path: Path, results: ResultLines, status: int) -> None:
        """Write results and page; both say the exit status, which what goes wrong with them changes."""
        self._write_results(path, results, status)
        self._write_page(results, status)
        if self.written and results.run.exit_status != self._at_least(status):
            self._write_results(path, results, status)

    def _write_results(self, path: Path, results: ResultLines, status: int) -> None:
        results.ended_with(int(self._at_least(status)))
        with self._ending(f"--vl-results {path}: stopped before they were written."):
            self.places.write(path, results)
            self.written = path

    def _write_page(self, results: ResultLines, status: int) -> None:
        report = self._run.settings.report
        if report:
            results.ended_with(int(self._at_least(status)))
            with self._ending(f"--vl-report {report}: stopped; what is there may be older."):
                self._draw(report, results, (self.written or self._run.settings.results).name)

    def _keep_parts(self) -> None:
        """Leave what was judged where the run's processes have put it."""
        self.kept = True
        self.problem += f" They are kept in {self._run.folder}, in parts; vlcheck report draws each of them."

    def _draw(self, path: Path, results: ResultLines, source: str) -> None:
        """Write the page for reviewers. Raises UsageError."""
        from vlcheck.report import page  # in no run of other projects

        drawn = page.draw(results, source=source, beside=self._run.beside, comparison=self.comparison)
        page.write(path, drawn, "--vl-report")
        self.drawn = True

    @contextmanager
    def _ending(self, stopped: str) -> Iterator[None]:
        """Let what goes wrong be the run's problem; `stopped` says it of Ctrl-C."""
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
    """Return the exit status of a process that an exception ends, as Python and pytest have it."""
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
