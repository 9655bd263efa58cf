"""A run with --vl-shard: it asks one part of the questions, and judges nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck._util.numbers import counted
from vlcheck.errors import UsageError
from vlcheck.plugin import options

if TYPE_CHECKING:
    from vlcheck.plugin.settings import Settings
    from vlcheck.scoring.engines.engine import Engine
    from vlcheck.scoring.shards import PartAnswered, ShardEngine

_FILES = ("results", "report", "baseline", "beside")  # options that need verdicts
_MARK = "shard-"  # beginning of the names of the files in which processes say what they have answered


def demand_shard(config: pytest.Config, settings: Settings) -> None:
    """Check that the other options go with --vl-shard.

    Args:
        config: pytest's configuration of the run.
        settings: values of the options.

    Raises:
        UsageError: one does not.
    """
    from vlcheck.scoring.shards import Shard  # not imported in runs of other projects

    Shard.parse(settings.shard)
    said = f"--vl-shard {settings.shard}"
    if not settings.store:
        raise UsageError(f"{said}: needs --vl-store FILE, a store of this part alone, which vlcheck merge reads.")
    if settings.sequential:
        raise UsageError(f"{said}: does not go with --vl-sequential, in which each batch depends on the ones before.")
    if settings.dtype == "verified":
        raise UsageError(
            f"{said}: does not go with --vl-dtype verified, in which what is asked in float32 depends on the answers to"
            " all parts. Name a number type, e.g. --vl-dtype float32."
        )
    if asked := [f"--vl-{name}" for name in _FILES if options.on_the_command_line(config, name)]:
        raise UsageError(
            f"{said}: a part judges nothing. Leave out {', '.join(asked)}, which a run on all parts takes."
        )


def shard_engine(engine: Engine, settings: Settings) -> ShardEngine:
    """Return the engine that asks one part by another engine.

    Args:
        engine: the other engine.
        settings: values of the options.
    """
    from vlcheck.scoring.shards import Shard, ShardEngine  # not imported in runs of other projects

    return ShardEngine(engine, Shard.parse(settings.shard), settings.data)


def ask_part(engine: ShardEngine, asks: Iterable[Callable[[], None]], note: Path) -> None:
    """Ask one part of each plan; where later plans depend on other parts, leave them.

    Args:
        engine: the engine of the run.
        asks: functions that ask, e.g. the model and its control.
        note: file in which this process says what it has answered.

    Raises:
        UsageError: the store cannot be used, or the data lacks something.
    """
    from vlcheck.scoring.shards import OtherPartsNeeded

    open_ = False
    for ask in asks:
        try:
            ask()
        except OtherPartsNeeded:
            open_ = True
    note.write_text(json.dumps({"open": open_, "parts": [asdict(part) for part in engine.parts]}), encoding="utf-8")


@dataclass(frozen=True)
class PartOfRun:
    """A part of the run's questions, as its processes have answered it.

    Attributes:
        shard: the part, "2/8".
        store: the file of its answers.
        parts: for each plan, what was answered.
        is_open: whether the store lacks answers to other parts, on which further questions may depend.
    """

    shard: str
    store: Path
    parts: tuple[PartAnswered, ...]
    is_open: bool

    @classmethod
    def read(cls, settings: Settings, folder: Path) -> PartOfRun | None:
        """Return the part as the processes of a run have answered it; None if none of them has.

        Args:
            settings: values of the options.
            folder: the folder of the run.
        """
        from vlcheck.scoring.shards import PartAnswered

        said = [json.loads(note.read_text(encoding="utf-8")) for note in sorted(folder.glob(f"{_MARK}*"))]
        if not said or not settings.store:
            return None
        last = said[-1]  # all processes have answered the same part together
        parts = tuple(PartAnswered(**part) for part in last["parts"])
        return cls(settings.shard, settings.store, parts, last["open"])

    @property
    def faults(self) -> Iterator[str]:
        """Why the part is not scored, in sentences."""
        errors = sum(part.errors for part in self.parts)
        if errors:
            first = next(part.error for part in self.parts if part.error)
            yield (
                f"--vl-shard {self.shard}: {counted(errors, 'answer')} of this part are errors, which no store keeps,"
                f" e.g.: {first}. Run it again, or let the run on all parts ask them again."
            )

    def lines(self) -> Iterator[str]:
        """Yield what was answered, and what comes next."""
        number, _, count = self.shard.partition("/")
        questions, of, pictures = (
            sum(getattr(part, name) for part in self.parts) for name in ("questions", "of", "pictures")
        )
        yield (
            f"part {number} of {count}: {counted(questions, 'question')} of {of:,} about {counted(pictures, 'picture')}"
            f" answered, in {self.store}; nothing is judged"
        )
        if self.is_open:
            yield (
                "Next: vlcheck merge, with the stores of all parts. Which further questions there are depends on"
                " their answers: ask each part again on the merged store, or let the run on it ask them."
            )
        else:
            yield f"Nothing is left to ask: run without --vl-shard, with --vl-store {self.store}."


def note_of(folder: Path, process: str) -> Path:
    """Return the file in which a process of a run says what it has answered.

    Args:
        folder: the folder of the run.
        process: the name of the process.
    """
    return folder / f"{_MARK}{process}"
