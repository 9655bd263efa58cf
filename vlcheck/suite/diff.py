"""A copy of the suite in a team's repository: missing files, and who changed which file since it was copied."""

from __future__ import annotations

import difflib
import hashlib
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from vlcheck._util.foreign_files import parse_json
from vlcheck.errors import UsageError

RECORD = "fixtures/.vlcheck.json"


class Taken(NamedTuple):
    """The shipped version that a repository's file was copied from, or was last compared with by `vlcheck init`."""

    vlcheck: str
    sha256: str


Record = Mapping[str, Taken]


@dataclass(frozen=True)
class CopiedFile:
    """A shipped file, and the repository's copy of it.

    Attributes:
        path: path below the repository's folder, with slashes.
        shipped: content that this vlcheck ships.
        own: content of the copy, or None if there is none.
        taken: the version that the copy was made from, or None if it is not recorded.
    """

    path: str
    shipped: bytes
    own: bytes | None
    taken: Taken | None

    @property
    def missing(self) -> bool:
        """True if the repository has no such file."""
        return self.own is None

    @property
    def differs(self) -> bool:
        """True if the repository has such a file, with another content."""
        return self.own is not None and _sha256(self.own) != _sha256(self.shipped)

    @property
    def history(self) -> str:
        """The side that changed the file, or the reason why it is missing, in words."""
        if self.own is None:
            return f"missing, and was written by vlcheck {self.taken.vlcheck}" if self.taken else "missing"
        if self.taken is None:
            return f"differs, and {RECORD} does not say from which vlcheck it is"
        yours, shipped = _sha256(self.own) != self.taken.sha256, _sha256(self.shipped) != self.taken.sha256
        if yours and shipped:
            return f"you and vlcheck changed it since {self.taken.vlcheck}"
        return f"only {'you' if yours else 'vlcheck'} changed it since {self.taken.vlcheck}"

    def diff(self) -> Iterator[str]:
        """Yield the lines of a patch from the repository's file to the shipped one; nothing if they are equal."""
        if self.own is not None and self.differs:
            for line in difflib.unified_diff(
                _lines(self.own), _lines(self.shipped), f"a/{self.path}", f"b/{self.path}"
            ):
                yield from [line[:-1]] if line.endswith("\n") else [line, "\\ No newline at end of file"]


@dataclass(frozen=True)
class SuiteCopy:
    """All files of the suite as a repository has them.

    Attributes:
        version: the version of this vlcheck.
        files: one entry for each shipped file.
        unknown: paths of files beside them that this vlcheck does not ship.
        record: path -> version that the file was copied from.
    """

    version: str
    files: tuple[CopiedFile, ...]
    unknown: tuple[str, ...]
    record: Record

    @property
    def missing(self) -> list[CopiedFile]:
        """The files that `write` would write."""
        return [file for file in self.files if file.missing]

    @property
    def differing(self) -> list[CopiedFile]:
        """The files that differ from the shipped ones, and that `write` leaves unchanged."""
        return [file for file in self.files if file.differs]

    def recorded(self) -> bytes:
        """Return the record after all missing files are written.

        A file that differs and is recorded keeps its entry. A user who has merged vlcheck's changes into it removes the
        entry, and the file then counts as copied from this version.
        """
        now = {file.path: Taken(self.version, _sha256(file.shipped)) for file in self.files}
        kept = {file.path: file.taken for file in self.differing if file.taken}
        entries = {path: taken._asdict() for path, taken in sorted((now | kept).items())}
        return f"{json.dumps(entries, indent=2)}\n".encode()


def compare_files(
    version: str, shipped: Mapping[str, bytes], own: Mapping[str, bytes], others: Collection[str], record: Record
) -> SuiteCopy:
    """Compare a repository's files with the shipped ones.

    Args:
        version: the version of this vlcheck.
        shipped: path -> content, for the shipped files.
        own: path -> content, for the repository's files under these paths.
        others: paths of all files in the suite's folders of the repository.
        record: the versions that the repository's files were copied from.
    """
    files = [CopiedFile(path, content, own.get(path), record.get(path)) for path, content in shipped.items()]
    return SuiteCopy(version, tuple(files), tuple(sorted(set(others) - shipped.keys())), record)


def read_record(content: bytes, where: str) -> Record:
    """Read a record that `recorded` wrote.

    Args:
        content: the file's bytes.
        where: its path, for the message.

    Raises:
        UsageError: it is not such a record.
    """
    try:
        entries = parse_json(content.decode("utf-8-sig"))
        return {path: Taken(str(entry["vlcheck"]), str(entry["sha256"])) for path, entry in entries.items()}
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise UsageError(
            f"{where}: is no record of vlcheck init. Take it back from version control, or delete it: what differs then"
            " counts as changed by you."
        ) from error


def _unix(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")  # version control may have converted line ends


def _sha256(content: bytes) -> str:
    return hashlib.sha256(_unix(content)).hexdigest()


def _lines(content: bytes) -> list[str]:
    """Return the lines, split at newlines alone: `str.splitlines` knows other line ends, which a patch does not."""
    return list(io.StringIO(_unix(content).decode(errors="replace"), newline="\n"))
