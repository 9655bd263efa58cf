"""What the classes are called that a model of regions tells a region's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from vlcheck.errors import NotApplicable, UsageError

FILE = "objects_vocab.txt"  # as the detector of Anderson et al. 2018 (arXiv:1707.07998) comes with it


@dataclass(frozen=True)
class RegionClasses:
    """The classes of a head for regions, by their names."""

    numbers: Mapping[str, int]

    @classmethod
    def read(cls, folder: Path, size: int) -> Self | None:
        """Read FILE, where a folder has it: a class a line, with commas between its names.

        Args:
            folder: of the checkpoint.
            size: classes of the head, with or without a background before those of the file.

        Raises:
            UsageError: it cannot be read, or has another number of classes.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: cannot be read ({error}).") from error
        background = size - len(lines)
        if background not in (0, 1):
            raise UsageError(f"{path}: {len(lines)} classes; the model tells {size}, or {size - 1} and a background.")
        named = {
            name.strip(): number for number, line in enumerate(lines, start=background) for name in line.split(",")
        }
        return cls(named)

    def number(self, name: str) -> int:
        """The class of a name. Raises NotApplicable where there is none."""
        try:
            return self.numbers[name]
        except KeyError:
            raise NotApplicable("the model tells no class of regions of that name") from None
