"""Writing of cases as JSON lines, which `read_jsonl` reads again."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vlcheck._util.files import replacing
from vlcheck.cases.case import Case, ImageFile
from vlcheck.errors import UsageError, argument, parameter

_IMAGES = "images"


def write_jsonl(to: Path, cases: Iterable[Case], *, copy: bool = False) -> int:
    """Write cases, one a line.

    Args:
        to: the file to write; an existing file is not replaced.
        cases: cases whose images are files.
        copy: whether to copy the images beside the file, into images/, with the names of their folders if there are
            several; otherwise they must be in its folder already.

    Returns:
        The number of lines.

    Raises:
        UsageError: If an image is outside the folder and not to be copied, or a file cannot be read or written.
    """
    written = list(cases)
    files = {_file(case): case for case in written}
    with _told(to):
        if to.exists():
            raise UsageError(f"{argument('to', to)}: is there already; name another file.")
        to.parent.mkdir(parents=True, exist_ok=True)
    places = _copied(files, to.parent) if copy else {file: _within(file, to.parent) for file in files}
    lines = [json.dumps(_line(case, places[_file(case)])) + "\n" for case in written]
    with _told(to), replacing(to) as draft:
        draft.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def _file(case: Case) -> Path:
    if not isinstance(case.image, ImageFile):
        raise UsageError(
            f"{parameter('to')}: case {case.id} has no image file, since its picture is drawn, or cut out, when it is"
            " asked about; only cases whose images are files can be written, e.g. those of coco:FOLDER."
        )
    return case.image.path


def _within(file: Path, folder: Path) -> str:
    """Return an image's path relative to the file's folder; a link there may lead out, as in a hub's cache."""
    source, root = file.parent.resolve() / file.name, folder.resolve()
    if not source.is_relative_to(root):
        raise UsageError(
            f"{parameter('to')}: {source} is outside {root}; add {parameter('copy')}, or write the file beside its"
            " images."
        )
    return source.relative_to(root).as_posix()


def _copied(files: Collection[Path], folder: Path) -> dict[Path, str]:
    """Copy the images, and return the path of each relative to the file."""
    places = {}
    for file, name in _names(files).items():
        ImageFile(file).check()
        target = folder / _IMAGES / name
        _copy(file, target)
        places[file] = f"{_IMAGES}/{name}"
    return places


def _names(files: Collection[Path]) -> dict[Path, str]:
    """Return the path of each file below the deepest folder that contains all of them."""
    if not files:
        return {}
    # Links are not followed, since their own names are wanted.
    there = {file: Path(os.path.abspath(file)) for file in files}  # noqa: PTH100 - resolve() follows them
    common = os.path.commonpath([path.parent for path in there.values()])
    return {file: path.relative_to(common).as_posix() for file, path in there.items()}


def _copy(file: Path, target: Path) -> None:
    with _told(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            with replacing(target) as draft:
                shutil.copyfile(file, draft)
        elif not filecmp.cmp(file, target, shallow=False):
            raise UsageError(
                f"{parameter('to')}: {file} cannot be copied: {target} is there already, another picture; write to"
                " another folder."
            )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raise UsageError with the file's name and the reason if it cannot be read or written."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{argument('to', path)}: {error.filename} is no folder, or lies in none.") from error
    except OSError as error:
        raise UsageError(
            f"{argument('to', path)}: {error.filename or path} cannot be used ({error.strerror or error})."
        ) from error


def _line(case: Case, image: str) -> dict[str, Any]:
    """Return the case's fields, without optional ones that are empty."""
    needed = {"image": image, "caption": case.caption, "target": case.target, "tags": sorted(case.tags)}
    # Written even if it is empty: without it, a line would get the words of its captions.
    needed |= {"present": sorted(case.present)}
    optional = {
        "id": case.id,
        "bare": case.bare,
        "candidates": list(case.candidates),
        "foils": list(case.foils),
        "about": sorted(case.about),
        "region": [list(box) for box in case.region],
        "other_region": [list(box) for box in case.other_region],
        "source": case.source,
        "licence": case.licence,
    }
    return needed | {name: value for name, value in optional.items() if value}
