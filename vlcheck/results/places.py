"""The files of a run's results: the named file, a part beside it, and an unfinished file while the run goes on.

The unfinished file is created before the model is loaded, and removed when results are written. If a process ends
without results, in whatever way, the file remains and shows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from vlcheck._util.files import Others, placing
from vlcheck.results.file import OPTION, ResultLines, check_results_path, head, write_results
from vlcheck.results.records import SCHEMA, RunRecord, StatedRecord
from vlcheck.results.schema import encoded, line_of
from vlcheck.results.unjudged import asked_all

_PART, _UNFINISHED = "part", "unfinished"


@dataclass(frozen=True)
class Places:
    """The files of a run's results.

    Attributes:
        named: the file that the user names.
    """

    named: Path

    @classmethod
    def around(cls, path: Path) -> Places:
        """Return the places that a file is one of."""
        base = path.stem.removesuffix(f".{_PART}").removesuffix(f".{_UNFINISHED}")
        return cls(path.with_name(f"{base}{path.suffix}"))

    @property
    def part(self) -> Path:
        """The file for a run of a part of the suite, if the named file holds a whole run."""
        return self._beside(_PART)

    @property
    def unfinished(self) -> Path:
        """The file of a run that goes on, or that ended without a verdict."""
        return self._beside(_UNFINISHED)

    @property
    def of_control(self) -> tuple[Path, Path]:
        """The files for the results of a control, beside those of the model."""
        return control_beside(self.named), control_beside(self.part)

    def __iter__(self) -> Iterator[Path]:
        yield from (self.named, self.part, self.unfinished)

    def demand(self, others: Others) -> None:
        """Make sure that results can be written. Raises UsageError.

        Args:
            others: files that must not be replaced, by the option that names them.
        """
        for path in self:
            check_results_path(path, others)

    def begin(self, *, run_id: str, started: str, model: str, data: str, tests: Mapping[str, tuple[str, str]]) -> None:
        """Write the unfinished file, unless another process of the run has done so.

        Args:
            run_id: the id of the run.
            started: its start, as ISO 8601.
            model: the model's spec.
            data: the spec of the cases.
            tests: the ids of the selected tests, none of which has a verdict yet, with their biases and metrics.

        Raises:
            UsageError: the file cannot be written.
        """
        run = RunRecord(
            schema=SCHEMA,
            run_id=run_id,
            started=started,
            complete=False,
            name=model,
            model=model,
            data=data,
            fingerprint="",
            unjudged=[*tests],
            stated={name: StatedRecord(bias=bias, metric=metric) for name, (bias, metric) in tests.items()},
        )
        if not same_run(head(self.unfinished), run):
            said = {key: value for key, value in line_of(run).items() if value not in (None, [], {})}
            self._mark(json.dumps(said))

    def choose(self, results: ResultLines) -> Path:
        """Return the file for results; a part of the suite, or a run that was stopped, does not replace a whole run."""
        return self.named if asked_all(results.run) or not self.kept else self.part

    @property
    def kept(self) -> RunRecord | None:
        """The first line of the named file if it holds a whole run, else None."""
        run = head(self.named)
        return run if run and run.verdicts and asked_all(run) else None

    def write(self, path: Path, results: ResultLines) -> None:
        """Write results that have a verdict, and remove the unfinished file.

        Args:
            path: one of the places.
            results: the results.

        Raises:
            UsageError: the file cannot be written.
        """
        write_results(path, results)
        if same_run(head(self.unfinished), results.run):
            self.unfinished.unlink(missing_ok=True)

    def leave(self, results: ResultLines) -> None:
        """Write the end of a run without a verdict to the unfinished file; older results stay. Raises UsageError."""
        self._mark(encoded(replace(results.run, verdicts=0, lines=1)))

    def _mark(self, line: str) -> None:
        with placing(self.unfinished, OPTION) as draft:
            draft.write_text(f"{line}\n", encoding="utf-8")

    def _beside(self, what: str) -> Path:
        return self.named.with_name(f"{self.named.stem}.{what}{self.named.suffix}")


def control_beside(path: Path) -> Path:
    """Return the file for the results of a control, beside those of the model: RESULTS.control.jsonl."""
    return path.with_name(f"{path.stem}.control{path.suffix}")


def same_run(one: RunRecord | None, other: RunRecord) -> bool:
    """Return True if two first lines are of the same run; ids alone may be used twice.

    Args:
        one: a first line, or None.
        other: another one.
    """
    return one is not None and (one.run_id, one.started) == (other.run_id, other.started)
