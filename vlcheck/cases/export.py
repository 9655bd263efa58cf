"""Cases as JSON lines, for `read_jsonl` to read again."""

from __future__ import annotations

import filecmp
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vlcheck.cases.case import Case, ImageFile
from vlcheck.errors import UsageError

_IMAGES = "images"


def write_jsonl(path: Path, cases: Iterable[Case], *, copy: bool = False) -> int:
    """Write cases, one a line.

    Args:
        path: of the file; a file that is there already stays as it is.
        cases: whose images are files.
        copy: put the images beside the file, into images/; else they have to be in its folder already.

    Returns:
        The number of lines.

    Raises:
        UsageError: where an image is outside the folder and not to be copied, or something cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(_line(case, _place(case, path.parent, copy=copy))) + "\n" for case in cases]
        with path.open("x", encoding="utf-8") as file:
            file.writelines(lines)
    except FileExistsError as error:
        raise UsageError(f"--to {path}: is there already; name another file.") from error
    except OSError as error:
        raise UsageError(f"--to {path}: cannot be written ({error.strerror or error}).") from error
    return len(lines)


def _place(case: Case, folder: Path, *, copy: bool) -> str:
    """Where a line finds its image, from the file's folder."""
    if not isinstance(case.image, ImageFile):
        raise UsageError(
            f"--to: case {case.id} is on no file that a line could name; cases on photographs are written."
        )
    source = case.image.path.resolve()
    if copy:
        target = folder / _IMAGES / source.name
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)
        elif not filecmp.cmp(source, target, shallow=False):
            raise UsageError(f"--to: {source} cannot be copied, {target} is another picture; write to another folder.")
        return f"{_IMAGES}/{source.name}"
    if not source.is_relative_to(folder.resolve()):
        raise UsageError(
            f"--to: {source} is outside {folder.resolve()}; add --copy, or write the file beside its images."
        )
    return source.relative_to(folder.resolve()).as_posix()


def _line(case: Case, image: str) -> dict[str, Any]:
    """The case's fields, those that say nothing left out."""
    needed = {"image": image, "caption": case.caption, "target": case.target, "tags": sorted(case.tags)}
    # Written even where it is empty: a line without it has the words of its captions.
    needed |= {"present": sorted(case.present)}
    optional = {
        "id": case.id,
        "bare": case.bare,
        "candidates": list(case.candidates),
        "about": sorted(case.about),
        "region": [list(box) for box in case.region],
        "source": case.source,
        "licence": case.licence,
    }
    return needed | {name: value for name, value in optional.items() if value}
