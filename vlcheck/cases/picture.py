"""Pictures: a source image and the edits to apply to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, is_dataclass, replace
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
        """Return the edited picture; raise NotApplicable if the edit makes no sense for this one."""


@dataclass(frozen=True, slots=True)  # memory: as `vlcheck.metrics.query.Query`
class Picture:
    """A source image and the edits to apply to it, in order; nothing is decoded before `render`.

    Attributes:
        source: the image before any edit.
        edits: the edits, first to last.
    """

    source: ImageSource
    edits: tuple[ImageEdit, ...] = ()
    _key: str = field(default="", init=False, repr=False, compare=False)

    def then(self, edit: ImageEdit) -> Picture:
        """Return the picture with one more edit, after the others.

        Raises:
            TypeError: If the edit has no name, version or method `edit(image)`, as e.g. a function has not.
        """
        if lacking := [name for name in ("name", "version", "edit") if not hasattr(edit, name)]:
            raise TypeError(
                f"then: {edit!r:.80} lacks {', '.join(lacking)}; accepted: an object with name, version and a method"
                " edit(image), such as a perturbation itself: view.picture.then(self)"
            )
        return replace(self, edits=(*self.edits, edit))

    @property
    def key(self) -> str:
        """A hash of the source's content and of each edit's name, version and parameters."""
        if not self._key:
            object.__setattr__(self, "_key", digest(self.source.key, *map(identity, self.edits)))
        return self._key

    @property
    def always_applies(self) -> bool:
        """True if each edit makes sense for any picture, and changes any photograph."""
        return all(getattr(edit, "always_applies", False) for edit in self.edits)

    def render(self) -> Image.Image:
        """Decode the source and apply the edits.

        Raises:
            UsageError: If the file cannot be decoded.
            NotApplicable: If an edit makes no sense for the picture.
            TypeError: If an edit returns something else than an image.
        """
        image = self.source.open()
        for edit in self.edits:
            image = edit.edit(image)
            if not isinstance(image, Image.Image):
                raise TypeError(f"edit returned {type(image).__name__}; it has to return an image of Pillow")
        return image


def identity(edit: ImageEdit) -> str:
    """Return name, version and parameters of an edit as JSON; a parameter that is an edit is nested."""
    parameters: dict[str, object] = {}
    if is_dataclass(edit):
        parameters = {one.name: getattr(edit, one.name) for one in fields(edit)}
    return json.dumps([edit.name, edit.version, parameters], sort_keys=True, default=identity)
