"""The optional protocol of models that can be explained: their scores as differentiable functions of pixels and tokens.

A network is asked in three steps, so that a change of the picture alone, or of the text alone, repeats only its own:
states of the picture, states of the text, and a score from both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.errors import NotApplicable

if TYPE_CHECKING:
    from torch import Tensor, nn

WHOLE = Box(0, 0, 1, 1)
_PARTS = "network", "word_embeddings", "inputs", "image_states", "text_states"

# Which tokens read which. image: image tokens one another; text: text tokens one another; cross: text tokens those of
# the image; back: image tokens those of the text; joint: all tokens all; query: learned queries, which stand for no
# token of the text, those of the image.
AttentionKind = Literal["image", "text", "cross", "back", "joint", "query"]


@dataclass(frozen=True)
class ImageLayout:
    """The places of the visual units of a network, patches or regions, in a picture.

    Attributes:
        boxes: the box of each unit, in fractions of the picture's width and height.
        grid: rows and columns, if the units are a grid of patches, row by row; None for regions.
    """

    boxes: tuple[Box, ...]
    grid: tuple[int, int] | None = None

    @classmethod
    def of_grid(cls, rows: int, columns: int, frame: Box = WHOLE) -> ImageLayout:
        """Return the layout of a grid of patches.

        Args:
            rows: number of rows.
            columns: number of columns.
            frame: the part of the picture that the network sees, in fractions of width and height; it is smaller than
                the picture if the preprocessing crops, and larger if it pads.
        """
        width, height = frame.width / columns, frame.height / rows
        places = [(row, column) for row in range(rows) for column in range(columns)]
        boxes = [Box(frame.x + column * width, frame.y + row * height, width, height) for row, column in places]
        return cls(tuple(boxes), (rows, columns))


@dataclass(frozen=True, eq=False)
class PairInputs:
    """A batch of n pairs of picture and text, as a network reads them.

    Attributes:
        pixels: the pictures, (n, 3, height, width) normalised so that 0 is the mean color, or (n, units, width) for a
            network that takes patches or regions as rows.
        ids: token ids, (n, tokens).
        attention: (n, tokens): 1 = token, 0 = padding.
        special: (n, tokens), True at tokens that stand for no word of the text: CLS, SEP, padding, the words of a
            prompt, and the places of image tokens.
        tokens: for each text, the vocabulary's entries of its tokens without padding, for display.
        layouts: for each picture, the places of its visual units; pixels beyond a layout of regions are padding.
        masks: (n, tokens), True at the mask tokens, or at the word itself if the network reads the word in its place;
            all False if the pairs were made without words.
        pieces: for each pair, the token ids of the word that is asked about at its masks; () without words.
        others: further inputs of the network by name, each (n, ...).
    """

    pixels: Tensor
    ids: Tensor
    attention: Tensor
    special: Tensor
    tokens: tuple[tuple[str, ...], ...]
    layouts: tuple[ImageLayout, ...]
    masks: Tensor
    pieces: tuple[tuple[int, ...], ...]
    others: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Sequence[int]) -> PairInputs:
        """Return some pairs, in the order of their rows; a row may occur several times."""
        chosen = list(rows)
        return replace(
            self,
            pixels=self.pixels[chosen],
            ids=self.ids[chosen],
            attention=self.attention[chosen],
            special=self.special[chosen],
            tokens=tuple(self.tokens[row] for row in chosen),
            layouts=tuple(self.layouts[row] for row in chosen),
            masks=self.masks[chosen],
            pieces=tuple(self.pieces[row] for row in chosen),
            others={name: tensor[chosen] for name, tensor in self.others.items()},
        )


class Differentiable(Protocol):
    """A network with the parts that explanations need.

    All methods run with gradients if torch's gradient mode is on. The weights need not require gradients.

    Attributes:
        name: the model's name in reports.
        network: the network.
        word_embeddings: the module that maps token ids (n, tokens) to vectors (n, tokens, width).
        absent_token: the id that takes the place of a token that is left out: the padding token's, or the mask's.
        vision_blocks: the modules that return the states after each block of the image encoder, in their order, up to
            the last one whose patches the score depends on: not the last block of an encoder of which only the CLS
            token is read. Of a network that reads text and image together, its joint blocks. Empty if it has none.
        relative: True if the match logit only ranks texts; then P(match) is not defined for a pair alone.
        stackable: False if pictures of different shapes cannot share a batch.
    """

    name: str
    absent_token: int
    relative: bool
    stackable: bool

    @property
    def network(self) -> nn.Module: ...

    @property
    def word_embeddings(self) -> nn.Module: ...

    @property
    def vision_blocks(self) -> Sequence[nn.Module]: ...

    def inputs(
        self, images: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str] | None = None
    ) -> PairInputs:
        """Prepare pairs of picture and text.

        Args:
            images: n RGB images.
            texts: n texts; each with "[MASK]" once if there are words, and without it otherwise.
            words: for each text the word that is asked about at its mask; None to ask whether picture and text match.

        Raises:
            NotApplicable: a text is too long for the model.
            UsageError: the vocabulary cannot spell a word.
        """

    def image_states(self, inputs: PairInputs) -> Tensor:
        """Return what the network computes from the pictures alone, (n, ...); the pixels, if that is nothing."""

    def text_states(self, inputs: PairInputs) -> Tensor:
        """Return what the network computes from the texts alone, (n, ...); at least the embedded tokens."""

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        """Return the logits of no match and match, (n, 2).

        A softmax over them is P(match) as `itm` returns it, unless `relative` is True. A network with a single logit
        has 0 as the other.

        Args:
            inputs: n pairs.
            image_states: the output of `image_states` for them; if all pairs show one picture, it may be a view of its
                states n times (`expand`), so that the parts that depend on the picture alone can be computed once.
            text_states: the output of `text_states` for them.
        """

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        """Return the log-probability of each pair's word at its masks, (n,).

        Args:
            inputs: n pairs that were made with words.
            image_states: the output of `image_states` for them.
            text_states: the output of `text_states` for them.
        """

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        """Return the states of the visual units, (n, units, width), in the order of their layout.

        Args:
            hidden: the output of a vision block, e.g. with a CLS token.
            inputs: the n pairs.
        """

    def attention_kind(self, module: str) -> AttentionKind | None:
        """Return which tokens read which in the attention that a module computes; None if it computes none.

        A module computes attention of one kind. A network that shares weights between kinds has a module for each.

        Args:
            module: the module's name, as `network.named_modules` gives it.
        """

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        """Return the part of attention maps that lies on the visual units, (..., units), in the order of their layout.

        Args:
            attention: maps over the keys of an attention, (..., keys).
            kind: "cross", "image", "query" or "joint".
            inputs: the n pairs.
        """


@runtime_checkable
class GloballyPooled(Protocol):
    """A differentiable network whose match logit is a linear function of the mean of its patches' states."""

    def unit_logits(self, inputs: PairInputs) -> Tensor:
        """Return the term of each visual unit in the match logit, (n, units), in the order of their layout.

        Their sum is the match logit, but for a term that is the same for all pictures.
        """


@runtime_checkable
class Explainable(Protocol):
    """A model that gives its network for explanations."""

    def differentiable(self) -> Differentiable:
        """Return the model's network with the parts that explanations need.

        Raises:
            NotApplicable: the model gives no gradients; the message says why.
        """


@runtime_checkable
class ExplainableByMetric(Protocol):
    """A model of several networks, each of which answers a metric and gives itself for explanations."""

    def differentiable_for(self, metric: str) -> Differentiable:
        """Return the network that answers a metric, with the parts that explanations need.

        Args:
            metric: one of the model's metrics.

        Raises:
            NotApplicable: the network gives no gradients; the message says why.
        """


def differentiable(model: object, metric: str = "itm") -> Differentiable:
    """Return the network that answers a metric of a model, with the parts that explanations need.

    Args:
        model: a VisionLanguageModel.
        metric: one of the model's metrics; it decides only for a model of several networks.

    Raises:
        NotApplicable: the network gives no gradients.
    """
    name = getattr(model, "name", type(model).__name__)
    if isinstance(model, ExplainableByMetric):
        network = model.differentiable_for(metric)
    elif isinstance(model, Explainable):
        network = model.differentiable()
    else:
        raise NotApplicable(f"{name} gives no gradients: it has no method `differentiable`")
    if missing := [part for part in _PARTS if not hasattr(network, part)]:
        given = type(network).__name__
        raise NotApplicable(f"{name} gives no gradients: its `differentiable` returns {given}, without {missing[0]!r}")
    return network
