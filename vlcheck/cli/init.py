"""The command `vlcheck init`: copies the suite into a repository, and shows what a newer vlcheck would change."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.numbers import counted, part_of
from vlcheck.cli.console import say_all
from vlcheck.suite import install
from vlcheck.suite.diff import RECORD, CopiedFile, SuiteCopy
from vlcheck.suite.shipped import FIXTURES

_COLORS = {"+": typer.colors.GREEN, "-": typer.colors.RED, "@": typer.colors.CYAN}
_LOADS = f'pytest_plugins = ["{FIXTURES}"]'
# File -> the text that it has to contain, and what is wrong without it.
_NEEDED = {
    "conftest.py": (
        FIXTURES,
        f"add {_LOADS}: without it, your tests have no fixtures model, cases and policy",
    ),
    "fixtures/model.py": (
        "vlcheck",
        "is a module of yours, without the fixtures model, cases and policy",
    ),
}


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="the repository, by default the current folder; created if missing")
    ] = Path(),
    diff: Annotated[
        bool, typer.Option("--diff", help="write nothing; show the differences from this vlcheck; exit with 1 if any")
    ] = False,
) -> None:
    """Write behavior_tests/, fixtures/, conftest.py and .gitignore into a folder; existing files are left alone."""
    copy = install.read_copy(folder)
    if not diff:
        install.write_copy(folder, copy)
    for line in differences(copy) if diff else written(copy, folder, install.unignored(folder)):
        say_all(line, color=_COLORS.get(line[:1]) if diff else None)
    if diff and (copy.missing or copy.differing):
        sys.exit(1)


def written(copy: SuiteCopy, folder: Path, unignored: Sequence[str]) -> Iterator[str]:
    """Yield the files that were written, those that were not, and the next steps.

    Args:
        copy: the repository's copy, before anything was written.
        folder: the repository.
        unignored: lines that its own .gitignore lacks.
    """
    yield f"vlcheck {copy.version}: {part_of(len(copy.missing), len(copy.files), 'file')} written to {folder}"
    if copy.differing:
        yield f"left alone, though they differ from vlcheck's (vlcheck init --diff {folder} shows how):"
        yield from (f"  {file.path}{_lacks(file)}" for file in copy.differing)
    if copy.unknown:
        yield f"files of your own in behavior_tests/ and fixtures/: {counted(len(copy.unknown), 'file')}"
    if unignored:
        yield "your .gitignore is left alone; add these lines, so that files that runs write are not committed:"
        yield from (f"  {line}" for line in unignored)
    yield ""
    yield f"next, in {folder}:"
    yield "  pytest behavior_tests --vl-model albef:ALBEF_4M.pth --vl-data coco:/data/coco"
    yield "  vlcheck gate vlcheck-results.jsonl"
    yield "or, without a model or data of your own, try the embedded model on drawn pictures:"
    yield "  pytest behavior_tests --vl-model tiny --vl-data scenes"
    yield "or name your model and data in pytest's ini file, e.g. under [tool.pytest.ini_options] in pyproject.toml:"
    yield '  vl_model = "albef:ALBEF_4M.pth"'
    yield '  vl_data = "coco:/data/coco"'
    yield "fixtures/policy.toml and fixtures/lexicons/ hold for all tests below this folder: edit them"
    yield f"commit all of it, also {RECORD}, by which vlcheck init --diff tells your changes from vlcheck's"


def differences(copy: SuiteCopy) -> Iterator[str]:
    """Yield a patch from the repository's files to the shipped ones, with who changed each file; then missing files.

    `patch` and `git apply` ignore the lines that are not part of a patch.
    """
    for file in copy.differing:
        yield f"{file.path}: {file.history}{_lacks(file)}"
        yield from file.diff()
    yield from (f"{file.path}: {file.history}" for file in copy.missing)
    yield from _others(copy)
    same = len(copy.files) - len(copy.missing) - len(copy.differing)
    yield f"{len(copy.differing)} differ, {len(copy.missing)} missing, {same} as vlcheck {copy.version} has them"
    if copy.missing:
        yield "vlcheck init writes what is missing; delete a file that only vlcheck changed, and it writes the new one"
    elif copy.differing:
        yield "delete a file that only vlcheck changed, and vlcheck init writes the new one"
    if any(file.history.startswith("you and") for file in copy.differing):
        yield f"merge what both changed by hand; then delete the file's entry in {RECORD}, and run vlcheck init"


def _lacks(file: CopiedFile) -> str:
    """Return what a user's own file needs so that the suite's fixtures are found; "" if it has it."""
    word, missing = _NEEDED.get(file.path, ("", ""))
    return "" if word.encode() in (file.own or b"") else f" ({missing})"


def _others(copy: SuiteCopy) -> Iterator[str]:
    """Yield a line for each file that only the repository has."""
    for path in copy.unknown:
        taken = copy.record.get(path)
        yield f"{path}: " + (f"of vlcheck {taken.vlcheck}, which no longer has it" if taken else "unknown to vlcheck")
