"""One of the processes of a run: its name, and the folder, the start and the id that it shares with the others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.results import run_id

if TYPE_CHECKING:
    from vlcheck._util.temporary import Scratch


class RunProcess:
    """This process among those of a run: a worker of pytest-xdist, or the one that was started.

    Attributes:
        started: start of the run, the same in all processes; known biases expire by its date.
        run_id: id of the run.
    """

    def __init__(self, config: pytest.Config, said_id: str) -> None:
        self._input: dict[str, Any] = getattr(config, "workerinput", {})
        self.is_worker = hasattr(config, "workerinput")
        said = self._input.get("vlcheck_started")
        self.started = datetime.fromisoformat(said) if said else datetime.now(UTC)
        self.run_id = self._input.get("vlcheck_run_id") or said_id or run_id.drawn()
        self._scratch: Scratch | None = None

    @property
    def name(self) -> str:
        """The name of this process among those of the run."""
        return str(self._input.get("workerid", "main"))

    @property
    def folder(self) -> Path:
        """The folder in which the run's processes share scores, and store their parts of the results."""
        if shared := self._input.get("vlcheck_folder"):
            return Path(shared)
        if self._scratch is None:
            from vlcheck._util.temporary import Scratch  # not imported in runs of other projects

            try:
                self._scratch = Scratch()
            except UsageError as error:
                raise pytest.UsageError(options.message_of(error)) from error
        return self._scratch.path

    @property
    def has_chosen(self) -> bool:
        """True if this process has made the run's folder, and any process has selected behaviors."""
        return self._scratch is not None and self._note.exists()

    def note_choice(self) -> None:
        """Tell the other processes, even after this one died, that behaviors were selected."""
        self._note.touch()

    @property
    def _note(self) -> Path:
        return self.folder / "selected"

    def close(self, *, keep: bool) -> None:
        """Delete the run's folder if this process made it.

        Args:
            keep: whether it has to stay.
        """
        if self._scratch:
            self._scratch.keep() if keep else self._scratch.close()
