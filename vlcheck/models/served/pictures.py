"""Pictures as they are sent: PNG, which loses nothing, written as data URLs."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from PIL import Image

from vlcheck.cases.rgb import to_rgb

_FAST = 1  # zlib's level: the pixels are the same, and the file a little larger


class SentPicture:
    """A picture, and the questions that were sent about it.

    Args:
        image: an image of any mode; what is transparent is shown on white.

    Attributes:
        compared: the words that were compared last at the mask of each text.
    """

    def __init__(self, image: Image.Image) -> None:
        self._image: Image.Image | None = to_rgb(image)
        self._url = ""
        self._lock = threading.Lock()
        self._sent: dict[object, Future[Any]] = {}
        self.compared: dict[str, tuple[str, ...]] = {}

    @property
    def url(self) -> str:
        """The data URL; it is written by the thread that needs it first."""
        with self._lock:
            if self._image is not None:
                self._url, self._image = _data_url(self._image), None
            return self._url

    def once(self, question: object, send: Callable[[], Future[Any]]) -> Future[Any]:
        """Return the future answer to a question about this picture; send the question if it was not sent before.

        Args:
            question: all that distinguishes the question from others about the picture.
            send: sends it.
        """
        if question not in self._sent:
            self._sent[question] = send()
        return self._sent[question]


@dataclass(frozen=True, eq=False)
class SentPictures:
    """A selection of pictures; they are kept together with their answers as long as the selection is.

    Attributes:
        line: the line to the model that encoded them.
        pictures: the pictures; one may occur several times.
    """

    line: object
    pictures: tuple[SentPicture, ...]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: Sequence[int]) -> SentPictures:
        return SentPictures(self.line, tuple(self.pictures[number] for number in index))


def _data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=_FAST)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
