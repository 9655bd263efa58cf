"""The document of `vlcheck audit --json`: the report of an audit, and the verdicts of runs beside its findings.

`python -m vlcheck.audit.document > docs/audit.schema.json` writes its JSON schema.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec.structs import asdict

from vlcheck._util.typed import json_schema
from vlcheck.audit.records import AuditReport
from vlcheck.audit.verdicts import RunBeside


class AuditDocument(AuditReport, frozen=True, kw_only=True):
    """The findings on a corpus, and runs whose verdicts are put beside them.

    Attributes:
        vlcheck: version of vlcheck that made the audit.
        unfinished: files of the corpus that end too early or are damaged; with one, not all captions were read.
        runs: the runs.
    """

    vlcheck: str = ""
    unfinished: tuple[str, ...] = ()
    runs: tuple[RunBeside, ...] = ()


def document_of(
    report: AuditReport, *, version: str, runs: Sequence[RunBeside] = (), unfinished: Sequence[str] = ()
) -> AuditDocument:
    """Return the document of an audit.

    Args:
        report: the audit.
        version: version of vlcheck.
        runs: the runs beside it.
        unfinished: files of the corpus that were not read to their end.
    """
    return AuditDocument(**asdict(report), vlcheck=version, unfinished=tuple(unfinished), runs=tuple(runs))


if __name__ == "__main__":
    print(json.dumps(json_schema(AuditDocument), indent=1))
