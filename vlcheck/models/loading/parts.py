"""Files of tokenizer, image processor and chat template: an adapter's own take the place of its base's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vlcheck.models.loading.layout import read_optional_json

_TEMPLATE = "chat_template"


class _Part(NamedTuple):
    """A part of a processor whose files belong together.

    Attributes:
        name: its name in messages.
        files: pattern of the names of its files.
    """

    name: str
    files: re.Pattern[str]


_PARTS = (
    _Part(
        "tokenizer",
        re.compile(
            r"(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json|vocab\.txt|merges\.txt|.*\.model"
        ),
    ),
    _Part("image processor", re.compile(r"(processor_config|(video_)?preprocessor_config)\.json")),
    _Part("chat template", re.compile(rf"{_TEMPLATE}\.(jinja|json)")),
)
_WITH_TEMPLATE = ("tokenizer_config.json", "processor_config.json")
_DOCUMENTS = (".json", ".txt", ".model", ".jinja", ".py")


def own_parts(adapter: Path) -> tuple[str, ...]:
    """Return the parts that an adapter's folder has, e.g. ("tokenizer", "chat template")."""
    return tuple(part.name for part in _PARTS if any(_own(adapter, part)))


def part_files(folder: Path) -> list[Path]:
    """Return the files of a folder that belong to a part of a processor."""
    return [path for path in folder.iterdir() if any(part.files.fullmatch(path.name) for part in _PARTS)]


def combine(base: Path, adapter: Path, into: Path) -> None:
    """Copy the files that a processor is loaded from: the adapter's parts, and the base's other files.

    Args:
        base: folder of the base.
        adapter: folder of the adapter.
        into: an empty folder.
    """
    replaced = [part for part in _PARTS if any(_own(adapter, part))]
    for path in base.iterdir():
        if (
            path.suffix in _DOCUMENTS
            and path.is_file()
            and not any(part.files.fullmatch(path.name) for part in replaced)
        ):
            shutil.copy(path, into)
    for part in replaced:
        for path in adapter.iterdir():
            if part.files.fullmatch(path.name):
                shutil.copy(path, into)


def _own(adapter: Path, part: _Part) -> Iterator[Path]:
    """Yield the files that an adapter's folder has of a part; a chat template may stand in those of other parts."""
    yield from (path for path in adapter.iterdir() if part.files.fullmatch(path.name))
    if part.name == "chat template":
        yield from (adapter / name for name in _WITH_TEMPLATE if read_optional_json(adapter / name).get(_TEMPLATE))
