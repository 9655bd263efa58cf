"""Models that write a text token by token: of a closed set of words, each is as probable as the text it completes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, takewhile
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable
from vlcheck.metrics.kinds import ANY
from vlcheck.models.adapters.base import Adapter, check_masked, log_softmax, own
from vlcheck.models.adapters.features import Features
from vlcheck.models.protocol import Encoded


class Sentence(NamedTuple):
    """A text as it is read over one image.

    Attributes:
        row: of the selection, whose image it is read over.
        ids: its tokens, after all that is read before every text of the image.
        start: the first token that is not the same in all texts it is compared with; at least 1.
    """

    row: int
    ids: Sequence[int]
    start: int


class Autoregressive(Adapter):
    """Fill by candidates.

    P(word) is the softmax, over the words asked at a mask, of the log-likelihood of the text with the word in its
    place, read with teacher forcing: the sum of log P(token | image, tokens before it). What all these texts begin with
    is as likely in each and cancels; the end of the text is no part of it. The likelihood of a text given an image is
    VisualGPTScore's (Lin et al. 2023, arXiv:2306.01879), the choice among a closed set by likelihood GPT-3's (Brown et
    al. 2020, arXiv:2005.14165).

    The texts of one image are read together, padded on the right: causal attention never reaches the padding.

    Attributes:
        network: of transformers, in its dtype, on its device.
    """

    network: Any  # transformers' types know little of a network's parts

    @torch.inference_mode()
    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """P(word) among the words asked at each text's one mask; each sums to 1 over its distinct words.

        Raises:
            UsageError: no fill, or a text has not exactly one mask.
            NotApplicable: a text that the model would not read in full, or of which a single word is asked for: without
                another to compare with it is certain, whatever the picture.
        """
        self._demand("mlm")
        features = own(encoded, texts, self)
        check_masked(texts)
        sets = [tuple(dict.fromkeys(asked)) for asked in words]
        for choices in sets:
            if len(choices) == 1:
                raise NotApplicable("the model only compares words, and no other is known to be false")
        compared = [
            [*self._completed(features, row, [text.replace(MASK, word) for word in choices])]
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
        """How likely any of the words is that were compared last; no other word has a probability.

        It is free right after `mlm` of the same texts, and unknown at any other time.
        """
        features = own(encoded, texts, self)
        known = features.last.compared == (features.index, tuple(texts))
        return [[(ANY, mass)] for mass in features.last.masses] if known else [[] for _ in texts]

    @abstractmethod
    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        """Tokens of a text that the model would write over a row's image, and of what is read before it."""

    @abstractmethod
    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        """What comes after the tokens at the places `keep` (kept,) of ids (n, tokens): (n, kept, vocab_size)."""

    def _completed(self, features: Features, row: int, texts: Sequence[str]) -> Iterator[Sentence]:
        """Texts that are compared with one another, from their first difference on."""
        spelled = [self.said(features, row, text) for text in texts]
        start = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*spelled, strict=False)))
        return (Sentence(row, ids, start) for ids in spelled)

    def _likelihoods(self, features: Features, sentences: Sequence[Sentence]) -> Tensor:
        """Log-likelihood of each from its start on, and of its first token there, (2, sentences), float64."""
        found = torch.zeros(2, len(sentences), dtype=torch.float64)
        for image, places in self._by_image(features, [sentence.row for sentence in sentences]):
            found[:, places] = self._likelihood(features, image, [sentences[place] for place in places]).cpu()
        return found

    def _likelihood(self, features: Features, image: int, sentences: Sequence[Sentence]) -> Tensor:
        ids, lengths = self._padded([sentence.ids for sentence in sentences])
        starts = torch.tensor([sentence.start for sentence in sentences], device=ids.device)
        places = torch.arange(int(starts.min()), ids.shape[1], device=ids.device)
        if not len(places):  # one text is all that the others begin with
            return torch.zeros(2, len(sentences), dtype=torch.float64)
        log_probs = log_softmax(self.logits(features, image, ids, places - 1))
        each = log_probs.gather(-1, ids[:, places, None])[..., 0].double()
        each = each.where((places >= starts[:, None]) & (places < lengths[:, None]), 0)
        return torch.stack([each.sum(-1), each.where(places == starts[:, None], 0).sum(-1)])

    def _by_image(self, features: Features, rows: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Which of these rows are read together: an image, and at most `max_pairs` places in `rows`."""

        def image(place: int) -> int:
            return features.index[rows[place]]

        for number, places in groupby(sorted(range(len(rows)), key=image), key=image):
            yield from ((number, list(chunk)) for chunk in self._chunks([*places]))

    def _padded(self, sequences: Iterable[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Ids (n, tokens) on the model's device, padded on the right with whatever token, and their lengths (n,)."""
        rows = [torch.tensor(ids, device=self.network.device) for ids in sequences]
        return pad_sequence(rows, batch_first=True), torch.tensor(
            [len(ids) for ids in rows], device=self.network.device
        )


def _mass(sentences: Sequence[Sentence], firsts: Tensor) -> float:
    """Return the summed probability of the first tokens by which the texts differ.

    Args:
        sentences: that are compared.
        firsts: log-likelihood of the first token by which each differs, (sentences,).
    """
    first = {one.ids[one.start]: log for one, log in zip(sentences, firsts, strict=True) if len(one.ids) > one.start}
    return float(sum(log.exp() for log in first.values())) if first else 1.0


def check_length(tokens: int, limit: int) -> None:
    """Raises NotApplicable where a text has more tokens, with all that is read before it, than a model reads."""
    if tokens > limit:
        raise NotApplicable(f"the text and its prompt have more than the {limit} tokens that the model reads")
