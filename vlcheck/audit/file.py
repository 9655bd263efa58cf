"""The file of `vlcheck audit --json`: the findings of an audit, and the verdicts of runs beside them.

`python -m vlcheck.audit.file > docs/audit.schema.json` writes its JSON schema.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from vlcheck._util.files import begins
from vlcheck._util.foreign_files import read_json
from vlcheck._util.typed import Fault, convert, json_schema
from vlcheck.audit.records import AuditReport
from vlcheck.audit.verdicts import RunBeside
from vlcheck.errors import UsageError

_START = b'{"caption_audit":1,'


class AuditFile(Struct, frozen=True):
    """An audit of captions, and runs beside it.

    Attributes:
        caption_audit: version of the file's format.
        vlcheck: version of vlcheck that made the audit.
        audit: the audit.
        runs: the runs whose verdicts are put beside the findings.
    """

    caption_audit: Literal[1]
    vlcheck: str
    audit: AuditReport
    runs: tuple[RunBeside, ...] = ()


def audit_json(file: AuditFile) -> bytes:
    """Return the contents of the file; equal audits give equal contents."""
    return msgspec.json.format(msgspec.json.encode(file), indent=0) + b"\n"


def is_audit_file(path: Path) -> bool:
    """Return True if a file was written from `audit_json`, or is empty."""
    return begins(path, _START)


def read_audit(path: Path) -> AuditFile:
    """Read the file of an audit.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    try:
        return convert(read_json(path), AuditFile)
    except Fault as fault:
        place = f" ({fault})" if fault.path else ""
        raise UsageError(f"{path}: is no file of `vlcheck audit --json`{place}.") from fault


def audit_file(version: str, report: AuditReport, runs: Sequence[RunBeside]) -> AuditFile:
    """Return the file of an audit.

    Args:
        version: version of vlcheck.
        report: the audit.
        runs: the runs beside it.
    """
    return AuditFile(1, version, report, tuple(runs))


if __name__ == "__main__":
    print(json.dumps(json_schema(AuditFile), indent=1))
