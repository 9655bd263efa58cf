"""A copy of the suite in a team's repository: what it lacks, and who changed which of its files since."""

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
    """The shipped version of a file that a repository's own was taken from, or was last compared with by `init`."""

    vlcheck: str
    sha256: str


Record = Mapping[str, Taken]


@dataclass(frozen=True)
class CopiedFile:
    """A shipped file, and what the repository has in its place.

    Attributes:
        path: below the repository's folder, with slashes.
        shipped: what this vlcheck ships.
        own: what is there, or None where nothing is.
        taken: where that is from, or None where it is not recorded.
    """

    path: str
    shipped: bytes
    own: bytes | None
    taken: Taken | None

    @property
    def missing(self) -> bool:
        """Whether the repository has no such file."""
        return self.own is None

    @property
    def differs(self) -> bool:
        """Whether there is such a file, with another content."""
        return self.own is not None and _sha256(self.own) != _sha256(self.shipped)

    @property
    def history(self) -> str:
        """Who made it differ, or why it is missing."""
        if self.own is None:
            return f"missing, and was written by vlcheck {self.taken.vlcheck}" if self.taken else "missing"
        if self.taken is None:
            return f"differs, and {RECORD} does not say from which vlcheck it is"
        yours, shipped = _sha256(self.own) != self.taken.sha256, _sha256(self.shipped) != self.taken.sha256
        if yours and shipped:
            return f"you and vlcheck changed it since {self.taken.vlcheck}"
        return f"only {'you' if yours else 'vlcheck'} changed it since {self.taken.vlcheck}"

    def diff(self) -> Iterator[str]:
        """From the repository's file to the shipped one, as a patch has it; empty unless it differs."""
        if self.own is not None and self.differs:
            for line in difflib.unified_diff(
                _lines(self.own), _lines(self.shipped), f"a/{self.path}", f"b/{self.path}"
            ):
                yield from [line[:-1]] if line.endswith("\n") else [line, "\\ No newline at end of file"]


@dataclass(frozen=True)
class SuiteCopy:
    """All files of the suite as a repository has them.

    Attributes:
        version: this vlcheck's.
        files: one for each that is shipped.
        unknown: files beside them that this vlcheck does not ship.
        record: where each file was taken from.
    """

    version: str
    files: tuple[CopiedFile, ...]
    unknown: tuple[str, ...]
    record: Record

    @property
    def missing(self) -> list[CopiedFile]:
        """What would be written."""
        return [file for file in self.files if file.missing]

    @property
    def differing(self) -> list[CopiedFile]:
        """What is there and would be left alone although it is not as it is shipped."""
        return [file for file in self.files if file.differs]

    def recorded(self) -> bytes:
        """The record as it has to be once everything that is missing is written.

        A file that is there, differs and is recorded keeps its entry: whoever has taken in what vlcheck changed
        removes that, and the file counts from then on as taken from this version.
        """
        now = {file.path: Taken(self.version, _sha256(file.shipped)) for file in self.files}
        kept = {file.path: file.taken for file in self.differing if file.taken}
        entries = {path: taken._asdict() for path, taken in sorted((now | kept).items())}
        return f"{json.dumps(entries, indent=2)}\n".encode()


def compare(
    version: str, shipped: Mapping[str, bytes], own: Mapping[str, bytes], others: Collection[str], record: Record
) -> SuiteCopy:
    """Hold a repository's files against the shipped ones.

    Args:
        version: this vlcheck's.
        shipped: what it ships, by path.
        own: what the repository has under these paths.
        others: the paths of all files in the suite's folders.
        record: where the repository's files were taken from.
    """
    files = [CopiedFile(path, content, own.get(path), record.get(path)) for path, content in shipped.items()]
    return SuiteCopy(version, tuple(files), tuple(sorted(set(others) - shipped.keys())), record)


def read_record(content: bytes, where: str) -> Record:
    """Read what `recorded` wrote. Raises UsageError naming where it is from."""
    try:
        entries = parse_json(content.decode("utf-8-sig"))
        return {path: Taken(str(entry["vlcheck"]), str(entry["sha256"])) for path, entry in entries.items()}
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise UsageError(
            f"{where}: is no record of vlcheck init. Take it back from version control, or delete it: what differs then"
            " counts as changed by you."
        ) from error


def _unix(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")  # which version control may have made of it


def _sha256(content: bytes) -> str:
    return hashlib.sha256(_unix(content)).hexdigest()


def _lines(content: bytes) -> list[str]:
    """Split at newlines alone: what str.splitlines knows beside them is no end of a line to a patch."""
    return list(io.StringIO(_unix(content).decode(errors="replace"), newline="\n"))
