"""Files that transformers reads beside the weights: settings, tokenizers and chat templates."""

from __future__ import annotations

import os
import re
from pathlib import Path

from vlcheck._util import foreign_files
from vlcheck._util.foreign_files import demand_file, read_text
from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import SUFFIXES
from vlcheck.models.loading.extents import check_sides
from vlcheck.models.loading.layout import read_optional_json

INDEX = ".index.json"
# Files that transformers reads as JSON; below, suffixes of files that it reads in other ways.
_DOCUMENTS = frozenset(
    f"{name}.json"
    for name in (
        *("config", "generation_config", "processor_config", "preprocessor_config", "video_preprocessor_config"),
        *("tokenizer", "tokenizer_config", "special_tokens_map", "added_tokens", "vocab", "chat_template"),
    )
)
_OF_PICTURES = ("processor_config.json", "preprocessor_config.json")
_OTHERS = (".txt", ".model", ".jinja", ".py", *SUFFIXES)
LARGEST_TEMPLATE = 1 << 20  # bytes
# Settings of an image processor that do not change a pixel.
NO_PIXELS = re.compile(
    r"_.*|.*_type|processor_class|auto_map|return_.*|(input_)?data_format|device|disable_grouping|transformers_version"
)


def check_documents(folder: Path) -> None:
    """Check the files that transformers reads beside the weights.

    Raises:
        UsageError: one of them is not a regular file, is not JSON, or has a key twice.
    """
    for path in sorted(folder.iterdir()):
        if path.name in _DOCUMENTS or path.name.endswith(INDEX):
            said = foreign_files.read_json(path)
            if path.name in _OF_PICTURES:
                check_sides(said, path)
        elif path.suffix in _OTHERS and path.exists() and not path.is_dir():
            demand_file(path)


def check_one_view(folder: Path) -> None:
    """Refuse two files that prepare pictures differently: transformers reads only one of them."""
    whole, part = folder / "processor_config.json", folder / "preprocessor_config.json"
    inner, alone = read_optional_json(whole).get("image_processor"), read_optional_json(part)
    if not isinstance(inner, dict):
        return
    shared = (key for key in inner if key in alone and not NO_PIXELS.fullmatch(key))
    if differ := [key for key in shared if not say_the_same(inner[key], alone[key])]:
        raise UsageError(
            f"{part}: says another {', '.join(differ)} than {whole.name} says under image_processor: keep the file that"
            " the model was trained with."
        )


def say_the_same(one: object, other: object) -> bool:
    """Return True if two settings mean the same: a number equals a list of it, and null equals anything.

    Args:
        one: a setting.
        other: the same setting in another place.
    """
    if one == other or None in (one, other):
        return True
    return type(one) is not type(other) and _numbers(one) == _numbers(other)


def _numbers(setting: object) -> set[str]:
    values = setting.values() if isinstance(setting, dict) else setting if isinstance(setting, list) else [setting]
    return {repr(value) for value in values}


def check_one_template(folder: Path) -> None:
    """Refuse two different chat templates of a processor: the version of transformers decides which one it uses.

    The template in tokenizer_config.json is for conversations without pictures; it is used only if there is no other.

    Raises:
        UsageError: the templates differ.
    """
    jinja = folder / "chat_template.jinja"
    said = {
        name: read_optional_json(folder / name).get("chat_template")
        for name in ("processor_config.json", "chat_template.json")
    }
    said[jinja.name] = read_text(jinja, LARGEST_TEMPLATE) if os.path.lexists(jinja) else None
    texts = {name: text.strip() for name, text in said.items() if isinstance(text, str)}
    if len({*texts.values()}) > 1:
        raise UsageError(
            f"{folder}: {' and '.join(texts)} hold chat templates that differ: keep the one that the model was trained"
            " with, in chat_template.jinja."
        )
