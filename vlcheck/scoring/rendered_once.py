"""Pictures that several models are asked about, one model after the other, and that are rendered once for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from PIL import Image

from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.scoring.render import render_all


class _Pixels(NamedTuple):
    """An RGB picture in three bytes a pixel; an open image of Pillow takes four."""

    size: tuple[int, int]
    content: bytes

    def image(self) -> Image.Image:
        return Image.frombytes("RGB", self.size, self.content)


@dataclass(frozen=True)
class RenderedOnce:
    """A renderer that keeps what it has rendered, in memory."""

    _kept: dict[str, _Pixels | Answer] = field(default_factory=dict, repr=False)

    def render(self, pictures: Iterable[Picture]) -> Iterator[tuple[Picture, Image.Image | Answer]]:
        """Yield each picture with what `render_all` gives for it; its memory is not freed."""
        asked = list(pictures)
        for picture, outcome in render_all(one for one in asked if one.key not in self._kept):
            self._kept[picture.key] = (
                outcome if isinstance(outcome, Answer) else _Pixels(outcome.size, outcome.tobytes())
            )
        for picture in asked:
            kept = self._kept[picture.key]
            yield picture, kept if isinstance(kept, Answer) else kept.image()
