"""The records of an audit, and the JSON document that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from vlcheck._util.files import begins
from vlcheck.errors import UsageError

FindingStatus = Literal["found", "not found", "inconclusive", "not examined", ""]

FORMAT = 1  # version of the document
_START = b'{"audit":'


class AuditPart(Struct, frozen=True, kw_only=True):
    """A part of a finding: one word, or one noun with one color.

    Attributes:
        name: the part's name, such as "left" or "yellow banana".
        n: number of captions or pictures that it is a share of.
        count: number of those that it is about.
        low: lower end of the interval of count / n, in [0, 1]; None without an interval.
        high: upper end of the interval.
        base: the share that would be expected otherwise, such as the share of yellow among all colors; None if none is.
    """

    name: str
    n: int
    count: int
    low: float | None = None
    high: float | None = None
    base: float | None = None


class AuditFinding(Struct, frozen=True, kw_only=True):
    """A measured share of a corpus, and the cause of a bias that it names, if it names one.

    Attributes:
        check: name of the finding, unique in a report, such as "sides-named".
        bias: the bias that it bears on, one of the suite's names; "" if on none.
        cause: name of the cause of that bias; "" unless the status is "found".
        status: "found" if it names a cause; "not found" if its interval is within the limit; "inconclusive" if the
            interval holds the limit; "not examined" if the check lacked what it needs; "" if it never names a cause.
        unit: the thing that `n` counts, in the plural: "captions", "pictures", "colors".
        n: number of units that the share is about; 0 if the check could not be made.
        count: number of those that have the property.
        share: a share in [0, 1], most often count / n; None if n is 0.
        low: lower end of its interval, at an error rate of 0.05 on both sides together; None if n is 0.
        high: upper end of the interval.
        limit: the share beyond which it names a cause; None if it never does.
        says: the finding as a sentence; if n is 0, the reason.
        examples: up to five captions.
        parts: the shares of its parts, the largest first.
    """

    check: str
    bias: str = ""
    cause: str = ""
    status: FindingStatus = "not examined"
    unit: str = "captions"
    n: int = 0
    count: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    says: str
    examples: tuple[str, ...] = ()
    parts: tuple[AuditPart, ...] = ()


class AuditReport(Struct, frozen=True, kw_only=True):
    """The findings on a corpus.

    Attributes:
        audit: version of the document.
        corpus: name of the corpus.
        captions: number of captions.
        pictures: number of distinct pictures; a number above 16,384 is estimated within some 2 %. 0 if none is named.
        skipped: number of rows without a usable caption, by reason.
        augment: the augmentations of the recipe that trains on the corpus.
        findings: the findings.
        seconds: duration of the audit.
    """

    audit: int = FORMAT
    corpus: str
    captions: int
    pictures: int = 0
    skipped: Mapping[str, int] = {}
    augment: tuple[str, ...] = ()
    findings: tuple[AuditFinding, ...] = ()
    seconds: float = 0.0

    @property
    def causes(self) -> frozenset[str]:
        """The causes that the findings name."""
        return frozenset(one.cause for one in self.findings) - {""}


def audit_as_json(report: AuditReport) -> bytes:
    """Return a report as a JSON document, each finding on a line."""
    try:
        encoded = msgspec.json.encode(report)
    except UnicodeEncodeError:  # half a character, in the name of a file or of a model
        encoded = msgspec.json.encode(_whole_characters(msgspec.to_builtins(report)))
    return encoded.replace(b'{"check":', b'\n{"check":') + b"\n"


def _whole_characters(value: Any) -> Any:
    """Return a value of JSON with a question mark for each half of a character, which UTF-8 does not have."""
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_whole_characters(one) for one in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def is_audit_file(path: Path) -> bool:
    """Return True if a file was written from `audit_as_json`, or is empty."""
    return begins(path, _START)


def read_audit(path: Path) -> AuditReport:
    """Read a report from a file that `audit_as_json` was written to.

    Raises:
        UsageError: the file is damaged, or of another version.
    """
    try:
        report = msgspec.json.decode(path.read_bytes(), type=AuditReport)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{path}: is no report of an audit: {error}.") from error
    if report.audit != FORMAT:
        raise UsageError(f"{path}: is a report of version {report.audit}; version {FORMAT} is read.")
    return report
