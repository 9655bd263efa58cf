"""The command `vlcheck parity`: whether two models that should be the same are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from vlcheck._util.files import begins, demand_place
from vlcheck.cli.arguments import CASES, Device, DType, OwnLexicons, OwnPolicy, TableColumns, TrustRemoteCode
from vlcheck.cli.console import say, write_file
from vlcheck.errors import UsageError

if TYPE_CHECKING:
    from vlcheck.equivalence.records import ParityReport

JSON, MARKDOWN, KEEP = "--json", "--markdown", "--keep"
INCONCLUSIVE = 2  # exit status, apart from that of a difference
_ENDS = {"same": 0, "different": 1, "inconclusive": INCONCLUSIVE}


B = Annotated[str | None, typer.Argument(help="the second model, or a file of its kept answers; left out with --keep")]
AskedData = Annotated[str | None, typer.Option("--data", "--vl-data", help=CASES)]
BatchSize = Annotated[
    int, typer.Option("--batch-size", "--vl-batch-size", min=1, help="number of pictures that are encoded together")
]
DeviceB = Annotated[str | None, typer.Option(help="where B runs, if not where A does")]
DTypeB = Annotated[str | None, typer.Option(help="precision of B, if not that of A")]
BatchSizeB = Annotated[int | None, typer.Option(min=1, help="pictures that B encodes together")]
Store = Annotated[
    Path | None, typer.Option("--store", "--vl-store", help="keep answers in this file: no later call asks again")
]
Keep = Annotated[
    Path | None, typer.Option(help="ask A alone, and keep its answers in this file, which stands in for a model")
]
Json = Annotated[Path | None, typer.Option(help="write the report to this file, as JSON")]
Markdown = Annotated[Path | None, typer.Option(help="write the report to this file, as Markdown")]


def parity(
    a: Annotated[str, typer.Argument(help="the first model, or a file of its kept answers")],
    b: B = None,
    data: AskedData = None,
    device: Device = "cpu",
    dtype: DType = "float32",
    batch_size: BatchSize = 16,
    device_b: DeviceB = None,
    dtype_b: DTypeB = None,
    batch_size_b: BatchSizeB = None,
    trusted: TrustRemoteCode = False,
    policy: OwnPolicy = None,
    lexicons: OwnLexicons = None,
    columns: TableColumns = "",
    store: Store = None,
    keep: Keep = None,
    json: Json = None,
    markdown: Markdown = None,
) -> None:
    """Say whether two models are the same within the policy's margins; exit with 1 if not, and with 2 if none shows."""
    from vlcheck.equivalence.parity import keep_answers  # slow to import
    from vlcheck.equivalence.parity import parity as compare_models

    _demand_sides(b, keep, json, markdown)
    asked: dict[str, Any] = {"device": device, "dtype": dtype, "batch_size": batch_size, "trust_remote_code": trusted}
    of_data: dict[str, Any] = {"lexicons": lexicons, "columns": columns or None, "store": store, "progress": True}
    if keep:
        keep_answers(a, keep, cast("str", data), **asked, **of_data)
        say(f"kept: {keep}")
        return
    of_b: dict[str, Any] = {"device_b": device_b, "dtype_b": dtype_b, "batch_size_b": batch_size_b}
    _tell(compare_models(a, cast("str", b), data, policy=policy, **asked, **of_b, **of_data), json, markdown)


def _tell(report: ParityReport, json: Path | None, markdown: Path | None) -> None:
    """Print a report, write it to files, and end with its status."""
    from vlcheck.equivalence.text import report_lines, report_markdown

    for line in report_lines(report):
        say(line)
    if json:
        write_file(json, report.to_json(), JSON)
    if markdown:
        write_file(markdown, report_markdown(report).encode(), MARKDOWN)
    sys.exit(_ENDS[report.status])


def _demand_sides(b: str | None, keep: Path | None, json: Path | None, markdown: Path | None) -> None:
    """Check that there are two sides, or one whose answers are kept; and that the reports can be written."""
    from vlcheck.equivalence.records import REPORT_START

    if (b is None) == (keep is None):
        raise UsageError(
            f"{KEEP} {keep}: keeps the answers of one model; leave B out, or {KEEP}."
            if b
            else f"B: names nothing; name a second model, or {KEEP} FILE to keep the answers of A."
        )
    if json:
        demand_place(json, JSON, "report", is_ours=lambda path: begins(path, REPORT_START), others={MARKDOWN: markdown})
    if markdown:
        ours = b"## Parity: "
        demand_place(markdown, MARKDOWN, "report", is_ours=lambda path: begins(path, ours), others={JSON: json})
