"""A check that a folder says nothing of its pictures that transformers passes over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers.image_utils import SizeDict

from vlcheck.errors import UsageError
from vlcheck.models.loading.documents import NO_PIXELS, say_the_same
from vlcheck.models.loading.layout import read_optional_json

_READ, _PASSED_OVER = "processor_config.json", "preprocessor_config.json"


def check_heeded(folder: Path, processor: Any) -> None:
    """Refuse a setting in preprocessor_config.json that is not in use.

    transformers reads that file only if processor_config.json has no image_processor. A setting that only the former
    has would be replaced by a default.

    Args:
        folder: a folder as transformers saves it.
        processor: the image processor that was loaded from it, or a processor that has one.

    Raises:
        UsageError: a setting has another value in the image processor.
    """
    own = getattr(processor, "image_processor", processor)
    if not isinstance(read_optional_json(folder / _READ).get("image_processor"), dict):
        return
    known = getattr(getattr(own, "valid_kwargs", None), "__annotations__", {})
    for key, value in read_optional_json(folder / _PASSED_OVER).items():
        used = getattr(own, key, None)
        used = dict(used) if isinstance(used, SizeDict) else used
        if key in known and not NO_PIXELS.fullmatch(key) and not say_the_same(value, used):
            raise UsageError(
                f'{folder / _PASSED_OVER}: "{key}" is {value!r}, and transformers reads {_READ} in its place, where it'
                f" is {used!r}: state it there under image_processor, or remove it here."
            )
