"""The parts of a run's results: each process writes one, and they are put together at the run's end.

The line of a verdict follows its evidence and the images of this evidence. A part that was cut short by a kill
therefore holds whole verdicts and a rest that is ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from msgspec.structs import replace

from vlcheck._util import temporary
from vlcheck.errors import UsageError
from vlcheck.results.file import NO_RUN, ResultLines, selected_without_verdict
from vlcheck.results.records import ExplanationRecord, IdentityRecord, ImageRecord, Record
from vlcheck.results.schema import encoded, record_of

_PART = ".part.jsonl"  # end of the name of a process's part


class Part:
    """The part of the results that one process writes, test by test, so that a kill loses the current test alone.

    Args:
        folder: the folder of the run's parts.
        name: the name of the process.

    Attributes:
        images: the keys of the pictures that it has.
        enlarged: the keys of those of them that it has a larger copy of.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}{_PART}"
        self.images: set[str] = set()
        self.enlarged: set[str] = set()

    def keep(self, lines: Iterable[Record]) -> None:
        """Append lines, each image once, and once more with a larger copy; a line is written when it comes.

        Args:
            lines: the lines. If they raise, none of them is kept.

        Raises:
            UsageError: they cannot be written; then none of them is.
        """
        pictures: dict[str, bool] = {}  # whether there is a larger copy, by key
        try:
            with self._whole(), self._path.open("a", encoding="utf-8") as file:
                for line in lines:
                    if isinstance(line, ImageRecord):
                        if line.key in (self.enlarged if line.large else self.images):
                            continue
                        pictures[line.key] = bool(line.large)
                    file.write(f"{encoded(line)}\n")
        except OSError as error:
            raise UsageError(
                f"{temporary.where()}: {self._path}: the results cannot be kept there ({error.strerror})."
            ) from error
        self.images |= pictures.keys()
        self.enlarged |= {key for key, enlarged in pictures.items() if enlarged}

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Take back what was written if not all of it is: half a line would spoil the following one."""
        before = self._path.stat().st_size if self._path.exists() else 0
        try:
            yield
        except BaseException:
            with suppress(OSError):
                os.truncate(self._path, before)
            raise


def gather(folder: Path) -> ResultLines:
    """Put the parts in a folder together; lines that a kill cut short, and unreadable explanations, are left out.

    The field `unjudged` of each part's first line has all tests that should have a verdict; those that have none remain
    there. If the model changed during the run, or processes have loaded different ones, nobody knows which model the
    verdicts are about: they are invalid.
    """
    results = ResultLines()
    models: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{_PART}")):
        process = path.name.removesuffix(_PART)
        with path.open(encoding="utf-8", newline="\n") as file:
            results.add(line.removesuffix("\n") for line in file if line.endswith("\n"))
        if results.begun:
            models.setdefault(results.run.fingerprint, process)
    results.take(_of_other_models(results.run.name, [*models.values()]))
    results.run = replace(results.run, unjudged=selected_without_verdict(results)) if results.begun else NO_RUN
    if results.changed:
        results.void("changed", "the model may have become another one during the run")
    return results


def _of_other_models(name: str, processes: Sequence[str]) -> Iterator[IdentityRecord]:
    """Yield a line for each process but the first, of processes that have loaded a model each.

    Args:
        name: the model's name.
        processes: a process for each model that was loaded.
    """
    for process in processes[1:]:
        said = f"worker {process} has loaded another model than {processes[0]}, e.g. since its files were replaced"
        yield IdentityRecord(process=process, name=name, changed=said)


def reread(record: ExplanationRecord) -> ExplanationRecord:
    """Return an explanation as a reader of its line gets it. Raises ValueError or TypeError if none can read it."""
    return cast(ExplanationRecord, record_of(json.loads(encoded(record))))
