"""The names of the classes that a model assigns to regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from vlcheck._util.foreign_files import read_text
from vlcheck.errors import NotApplicable, UsageError

FILE = "objects_vocab.txt"  # as the detector of Anderson et al. 2018 (arXiv:1707.07998) names it


@dataclass(frozen=True)
class RegionClasses:
    """The classes that a model's head for regions tells apart.

    Attributes:
        numbers: name -> the numbers of the classes with this name.
    """

    numbers: Mapping[str, tuple[int, ...]]

    @classmethod
    def read(cls, folders: Iterable[Path], size: int) -> Self | None:
        """Read the file FILE in the first folder that has it: one class a line, with commas between its names.

        Args:
            folders: the folders of the checkpoint and of its regions, in order of preference.
            size: number of classes of the head. If it is one more than the file has, the head's first class is the
                background.

        Returns:
            The classes, or None if no folder has the file.

        Raises:
            UsageError: the file cannot be read, has another number of classes, or a line without a name.
        """
        path = next((path for folder in folders if (path := folder / FILE).exists()), None)
        if path is None:
            return None
        lines = read_text(path).splitlines()
        background = size - len(lines)
        if background not in (0, 1):
            raise UsageError(f"{path}: {len(lines)} classes; the model has {size}, or {size - 1} and a background.")
        numbers: dict[str, tuple[int, ...]] = {}
        for place, line in enumerate(lines):
            for name in {_plain(name) for name in line.split(",")}:
                if not name:
                    raise UsageError(f"{path}:{place + 1}: {line!r} has to be names with commas between them.")
                numbers[name] = (*numbers.get(name, ()), place + background)
        return cls(numbers)

    def numbers_of(self, name: str) -> tuple[int, ...]:
        """Return the numbers of the classes with a name. Raises NotApplicable if there is none."""
        try:
            return self.numbers[_plain(name)]
        except KeyError:
            raise NotApplicable("the model has no class of regions of that name") from None


def _plain(name: str) -> str:
    return name.strip().casefold()
