"""The pictures of a page; each is in it once, however many rows show it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from markupsafe import Markup

from vlcheck._util.image_files import SMALL_PIXELS, open_jpeg
from vlcheck.errors import UsageError
from vlcheck.results.records import ImageRecord


@dataclass(frozen=True)
class EmbeddedImage:
    """A copy of a picture that the model was shown.

    Attributes:
        id: class name of the style that holds it: an element of this class shows the picture.
        width: width of the copy in pixels.
        height: height of the copy in pixels.
        shrunk: pixels of the copy for each pixel of the picture; None if the picture's size is not known.
        large: whether it is the larger one of two copies.
    """

    id: str
    width: int
    height: int
    shrunk: float | None
    large: bool = False


class Album:
    """The pictures that a page has so far.

    Args:
        images: the results' lines of images, by the picture's key.
    """

    def __init__(self, images: Mapping[str, ImageRecord]) -> None:
        self._images = images
        self._known: dict[str, EmbeddedImage | None] = {}
        self._enlarged: set[str] = set()

    def get(self, key: str | None) -> EmbeddedImage | None:
        """Return a picture; None if the results have none that can be shown."""
        if key is None or key not in self._images:
            return None
        if key not in self._known:
            line = self._images[key]
            self._known[key] = _picture(f"p{len(self._known)}", line, line.jpeg)
        return self._known[key]

    def enlarge(self, keys: Iterable[str | None], most: int) -> int:
        """Embed the larger copies of pictures that the page does not have yet, where the results keep one.

        Args:
            keys: the pictures' keys.
            most: the most characters that they may add to the page; if they would add more, none is embedded.

        Returns:
            The number of characters that they add.
        """
        lines = {key: self._images[key] for key in keys if key is not None and self._is_fresh(key)}
        found = {key: line for key, line in lines.items() if line.large}
        characters = sum(len(str(line.large)) for line in found.values())
        if characters > most:
            return 0
        for key, line in found.items():
            if picture := _picture(f"p{len(self._known)}", line, line.large):
                self._known[key] = replace(picture, large=True)
                self._enlarged.add(key)
        return characters

    def _is_fresh(self, key: str) -> bool:
        return key in self._images and key not in self._known

    @property
    def rules(self) -> Iterator[Markup]:
        """The rules of a style sheet that holds all pictures. A browser decodes only those near the window."""
        rule = Markup(".{}{{background-image:url(data:image/jpeg;base64,{})}}\n")
        for key, picture in self._known.items():
            if picture:  # in base64 with no other characters, so that it can stand in a style sheet
                line = self._images[key]
                jpeg = base64.b64encode(_jpeg(line.large if key in self._enlarged else line.jpeg)).decode("ascii")
                yield rule.format(picture.id, jpeg)

    def cost(self, keys: Iterable[str | None]) -> int:
        """Return the number of characters that these pictures would add to the page."""
        fresh = {key for key in keys if key is not None and self._is_fresh(key)}
        return sum(len(str(self._images[key].jpeg or "")) for key in fresh)


def _picture(name: str, line: ImageRecord, copy: object) -> EmbeddedImage | None:
    """Return a copy of a picture as the page embeds it; None if it cannot be shown: the page says that it is missing.

    Args:
        name: class name of the style that holds it.
        line: the picture's line.
        copy: the copy, in base64.
    """
    try:
        with open_jpeg(_jpeg(copy), SMALL_PIXELS) as image:
            width, height = image.size
    except (binascii.Error, ValueError, UsageError):
        return None
    shown = line.width
    shrunk = width / shown if isinstance(shown, int) and shown > 0 else None
    return EmbeddedImage(name, width, height, shrunk)


def _jpeg(copy: object) -> bytes:
    """Return a copy of a picture as bytes. Raises ValueError if it is not in base64."""
    return base64.b64decode(str(copy or ""), validate=True)
