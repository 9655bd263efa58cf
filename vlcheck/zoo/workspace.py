"""The folder of trained variants: whose files are in it, which of them are whole, and who trains there."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from vlcheck._util.foreign_files import fault
from vlcheck.errors import UsageError
from vlcheck.models.original.albef.config import AlbefConfig, original_configs
from vlcheck.models.original.wordpiece import VOCABULARY
from vlcheck.zoo.captions import vocabulary
from vlcheck.zoo.recipe import Recipe

CHECKSUMS = "SHA256SUMS"
SHARED = (VOCABULARY, "config.json", "config_bert.json")  # by all variants of a folder
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")
_ACCEPTED = "Accepted: an empty folder, or one that `vlcheck train` made and nobody changed."


@contextmanager
def reserved(folder: Path, recipe: Recipe) -> Iterator[None]:
    """Keep a folder, made where it is missing, to one training of a recipe.

    Raises:
        UsageError: it cannot be written to, another process trains the recipe there, or files of others are there.
    """
    lock = FileLock(folder / f".{recipe.name}.lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owned_sums(folder, shared(recipe.config))
        held = lock.acquire()
    except Timeout as error:
        message = f"--to {folder}: another process trains {recipe.name} there; wait for it, or name another folder."
        raise UsageError(message) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    with held:
        yield


def shared(config: AlbefConfig) -> dict[str, bytes]:
    """What stands beside the weights of networks of a size, by the names in SHARED."""
    sizes, bert = original_configs(config)
    contents = (lines(*vocabulary()), lines(json.dumps(sizes, indent=2)), lines(json.dumps(bert, indent=2)))
    return dict(zip(SHARED, contents, strict=True))


def owned_sums(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """The checksums of a folder that `vlcheck train` may write to; none where it has not yet.

    Args:
        folder: that is there.
        files: what would be written, by name.

    Raises:
        UsageError: one of them is there with other content, and no checksum says that it was written by vlcheck.
        OSError: one of them cannot be read.
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
        raise UsageError(f"--to {folder}: {error} {_ACCEPTED}") from error
    if not sums.keys() >= set(SHARED):
        raise _foreign(folder, CHECKSUMS)
    return sums


def _foreign(folder: Path, name: str) -> UsageError:
    why = f"{name} is there already, not as `vlcheck train` left it, and would be overwritten"
    return UsageError(f"--to {folder}: {why}. {_ACCEPTED}")


def read_sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that has one.

    Raises:
        UsageError: the list of them is damaged.
        OSError: there is none.
    """
    path = folder / CHECKSUMS
    try:
        text = _content(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a list of checksums: it is not UTF-8 at byte {error.start}.") from error
    return dict(_sum(path, number, line) for number, line in enumerate(text.splitlines(), start=1))


def _sum(path: Path, number: int, line: str) -> tuple[str, str]:
    """A line's file and its checksum."""
    match = _SUM.fullmatch(line)
    if not match:
        raise UsageError(f"{path}:{number}: no checksum: 64 hexadecimal digits, two spaces, and the name of a file.")
    return match[2], match[1]


def digest_of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError where it cannot be read."""
    return sha256(_content(path))


def _content(path: Path) -> bytes:
    """What a file holds. Raises OSError where it cannot be read; a pipe would be waited for."""
    if path.exists() and not path.is_file():
        raise OSError(None, fault(path), str(path))
    return path.read_bytes()


def checksums(sums: Mapping[str, str]) -> bytes:
    """The list that `read_sums` reads."""
    return lines(*(f"{digest}  {name}" for name, digest in sorted(sums.items())))


def lines(*texts: str) -> bytes:
    """A text file of them."""
    return "".join(f"{text}\n" for text in texts).encode()


def unwritable(folder: Path, error: OSError) -> UsageError:
    """What to raise where a file in the folder cannot be written."""
    return UsageError(f"--to {folder}: {error.filename or folder} cannot be written ({error.strerror or error}).")


def sha256(content: bytes) -> str:
    """As SHA256SUMS has it."""
    return hashlib.sha256(content).hexdigest()
