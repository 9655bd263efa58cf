"""The base class for networks of a user's own: parts that are left out are parts that the network does not have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image

from vlcheck.errors import NotApplicable
from vlcheck.models.differentiable import AttentionKind, PairInputs

if TYPE_CHECKING:
    from torch import Tensor, nn


class BaseDifferentiable(ABC):
    """A network for explanations, as far as it is told. See `vlcheck.models.differentiable.Differentiable`.

    A subclass sets `name`, `network`, `word_embeddings` and `absent_token`, and defines `inputs`, `image_states`,
    `text_states` and `match_logits`. Without the other parts, some attribution methods do not apply, and say so.

    Attributes:
        name: the model's name in reports.
        network: the network.
        word_embeddings: the module that maps token ids (n, tokens) to vectors (n, tokens, width).
        absent_token: the id that takes the place of a token that is left out.
        vision_blocks: the blocks of the image encoder; without them, Grad-CAM does not apply.
        relative: True if the match logit only ranks texts, as that of a contrastive model.
        stackable: False if pictures of different shapes cannot share a batch.
    """

    name: str
    network: nn.Module
    word_embeddings: nn.Module
    absent_token: int
    vision_blocks: Sequence[nn.Module] = ()
    relative: bool = False
    stackable: bool = True

    @abstractmethod
    def inputs(
        self, images: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str] | None = None
    ) -> PairInputs:
        """Prepare pairs of picture and text. See `vlcheck.models.differentiable.Differentiable.inputs`.

        Args:
            images: n RGB images.
            texts: n texts.
            words: for each text the word that is asked about at its mask; None for the match.
        """

    @abstractmethod
    def image_states(self, inputs: PairInputs) -> Tensor:
        """Return what the network computes from the pictures alone, (n, ...)."""

    @abstractmethod
    def text_states(self, inputs: PairInputs) -> Tensor:
        """Return what the network computes from the texts alone, (n, ...)."""

    @abstractmethod
    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        """Return the logits of no match and match, (n, 2).

        Args:
            inputs: n pairs.
            image_states: states of the pictures.
            text_states: states of the texts.
        """

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        raise NotApplicable(f"{self.name} gives no log-probability of a word")

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return hidden

    def attention_kind(self, module: str) -> AttentionKind | None:
        return None

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        return attention
