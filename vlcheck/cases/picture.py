"""Pictures: a source image and the edits that are made to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import ClassVar, Protocol

from PIL import Image

from vlcheck._util.hashing import digest
from vlcheck.cases.case import ImageSource

UNCHANGED = "the perturbation changed nothing"


class ImageEdit(Protocol):
    """A pure edit of pixels: a frozen dataclass whose fields are its parameters."""

    name: ClassVar[str]
    version: ClassVar[int]

    def edit(self, image: Image.Image) -> Image.Image:
        """Return the edited picture; raise NotApplicable where the edit makes no sense for this one."""


@dataclass(frozen=True)
class Picture:
    """A source image and the edits to make to it, in order. Nothing is decoded before `render`."""

    source: ImageSource
    edits: tuple[ImageEdit, ...] = ()

    def then(self, edit: ImageEdit) -> Picture:
        return replace(self, edits=(*self.edits, edit))

    @cached_property
    def key(self) -> str:
        """A digest of the source's content and of each edit's name, version and parameters."""
        return digest(self.source.key, *map(identity, self.edits))

    def render(self) -> Image.Image:
        """Decode and edit. Raises UsageError where the file does not decode, NotApplicable from an edit."""
        image = self.source.open()
        for edit in self.edits:
            image = edit.edit(image)
        return image


def identity(edit: ImageEdit) -> str:
    """Name, version and parameters; of a parameter that is an edit itself, the same."""
    parameters: dict[str, object] = {}
    if is_dataclass(edit):
        parameters = {one.name: getattr(edit, one.name) for one in fields(edit)}
    return json.dumps([edit.name, edit.version, parameters], sort_keys=True, default=identity)
