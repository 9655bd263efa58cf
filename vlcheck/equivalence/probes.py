"""Probes: pictures and texts whose answers show where two models part, in how pictures or in how texts are read.

A fault of reading is an edit that one model makes of every picture or text. Both models are therefore asked about each
probe as it is and after such an edit. If B's answers as it is are A's answers after the edit, that is the edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from PIL import Image

from vlcheck._util.hashing import digest
from vlcheck.cases import Case
from vlcheck.cases.case import MASK, ImageSource
from vlcheck.cases.picture import ImageEdit, Picture
from vlcheck.equivalence.questions import OWN, ParityCase, ParityQuestion
from vlcheck.metrics.kinds import Metric
from vlcheck.perturb import Mirror, Solid, UpsideDown

DRAWN = "drawn "  # begins the id of a probe that is no picture of the data
AGAIN = "again"  # view of a picture that is shown a second time
FLAT = "drawn flat "  # begins the id of a probe of one color
_SIZE = (128, 96)
_MOST = 8  # pictures of the data, and texts
_MOST_WORDS = 4


@dataclass(frozen=True)
class Drawn:
    """A drawn picture.

    Attributes:
        name: its name.
        pixels: its pixels, (height, width, 3), uint8.
    """

    name: str
    pixels: np.ndarray = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        """The digest of its pixels."""
        return digest(self.name, self.pixels.tobytes().hex())

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def open(self) -> Image.Image:
        """Return the picture."""
        return Image.fromarray(self.pixels)


@dataclass(frozen=True)
class ShownAgain:
    """A picture that is shown a second time, in another place of the batches.

    Attributes:
        source: the picture.
    """

    source: ImageSource

    @property
    def key(self) -> str:
        """A key of its own, so that the picture is asked about twice."""
        return digest(AGAIN, self.source.key)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.source.size

    def open(self) -> Image.Image:
        """Return the picture."""
        return self.source.open()


@dataclass(frozen=True)
class SwapChannels:
    """Exchange the red and the blue channel."""

    name: ClassVar[str] = "swap-channels"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        """Return the picture with exchanged channels."""
        red, green, blue = image.split()
        return Image.merge("RGB", (blue, green, red))


@dataclass(frozen=True)
class Unnormalised:
    """Make a picture that is, once it is normalised, the values of the given one in [0, 1].

    Attributes:
        mean: mean of each channel by which the model normalises.
        std: standard deviation of each channel.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    name: ClassVar[str] = "unnormalised"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        """Return the picture with its values squeezed."""
        values = np.asarray(image, dtype=np.float64) * self.std + 255 * np.asarray(self.mean)
        return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


@dataclass(frozen=True)
class MiddleSquare:
    """Cut out the square in the middle."""

    name: ClassVar[str] = "middle-square"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        """Return the square."""
        side = min(image.size)
        left, top = ((length - side) // 2 for length in image.size)
        return image.crop((left, top, left + side, top + side))


@dataclass(frozen=True)
class Hypothesis:
    """A fault of reading, as an edit of what is read.

    Attributes:
        said: the fault in words, after "B reads a picture as A reads it ...".
        picture: the edit of the picture; None for a fault of the texts.
        text: the edit of a text's words, where "[MASK]" is a word; None for a fault of the pictures.
    """

    said: str
    picture: ImageEdit | None = None
    text: Callable[[list[str]], list[str]] | None = None


HYPOTHESES: Mapping[str, Hypothesis] = MappingProxyType(
    {
        "channels": Hypothesis("with red and blue exchanged (RGB, BGR)", SwapChannels()),
        "mirrored": Hypothesis("mirrored", Mirror()),
        "upside down": Hypothesis("upside down", UpsideDown()),
        "cropped": Hypothesis("cropped to the square in its middle", MiddleSquare()),
        "unnormalised (CLIP)": Hypothesis(
            "without normalisation (by CLIP's mean and standard deviation)",
            Unnormalised((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
        ),
        "unnormalised (ImageNet)": Hypothesis(
            "without normalisation (by ImageNet's mean and standard deviation)",
            Unnormalised((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ),
        "unnormalised (0.5)": Hypothesis(
            "without normalisation (by mean and standard deviation 0.5)", Unnormalised((0.5,) * 3, (0.5,) * 3)
        ),
        "reversed": Hypothesis("with the words in reverse order", text=lambda words: words[::-1]),
        "halves": Hypothesis(
            "with the second half of the words before the first",
            text=lambda words: words[len(words) // 2 :] + words[: len(words) // 2],
        ),
        "cut": Hypothesis("without the last word", text=lambda words: words[:-1] if words[-1] != MASK else words),
        "opening": Hypothesis("with 'a photo of' before the text", text=lambda words: ["a", "photo", "of", *words]),
    }
)


def parity_probes(cases: Sequence[Case]) -> Iterator[ParityCase]:
    """Yield the probes: pictures of the data and drawn ones, each asked about the same texts under every hypothesis.

    Args:
        cases: the cases that both models are asked about.
    """
    first = list(islice(_varied(cases), _MOST))
    texts = tuple(case.caption for case in first)
    masked = (first[0].masked, (first[0].target, *_others(first)))
    pictures = {case.id: Picture(case.image) for case in first} | {name: Picture(one) for name, one in _drawn().items()}
    for name, picture in pictures.items():
        again = Picture(ShownAgain(picture.source))
        questions = [*_asked(OWN, picture, texts, masked), *_asked(AGAIN, again, texts, masked)]
        for view, hypothesis in HYPOTHESES.items():
            questions += _under(view, hypothesis, picture, texts, masked)
        yield ParityCase(name, tuple(questions), probe=True)


def edited(text: str, hypothesis: Hypothesis) -> str:
    """Return a text as a hypothesis has it read.

    Args:
        text: the text.
        hypothesis: the hypothesis.
    """
    return " ".join(hypothesis.text(text.split())) if hypothesis.text else text


_Masked = tuple[str, tuple[str, ...]]


def _under(
    view: str, hypothesis: Hypothesis, picture: Picture, texts: tuple[str, ...], masked: _Masked
) -> Iterator[ParityQuestion]:
    """Yield the questions about a picture as a hypothesis has it and its texts read."""
    seen = picture.then(hypothesis.picture) if hypothesis.picture else picture
    said = tuple(edited(text, hypothesis) for text in texts)
    if len({*said}) == len(said):
        yield from _asked(view, seen, said, (edited(masked[0], hypothesis), masked[1]))


def _asked(view: str, picture: Picture, texts: tuple[str, ...], masked: _Masked) -> Iterator[ParityQuestion]:
    metrics: dict[Metric, tuple[str, tuple[str, ...]]] = {"itm": ("", texts), "mlm": masked}
    for metric, (text, asked) in metrics.items():
        if len(asked) > 1:
            yield ParityQuestion(view, metric, picture, text, asked)


def _varied(cases: Sequence[Case]) -> Iterator[Case]:
    """Yield cases whose captions differ, of each kind in turn: faults show in texts about colors, sides or things."""
    kinds: dict[frozenset[str], list[Case]] = {}
    for case in {case.caption: case for case in reversed(cases)}.values():
        kinds.setdefault(frozenset(case.tags), []).append(case)
    for some in zip_longest(*kinds.values()):
        yield from filter(None, some)


def _others(cases: Sequence[Case]) -> tuple[str, ...]:
    false = dict.fromkeys(case.target for case in cases if case.target != cases[0].target)
    return tuple(islice(false, _MOST_WORDS - 1))


def _drawn() -> dict[str, ImageSource]:
    """Return the drawn probes by id: of one color, smooth, finely striped, and with a thing in a corner."""
    colors = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "grey": (128, 128, 128)}
    flat: dict[str, ImageSource] = {f"{FLAT}{name}": Solid(_SIZE, color) for name, color in colors.items()}
    width, height = _SIZE
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    smooth = np.stack([np.tile(ramp, (height, 1))] * 3, axis=-1)
    stripes = np.where((np.arange(width) % 2 == 0)[None, :, None], 255, 0).astype(np.uint8)
    thing = np.full((height, width, 3), 255, dtype=np.uint8)
    thing[8:32, 8:32] = (200, 0, 0)
    drawn = {"gradient": smooth, "stripes": np.broadcast_to(stripes, (height, width, 3)).copy(), "corner": thing}
    return flat | {f"{DRAWN}{name}": Drawn(name, pixels) for name, pixels in drawn.items()}
