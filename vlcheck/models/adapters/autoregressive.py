"""Models that write text token by token. Words are compared by the likelihood of the texts that they complete."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, takewhile
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlcheck.cases.case import filled
from vlcheck.errors import NotApplicable
from vlcheck.metrics.kinds import ANY
from vlcheck.models.adapters.base import Adapter, check_masked, log_softmax, own
from vlcheck.models.adapters.features import Features
from vlcheck.models.protocol import Encoded


class Continuation(NamedTuple):
    """A text that is read after one image, with the part of it that is scored.

    Attributes:
        row: row of the selection, whose image it follows.
        ids: its token ids, after the prefix that all texts of the image share.
        start: index of the first scored token, at least 1: the first one that differs among the compared texts.
    """

    row: int
    ids: Sequence[int]
    start: int


class Autoregressive(Adapter):
    """A model that fills a mask by comparing candidate words.

    P(word) is the softmax over the words asked at a mask. The logit of a word is the log-likelihood of the text with
    the word in place of the mask: the sum of log P(token | image, earlier tokens), with teacher forcing. The tokens
    that all these texts begin with are left out, since they cancel; the end-of-text token is not counted. The texts of
    one image are read together, padded on the right: causal attention never reaches the padding.

    Attributes:
        network: a network of transformers, in its dtype, on its device.

    Source:
        Likelihood of a text given an image: VisualGPTScore, Lin et al. 2023, arXiv:2306.01879.
        Choice from a closed set by likelihood: Brown et al. 2020, arXiv:2005.14165.
    """

    network: Any  # transformers leaves the parts of a network untyped

    @torch.inference_mode()
    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return P(word) among the words asked at the one mask of each text.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts, each with "[MASK]" exactly once.
            words: n lists of at least two different words.

        Returns:
            For each text an array, shape (len(words[i]),); the probabilities of its distinct words sum to 1.

        Raises:
            UsageError: the model cannot fill masks, or a text has not exactly one mask.
            NotApplicable: a text is too long for the model, or is asked with a single word, which would always get
                probability 1.
        """
        self._demand("mlm")
        features = own(encoded, texts, self)
        check_masked(texts)
        sets = [tuple(dict.fromkeys(asked)) for asked in words]
        for choices in sets:
            if len(choices) == 1:
                raise NotApplicable("the model only compares words, and no other is known to be false")
        compared = [
            [*self._completed(features, row, [filled(text, word) for word in choices])]
            for row, (text, choices) in enumerate(zip(texts, sets, strict=True))
        ]
        read = self._likelihoods(features, [*chain.from_iterable(compared)])
        parts, firsts = (torch.split(one, [*map(len, compared)]) for one in read)
        features.last.compared = features.index, tuple(texts)
        features.last.masses = tuple(map(_mass, compared, firsts))
        found = [
            dict(zip(choices, part.softmax(0).tolist(), strict=True)) for choices, part in zip(sets, parts, strict=True)
        ]
        return [np.array([probs[word] for word in asked]) for probs, asked in zip(found, words, strict=True)]

    @torch.inference_mode()
    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Return the probability that one of the words occurs that were compared last.

        The probability of any other word is not known.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
            k: not used; there is one entry at most.

        Returns:
            For each text [(ANY, probability)] right after `mlm` of the same images and texts; [] otherwise.
        """
        features = own(encoded, texts, self)
        known = features.last.compared == (features.index, tuple(texts))
        return [[(ANY, mass)] for mass in features.last.masses] if known else [[] for _ in texts]

    @abstractmethod
    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        """Return the token ids of a text as the model's answer, with the tokens of its prompt.

        Args:
            features: encoded images.
            row: row of the selection; the text is about its image.
            text: the text, without a mask.
        """

    @abstractmethod
    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        """Return the logits of the next token at some positions of texts about one image.

        Args:
            features: encoded images.
            image: index of the image.
            ids: token ids of n texts, (n, tokens).
            keep: the positions, (kept,), in range(tokens).

        Returns:
            Logits, (n, kept, vocab_size).
        """

    def _completed(self, features: Features, row: int, texts: Sequence[str]) -> Iterator[Continuation]:
        """Return continuations of a row's image by texts that are compared with one another."""
        spelled = [self.said(features, row, text) for text in texts]
        start = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*spelled, strict=False)))
        return (Continuation(row, ids, start) for ids in spelled)

    def _likelihoods(self, features: Features, continuations: Sequence[Continuation]) -> Tensor:
        """Return log-likelihoods, (2, continuations), float64: of all scored tokens, and of the first of them."""
        found = torch.zeros(2, len(continuations), dtype=torch.float64)
        for image, places in self._by_image(features, [one.row for one in continuations]):
            found[:, places] = self._likelihood(features, image, [continuations[place] for place in places]).cpu()
        return found

    def _likelihood(self, features: Features, image: int, continuations: Sequence[Continuation]) -> Tensor:
        """Return log-likelihoods as `_likelihoods` does, of continuations of one image."""
        ids, lengths = self._padded([one.ids for one in continuations])
        starts = torch.tensor([one.start for one in continuations], device=ids.device)
        places = torch.arange(int(starts.min()), ids.shape[1], device=ids.device)
        if not len(places):  # the texts are all equal, so that there is no token to score
            return torch.zeros(2, len(continuations), dtype=torch.float64)
        log_probs = log_softmax(self.logits(features, image, ids, places - 1))
        each = log_probs.gather(-1, ids[:, places, None])[..., 0].double()
        each = each.where((places >= starts[:, None]) & (places < lengths[:, None]), 0)
        return torch.stack([each.sum(-1), each.where(places == starts[:, None], 0).sum(-1)])

    def _by_image(self, features: Features, rows: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Yield parts to read together: an image, and the indices in `rows` of at most `max_pairs` of its rows."""

        def image(place: int) -> int:
            return features.index[rows[place]]

        for number, places in groupby(sorted(range(len(rows)), key=image), key=image):
            yield from ((number, list(chunk)) for chunk in self._chunks([*places]))

    def _padded(self, sequences: Iterable[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Return token ids (n, tokens) on the model's device, padded on the right, and their lengths (n,)."""
        rows = [torch.tensor(ids, device=self.network.device) for ids in sequences]
        return pad_sequence(rows, batch_first=True), torch.tensor(
            [len(ids) for ids in rows], device=self.network.device
        )


def _mass(continuations: Sequence[Continuation], firsts: Tensor) -> float:
    """Return the summed probability of the different tokens with which the scored parts of compared texts begin.

    Args:
        continuations: the texts.
        firsts: log-likelihood of the first scored token of each, (continuations,).
    """
    first = {
        one.ids[one.start]: log for one, log in zip(continuations, firsts, strict=True) if len(one.ids) > one.start
    }
    return float(sum(log.exp() for log in first.values())) if first else 1.0


def check_length(tokens: int, limit: int) -> None:
    """Check that a text is not too long for a model.

    Args:
        tokens: number of tokens of the text, its prompt and its picture.
        limit: largest number of tokens that the model reads.

    Raises:
        NotApplicable: the text is too long.
    """
    if tokens > limit:
        raise NotApplicable(f"the text and its prompt have more than the {limit} tokens that the model reads")
