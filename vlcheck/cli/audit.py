"""The command `vlcheck audit`: what a caption corpus can teach, and what it teaches wrongly."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from vlcheck import __version__
from vlcheck._util.files import begins, demand_place
from vlcheck.cli.arguments import Device, DType, OwnLexicons, TableColumns, TrustRemoteCode
from vlcheck.cli.console import TO, say, write_file
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.errors import UsageError, nearest
from vlcheck.results.file import ResultLines, read_judged
from vlcheck.suite.shipped import BIASES, lexicons_path

if TYPE_CHECKING:
    from vlcheck.audit.document import AuditDocument
    from vlcheck.models.text_encoding import GapFilling

JSON, RESULTS, FAIL_ON = "--json", "--results", "--fail-on"


def audit(
    captions: Annotated[
        str,
        typer.Argument(
            help="the captions: COCO's .json, .jsonl, .txt, .parquet, .tar shards of webdataset, or hf:NAME[:SPLIT]"
        ),
    ],
    columns: TableColumns = "",
    images: Annotated[
        Path | None, typer.Option(help="the folder of the pictures: finds blank ones, and those that do not load")
    ] = None,
    instances: Annotated[
        Path | None, typer.Option(help="COCO's file of objects in the pictures of its captions: finds their places")
    ] = None,
    augment: Annotated[
        str, typer.Option(help="what the training does to pictures, with commas between, e.g. flip,colorjitter")
    ] = "",
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "--vl-model",
            help="a masked-language model, which guesses hidden words without the picture",
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option(min=1, help="the most pictures that are opened, and captions that the model guesses words of")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="seed of the choice of these")] = 0,
    lexicons: OwnLexicons = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(help="results of a run: put its verdicts beside the causes; repeat it for several runs"),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="draw a page, as HTML; it may replace an older one")] = None,
    json: Annotated[
        Path | None, typer.Option(help="write the findings to this file, as JSON; it may replace an older one")
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(help="biases with commas between, or any: exit with 1 if a cause is found, or none looked for"),
    ] = None,
    device: Device = "cpu",
    dtype: DType = "float32",
    trusted: TrustRemoteCode = False,
) -> None:
    """Count what captions can teach a model, beside the verdicts of runs; exit with 1 if a file ends too early."""
    from vlcheck.audit.audit import audit_corpus  # slow to import
    from vlcheck.audit.augment import read_augmentations
    from vlcheck.audit.corpus import open_corpus
    from vlcheck.audit.document import document_of
    from vlcheck.audit.gate import cause_objections
    from vlcheck.audit.text import audit_lines
    from vlcheck.audit.verdicts import run_beside

    wanted, recipe = _biases(fail_on), read_augmentations(_names(augment))
    _demand_places(to, json, results or [])
    runs = [(path.name, _read(path)) for path in results or []]
    words = load_lexicons(lexicons_path(), lexicons)
    corpus = open_corpus(captions, columns=columns, pictures=images, instances=instances)
    asked = _loaded(model, device, dtype, trusted=trusted) if model else None
    report = audit_corpus(
        corpus, name=captions, augment=sorted(recipe), model=asked, sample=sample, seed=seed, lexicons=words
    )
    beside = [run_beside(report, run, name) for name, run in runs]
    document = document_of(report, version=__version__, runs=beside, unfinished=corpus.unread.unfinished)
    for line in audit_lines(document):
        say(line)
    _write(document, to, json)
    refused = list(cause_objections(report, wanted))
    for reason in refused:
        say(f"{FAIL_ON}: {reason}")
    if refused or document.unfinished:
        sys.exit(1)


def _write(document: AuditDocument, to: Path | None, json: Path | None) -> None:
    """Write the page and the JSON of an audit, those that are asked for."""
    from vlcheck.audit.page import draw_audit
    from vlcheck.audit.records import audit_as_json

    if to:
        write_file(to, draw_audit(document).encode())
        say(f"report: {to}")
    if json:
        write_file(json, audit_as_json(document), JSON)
        say(f"findings: {json}")


def _names(said: str) -> list[str]:
    """Return names that commas separate."""
    return [name.strip() for name in said.split(",")] if said else []


def _biases(said: str | None) -> tuple[str, ...]:
    """Return the names of biases that --fail-on has, with commas between."""
    from vlcheck.audit.gate import ANY

    if said is None:
        return ()
    names, known = said.split(","), (ANY, *BIASES)
    for name in names:
        if name.strip() not in known:
            raise UsageError(f"{FAIL_ON} {said}: {name!r} is no bias. {nearest(name, known)}")
    return tuple(name.strip() for name in names)


def _demand_places(to: Path | None, json: Path | None, results: Sequence[Path]) -> None:
    """Check that the page and the JSON can be written, before anything is counted."""
    from vlcheck.audit.page import AUDIT_START
    from vlcheck.audit.records import is_audit_file

    others = {f"{RESULTS} {path}": path for path in results}
    if to:
        ours = AUDIT_START.encode()
        demand_place(to, TO, "page of an audit", is_ours=lambda path: begins(path, ours), others={JSON: json, **others})
    if json:
        demand_place(json, JSON, "file of an audit", is_ours=is_audit_file, others=others)


def _read(path: Path) -> ResultLines:
    try:
        return read_judged(path)
    except UsageError as error:
        raise UsageError(f"{RESULTS} {error.marked}") from error


def _loaded(model: str, device: str, dtype: str, *, trusted: bool) -> GapFilling:
    """Load the model that guesses words; the audit refuses one that cannot."""
    from vlcheck.models.loading.load import load_model  # slow to import

    return cast("GapFilling", load_model(model, device=device, dtype=dtype, trust_remote_code=trusted))
