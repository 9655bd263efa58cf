"""Temporary folders that are locked while their process lives, so that later processes delete those of killed ones."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from vlcheck.errors import UsageError

PREFIX = "vlcheck-"
_LOCK, _OWNER = "alive.lock", "owner"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_TRIES = 5


class Scratch:
    """A temporary folder of this process, deleted at the end; a context manager that returns its path.

    Creating one deletes the folders that killed processes of the same user and host left.

    Raises:
        UsageError: If no folder can be made; the message names TMPDIR.
    """

    def __init__(self) -> None:
        try:
            sweep(Path(tempfile.gettempdir()))
            self.path, self._lock = _make()
        except OSError as error:
            why = error.strerror or error
            raise UsageError(f"{where()}: no temporary folder can be made there ({why}).") from error

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def keep(self) -> None:
        """Leave the folder for later runs, since its content can be stored nowhere else."""
        (self.path / _OWNER).unlink(missing_ok=True)
        self._lock.release()

    def close(self) -> None:
        """Delete the folder."""
        self._lock.release()
        with suppress(OSError):
            _delete(self.path)


def where() -> str:
    """Name the folder for temporary files in a message, with the variable that changes it."""
    said = os.environ.get("TMPDIR", "")
    return f"TMPDIR {said}" if said else "TMPDIR (not set)"


def sweep(folder: Path) -> None:
    """Delete the folders that killed processes left; those of living processes and of other users stay."""
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if _is_ours(path):
                path.rmdir()  # an empty one was left between two steps; who is making it now makes another
        with suppress(OSError, Timeout):
            if _is_ours(path) and _is_of_this_host(path / _OWNER):
                with FileLock(path / _LOCK, timeout=0):
                    _delete(path)


def _make() -> tuple[Path, FileLock]:
    """Make a folder; it says whose it is only when it is locked, since what says so may be swept."""
    for _ in range(_TRIES):
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = FileLock(path / _LOCK, timeout=0)
        with suppress(FileNotFoundError):  # swept while it was empty
            lock.acquire()
            (path / _OWNER).write_text("\n".join(_host()), encoding="utf-8")
            return path, lock
    raise FileNotFoundError(f"{_TRIES} new folders were deleted at once")


def _is_ours(path: Path) -> bool:
    """Return True if a path is a folder of the user, and not a link to one."""
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())


def _is_of_this_host(owner: Path) -> bool:
    """Return True if the lock shows whether the owner lives; locks of another host may be invisible on shared disks."""
    return stat.S_ISREG(owner.lstat().st_mode) and bool({*owner.read_text(encoding="utf-8").split("\n")} & {*_host()})


def _host() -> list[str]:
    """Return what identifies a host: its name, and the boot id, which containers of one host share."""
    boot = ""
    with suppress(OSError):
        boot = _BOOT.read_text(encoding="ascii").strip()
    return [one for one in (platform.node(), boot) if one]


def _delete(path: Path) -> None:
    """Delete a folder; the owner's file goes last, so that an interrupted deletion is completed by a later process."""
    for entry in path.iterdir():
        if entry.name not in (_LOCK, _OWNER):
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink(missing_ok=True)
    (path / _LOCK).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
