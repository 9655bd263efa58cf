"""Parsed specs of data and models. `str()` of each is a spec again, with quotes where they are needed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

IMAGES_PER_BEHAVIOR = 200
_PLAIN = re.compile(r'(?:[A-Za-z]:(?=[\\/]))?[^":@,=]+')  # a drive's colon ends nothing
_PLAIN_PLACE = re.compile(r'(?:[A-Za-z]:(?=[\\/]))?[^":@,=+]+')  # of a checkpoint, which an adapter may follow
_PLAIN_SPLIT = re.compile(r"[\w.-]+")
HUB_ID = re.compile(r"([\w-][\w.-]*/[\w.-]+)(?:@([\w./-]+))?")
FAMILY = re.compile(r"([\w.-]+)(?::|(?=,\s*[A-Za-z_]\w*=)|\Z)")


@dataclass(frozen=True)
class Reference:
    """Data or a model at a place.

    Attributes:
        scheme: the kind of data, or the family of models; "" for a checkpoint's folder or hub id.
        path: the path as it was written, `~` included.
        at: a split, a revision, or the source that it refers to.
    """

    scheme: str
    path: str = ""
    at: str | Reference = ""

    def __str__(self) -> str:
        if not self.scheme:
            return self._checkpoint()
        at = str(self.at) if isinstance(self.at, Reference) else _quoted(self.at, _PLAIN_SPLIT)
        return self.scheme + (f":{_quoted(self.path)}" if self.path else "") + (f"@{at}" if self.at else "")

    def _checkpoint(self) -> str:
        """Write a folder or hub id so that it is neither read as a family nor as a path that contains an @."""
        if self.at:
            said = f"{self.path}@{self.at}"
            plain = HUB_ID.fullmatch(self.path) and HUB_ID.fullmatch(said)
            return said if plain else f"{_in_quotes(self.path)}@{_quoted(str(self.at), _PLAIN_PLACE)}"
        if FAMILY.fullmatch(self.path):
            return _in_quotes(self.path)
        return self.path and _quoted(self.path, _PLAIN_PLACE)


@dataclass(frozen=True)
class DataSpec:
    """Data, and how much of it to use.

    Attributes:
        source: the place of the data.
        images: largest number of images for each behavior.
        seed: determines which images are chosen.
    """

    source: Reference
    images: int = IMAGES_PER_BEHAVIOR
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.images}:{self.seed}"


@dataclass(frozen=True)
class Adapted:
    """A checkpoint with an adapter of its weights.

    Attributes:
        base: the place of the checkpoint.
        adapter: the place of the adapter.
    """

    base: Reference
    adapter: Reference

    def __str__(self) -> str:
        return f"{self.base}+{self.adapter}"


@dataclass(frozen=True)
class Factory:
    """A function that makes a model.

    Attributes:
        where: its Python file or module.
        name: the function's name.
    """

    where: str
    name: str

    @property
    def in_file(self) -> bool:
        """True if it is in a file, False if it is in an importable module."""
        return self.where.endswith(".py")

    def __str__(self) -> str:
        return f"{_quoted(self.where)}:{self.name}"


@dataclass(frozen=True)
class Single:
    """One model.

    Attributes:
        what: the place of the model, with or without an adapter, the function that makes it, or the wrapper around
            another model.
        options: the options after it, by key; those of a wrapped model are its own.
        said: the text that was parsed.
    """

    what: Reference | Adapted | Factory | Wrapped
    options: tuple[tuple[str, str], ...] = ()
    said: str = field(default="", compare=False)

    def __str__(self) -> str:
        return ",".join([str(self.what), *(f"{key}={_quoted(value)}" for key, value in self.options)])


@dataclass(frozen=True)
class Several:
    """A model for each metric.

    Attributes:
        parts: metrics and their models.
    """

    parts: tuple[tuple[str, Single], ...]

    def __str__(self) -> str:
        return ",".join(f"{metric}={part}" for metric, part in self.parts)


@dataclass(frozen=True)
class Wrapped:
    """A model that another one wraps.

    Attributes:
        wrapper: the name of the wrapper.
        inner: the wrapped model.
    """

    wrapper: str
    inner: Single | Several

    def __str__(self) -> str:
        return f"{self.wrapper}:{self.inner}"


def _quoted(text: str, plain: re.Pattern[str] = _PLAIN) -> str:
    """Put a text in quotes unless it is plain."""
    return text if plain.fullmatch(text) else _in_quotes(text)


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
