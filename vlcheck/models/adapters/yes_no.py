"""Models that answer questions: P(match) of a text is the share of "yes" in the answer about it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from vlcheck.errors import UsageError
from vlcheck.models.adapters.autoregressive import Autoregressive
from vlcheck.models.adapters.base import log_softmax, own
from vlcheck.models.adapters.described import joined
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.thinking import Read, Thinker, ThoughtThrough
from vlcheck.models.adapters.wording import QUESTION, WORDINGS, demand_wording
from vlcheck.models.protocol import Encoded, YesNo

__all__ = ["QUESTION", "WORDINGS", "Answering", "spellings"]


class Answering(Autoregressive):
    """The base class of models whose P(match) comes from their answer to a yes-no question.

    P(match) = P("yes") / (P("yes") + P("no")) at the first token of the answer to QUESTION. P of a word is summed over
    all tokens that read as the word. A model that thinks before it answers is asked after its thought.

    Attributes:
        yes: ids of the tokens that read as "yes".
        no: ids of the tokens that read as "no".
        wordings: the wordings of the question, the usual one first.
        wording: the one that the model is asked in.
        thinker: writes the thought before an answer; None for a model that answers at once.

    Source:
        VQAScore, Lin et al. 2024, arXiv:2404.01291, which takes P("yes") alone.
    """

    yes: Sequence[int]
    no: Sequence[int]
    wordings: Sequence[str] = WORDINGS
    wording: str = QUESTION
    thinker: Thinker | None = None

    def in_wording(self, wording: str) -> Self:
        """Return the model with another wording of its question; it reads pictures that this model has encoded.

        Args:
            wording: one of `wordings`.

        Raises:
            UsageError: there is no such wording.
        """
        demand_wording(wording, self)
        other = copy(self)
        other.wording = wording
        return other

    @torch.inference_mode()
    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Return P("yes") / (P("yes") + P("no")) for each image and text.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
            foils: not used.

        Returns:
            Probabilities, (n,), in [0, 1]; 0.5 where P("yes") and P("no") are both 0.

        Raises:
            NotApplicable: a text is too long for the model.
        """
        return self.answers(encoded, texts).share

    @torch.inference_mode()
    def answers(self, encoded: Encoded, texts: Sequence[str]) -> YesNo:
        """Return P("yes") and P("no") of the answer to the question whether picture i shows text i.

        The model is not run again right after `itm` of the same images and texts.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.

        Returns:
            P("yes") and P("no"), (n,) each.

        Raises:
            NotApplicable: a text is too long for the model.
        """
        features = own(encoded, texts, self)
        last, read = features.last, (features.index, tuple(texts))
        if last.log_probs is None or (last.of, last.wording) != (read, self.wording):
            last.of, last.log_probs, last.cut = ((), ()), None, ()  # an error leaves no scores of other questions
            last.log_probs = self._yes_and_no(features, texts).log()
            last.of, last.wording = read, self.wording
        return YesNo(*last.log_probs.exp().numpy())

    def cut_thoughts(self, encoded: Encoded, texts: Sequence[str]) -> Sequence[bool]:
        """Return for each text whether the thought before the answer did not end itself, so that it was ended.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.

        Returns:
            n flags right after `answers` to the same texts; () for a model that does not think.
        """
        features = own(encoded, texts, self)
        return features.last.cut if features.last.of == (features.index, tuple(texts)) else ()

    def text_reader(self, features: Features, image: int) -> Read:
        """Return a function that reads one text about an image, part by part.

        Each part is read with all earlier ones again. A family whose network continues from what it has read before
        overrides this.

        Args:
            features: encoded images.
            image: index of the image.

        Returns:
            A function of further token ids, (1, n), that returns the logits of the next token, (vocab_size,).
        """
        had: list[Tensor] = []

        def read(ids: Tensor) -> Tensor:
            had.append(ids)
            whole = torch.cat(had, dim=1)
            return self.logits(features, image, whole, whole.new_tensor([whole.shape[1] - 1]))[0, -1]

        return read

    def texts_said(self) -> str:
        thought = self.thinker and f"after a thought of at most {self.thinker.limit} tokens"
        return joined(super().texts_said(), f"question {self.wording!r}", thought or "")

    def _thought_through(self, features: Features, row: int, text: str) -> ThoughtThrough:
        """Return the question about a text, with the thought about it if the model thinks."""
        asked = self.asked(features, row, text)
        if self.thinker is None:
            return ThoughtThrough(asked, cut=False)
        return self.thinker.think(self.text_reader(features, features.index[row]), asked, self.network.device)

    def _yes_and_no(self, features: Features, texts: Sequence[str]) -> Tensor:
        """Return P("yes") and P("no"), (2, n)."""
        thoughts = [self._thought_through(features, row, text) for row, text in enumerate(texts)]
        features.last.cut = tuple(one.cut for one in thoughts) if self.thinker else ()
        asked = [one.ids for one in thoughts]
        found = torch.zeros(2, len(asked), dtype=torch.float64)
        for image, rows in self._by_image(features, range(len(asked))):
            ids, _ = self._padded([asked[row] for row in rows])
            ends = [len(asked[row]) - 1 for row in rows]
            keep = sorted({*ends})
            logits = self.logits(features, image, ids, ids.new_tensor(keep))
            probs = log_softmax(logits[range(len(rows)), [keep.index(end) for end in ends]]).double().exp()
            found[:, rows] = torch.stack([probs[:, words].sum(-1) for words in (self.yes, self.no)]).cpu()
        return found

    @abstractmethod
    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        """Return the token ids of the question about a text, up to the place where the answer, or a thought, begins.

        Args:
            features: encoded images.
            row: row of the selection; the question is about its image.
            text: the text.
        """


def spellings(tokenizer: PreTrainedTokenizerBase, word: str) -> list[int]:
    """Return all tokens that read as a word, in any case, with or without a space before it.

    Args:
        tokenizer: the tokenizer.
        word: the word, in lower case.

    Returns:
        Token ids, ascending.

    Raises:
        UsageError: there is no such token.
    """
    found = [number for token, number in tokenizer.get_vocab().items() if token.strip("Ġ▁ ").lower() == word]
    if not found:
        raise UsageError(f"the model's vocabulary has no token for the answer {word!r}.")
    return sorted(found)
