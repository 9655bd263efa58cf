"""The smallest thing a model is asked, and its key."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, Protocol

from PIL import Image

from vlcheck._util.hashing import digest
from vlcheck.cases.case import ImageSource

Metric = Literal["mlm", "itm", "mrc"]
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


@dataclass(frozen=True)
class Query:
    """One question to a model.

    Attributes:
        metric: "mlm", the probability of each of `words` at the mask; "itm", that picture and text match; "mrc", the
            probability of each of `words` as the class of the regions that were taken out of the picture.
        picture: what is shown.
        text: what is said; holds "[MASK]" once where the metric is "mlm", and may where it is "mrc".
        words: mlm, mrc: the words asked for; itm: foils, for models that only compare.
    """

    metric: Metric
    picture: Picture
    text: str
    words: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All that a model has to read for it."""
        return (self.text, *self.words) if self.metric == "itm" else (self.text,)

    @cached_property
    def key(self) -> str:
        return digest(self.metric, self.picture.key, self.text, *self.words)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Query) and self.key == other.key


def identity(edit: ImageEdit) -> str:
    """Name, version and parameters; of a parameter that is an edit itself, the same."""
    parameters: dict[str, object] = {}
    if is_dataclass(edit):
        parameters = {one.name: getattr(edit, one.name) for one in fields(edit)}
    return json.dumps([edit.name, edit.version, parameters], sort_keys=True, default=identity)
