"""Where a run's results go: the named file, a part beside it, and an unfinished file as long as the run goes on.

The unfinished file is there from before the model is loaded until results are written. Where a process ends without
them, however it does, the file stays and says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from vlcheck._util.files import Others, placing
from vlcheck.results.conclusion import asked_all
from vlcheck.results.file import OPTION, ResultLines, check_place, encoded, head, write
from vlcheck.results.records import SCHEMA, RunRecord
from vlcheck.results.schema import line_of

_PART, _UNFINISHED = "part", "unfinished"


@dataclass(frozen=True)
class Places:
    """The files of a run's results.

    Attributes:
        named: where results are to go.
    """

    named: Path

    @classmethod
    def around(cls, path: Path) -> Places:
        """Return the places of which a file is one."""
        base = path.stem.removesuffix(f".{_PART}").removesuffix(f".{_UNFINISHED}")
        return cls(path.with_name(f"{base}{path.suffix}"))

    @property
    def part(self) -> Path:
        """The file of a run that judged a part, where the named one holds a whole run."""
        return self._beside(_PART)

    @property
    def unfinished(self) -> Path:
        """The file of a run that goes on, or ended without a verdict."""
        return self._beside(_UNFINISHED)

    def __iter__(self) -> Iterator[Path]:
        yield from (self.named, self.part, self.unfinished)

    def demand(self, others: Others) -> None:
        """Make sure that results can be written there. Raises UsageError.

        Args:
            others: files that they must not replace, by the option that names them.
        """
        for path in self:
            check_place(path, others)

    def begin(self, *, run_id: str, started: str, model: str, data: str) -> None:
        """Start the unfinished file, whichever of the run's processes is the first. Raises UsageError."""
        run = RunRecord(
            schema=SCHEMA,
            run_id=run_id,
            started=started,
            complete=False,
            name=model,
            model=model,
            data=data,
            fingerprint="",
        )
        if not same_run(head(self.unfinished), run):
            said = {key: value for key, value in line_of(run).items() if value not in (None, [], {})}
            self._mark(json.dumps(said))

    def choose(self, results: ResultLines) -> Path:
        """Return where results go: a part of the suite, or of a run that was stopped, replaces no whole run."""
        return self.named if asked_all(results.run) or not self.kept else self.part

    @property
    def kept(self) -> RunRecord | None:
        """The whole run whose results the named file holds; None where it holds none."""
        run = head(self.named)
        return run if run and run.verdicts and asked_all(run) else None

    def write(self, path: Path, results: ResultLines) -> None:
        """Write results of which something was judged, and end the unfinished file. Raises UsageError."""
        write(path, results)
        if same_run(head(self.unfinished), results.run):
            self.unfinished.unlink(missing_ok=True)

    def leave(self, results: ResultLines) -> None:
        """Let the unfinished file say how a run without a verdict ended; older results stay. Raises UsageError."""
        self._mark(encoded(replace(results.run, verdicts=0, lines=1)))

    def _mark(self, line: str) -> None:
        with placing(self.unfinished, OPTION) as draft:
            draft.write_text(f"{line}\n", encoding="utf-8")

    def _beside(self, what: str) -> Path:
        return self.named.with_name(f"{self.named.stem}.{what}{self.named.suffix}")


def same_run(one: RunRecord | None, other: RunRecord) -> bool:
    """Return whether two first lines are of one run: an id alone may be given twice."""
    return one is not None and (one.run_id, one.started) == (other.run_id, other.started)
