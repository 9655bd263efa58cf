"""The number of pictures that are encoded together: found while a model is asked, from the free memory."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from vlcheck._util.memory import free_memory

A_PICTURE = 1 << 27  # bytes that a picture is taken to need until it is known
ON_CPU = 16  # pictures; larger batches are not faster there
ON_GPU = (16, 128)  # pictures: the fewest, however little memory is free, and the most
PATIENCE = 4  # full batches for which there was room, after which a larger size is tried
LONGEST_PATIENCE = 64  # the same, after larger sizes have failed again and again


class FoundSize:
    """The number of pictures that are encoded together.

    It is halved when there is no memory for a batch, and doubled again after some batches for which there was room: the
    memory may have been another process's. A size that fails again is tried less and less often.

    Args:
        most: the most pictures.
        start: the number to begin with; `most` if it is None.
    """

    def __init__(self, most: int, start: int | None = None) -> None:
        self.most = most
        self.now = most if start is None else max(1, min(start, most))
        self._patience, self._fitted, self._grown = PATIENCE, 0, False

    def failed(self, pictures: int) -> None:
        """Take at most half of a number of pictures for which there was no memory."""
        self.now = max(1, min(self.now, pictures // 2))
        if self._grown:
            self._patience = min(2 * self._patience, LONGEST_PATIENCE)
        self._fitted, self._grown = 0, False

    def fitted(self, pictures: int) -> None:
        """Double the size if there was room for enough batches of it, of which this one had some pictures."""
        self._fitted += pictures >= self.now
        if self._fitted >= self._patience and self.now < self.most:
            self.now, self._fitted, self._grown = min(2 * self.now, self.most), 0, True


def starting_size(device: str) -> int | None:
    """Return the number of pictures for which the free memory of a device is enough; None if that is not known.

    Args:
        device: the device of the model, which is loaded.
    """
    free = free_memory(device)
    return None if free is None else max(1, free // A_PICTURE)


def most_pictures(device: str, folder: Path) -> int:
    """Return the most pictures of a batch, by the free memory of a device; the same in all processes of a run.

    Args:
        device: the device of the model, e.g. "cpu" or "cuda".
        folder: a folder that the processes of the run share.
    """
    decided = folder / "batch-size"
    with FileLock(folder / "batch-size.lock"):
        if not decided.exists():
            decided.write_text(str(_most(device)), encoding="ascii")
        return int(decided.read_text(encoding="ascii"))


def _most(device: str) -> int:
    """Return ON_CPU, or for another device a power of two within ON_GPU."""
    if device == "cpu":
        return ON_CPU
    fewest, most = ON_GPU
    pictures = starting_size(device) or fewest
    return min(max(fewest, 1 << (pictures.bit_length() - 1)), most)
