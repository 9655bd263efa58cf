"""The folder of trained variants: its files, their checksums, and the lock of a training."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from vlcheck._util.foreign_files import fault
from vlcheck.errors import UsageError, argument, marked
from vlcheck.models.original.albef.config import AlbefConfig, original_configs
from vlcheck.models.original.wordpiece import VOCABULARY
from vlcheck.zoo.captions import vocabulary
from vlcheck.zoo.recipe import Recipe

CHECKSUMS = "SHA256SUMS"
SHARED = (VOCABULARY, "config.json", "config_bert.json")  # files that all variants of a folder share
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")
_ACCEPTED = "Accepted: an empty folder, or one that `vlcheck train` made and nobody changed."


@contextmanager
def reserved(folder: Path, recipe: Recipe) -> Iterator[None]:
    """Lock a folder for one training of a recipe.

    Args:
        folder: created if it does not exist.
        recipe: the recipe.

    Raises:
        UsageError: the folder cannot be written to, another process trains the recipe there, or the folder holds files
            that vlcheck did not write.
    """
    lock = FileLock(folder / f".{recipe.name}.lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owned_sums(folder, shared(recipe.config))
        held = lock.acquire()
    except Timeout as error:
        raise UsageError(
            f"{argument('to', folder)}: another process trains {recipe.name} there; wait for it, or name another"
            " folder."
        ) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    with held:
        yield


def shared(config: AlbefConfig) -> dict[str, bytes]:
    """Return the files that all networks of one size share, by name: vocabulary and configs."""
    sizes, bert = original_configs(config)
    contents = (as_lines(*vocabulary()), as_lines(json.dumps(sizes, indent=2)), as_lines(json.dumps(bert, indent=2)))
    return dict(zip(SHARED, contents, strict=True))


def owned_sums(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the checksums in a folder that `vlcheck train` may write to; {} if it has not written there yet.

    Args:
        folder: an existing folder.
        files: name -> content, for the files to write.

    Raises:
        UsageError: one of the files exists with other content, and no checksum shows that vlcheck wrote it.
        OSError: one of the files cannot be read.
    """
    sums = _sums_of_vlcheck(folder)
    for name, content in files.items():
        path = folder / name
        if path.exists() and digest_of(path) not in (sums.get(name), sha256(content)):
            raise _foreign(folder, name)
    return sums


def _sums_of_vlcheck(folder: Path) -> dict[str, str]:
    try:
        sums = read_sums(folder)
    except FileNotFoundError:
        return {}
    except UsageError as error:
        raise UsageError(f"{argument('to', folder)}: {marked(error)} {_ACCEPTED}") from error
    if not sums.keys() >= set(SHARED):
        raise _foreign(folder, CHECKSUMS)
    return sums


def _foreign(folder: Path, name: str) -> UsageError:
    why = f"{name} is there already, not as `vlcheck train` left it, and would be overwritten"
    return UsageError(f"{argument('to', folder)}: {why}. {_ACCEPTED}")


def read_sums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in the folder's list of checksums.

    Raises:
        UsageError: the list is damaged.
        OSError: there is no list.
    """
    path = folder / CHECKSUMS
    try:
        text = _content(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a list of checksums: it is not UTF-8 at byte {error.start}.") from error
    return dict(_sum(path, number, line) for number, line in enumerate(text.splitlines(), start=1))


def _sum(path: Path, number: int, line: str) -> tuple[str, str]:
    """Return the file and the checksum that a line states."""
    match = _SUM.fullmatch(line)
    if not match:
        raise UsageError(f"{path}:{number}: not a checksum: 64 hexadecimal digits, two spaces, and the name of a file.")
    return match[2], match[1]


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file. Raises OSError if it cannot be read."""
    return sha256(_content(path))


def _content(path: Path) -> bytes:
    """Return a file's bytes. Raises OSError if it is not a regular file or cannot be read: a pipe would block."""
    if path.exists() and not path.is_file():
        raise OSError(None, fault(path), str(path))
    return path.read_bytes()


def checksums(sums: Mapping[str, str]) -> bytes:
    """Return checksums in the format that `read_sums` reads."""
    return as_lines(*(f"{digest}  {name}" for name, digest in sorted(sums.items())))


def as_lines(*texts: str) -> bytes:
    """Return the content of a text file with these lines."""
    return "".join(f"{text}\n" for text in texts).encode()


def unwritable(folder: Path, error: OSError) -> UsageError:
    """Return the error to raise if a file in the folder cannot be written.

    Args:
        folder: the folder.
        error: the operating system's error.
    """
    return UsageError(
        f"{argument('to', folder)}: {error.filename or folder} cannot be written ({error.strerror or error})."
    )


def sha256(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
