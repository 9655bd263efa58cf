"""The values of coalitions: the score of a pair of which some tokens and cells are absent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vlcheck.explain.batches import in_batches
from vlcheck.explain.mm_shap.players import Players, several
from vlcheck.models.differentiable import Differentiable

TEXTS_PER_PICTURE = 4  # texts in one call, per picture of a batch


@dataclass
class Forwards:
    """The forwards of a network: the number of pictures, of texts, and of pairs."""

    pictures: int = 0
    texts: int = 0
    pairs: int = 0


@dataclass(frozen=True, eq=False)
class _Picture:
    """A picture without its absent cells, as pixels and as the network's states, (1, ...) each."""

    pixels: Tensor
    states: Tensor

    def copy(self) -> _Picture:
        """Return a copy that keeps no other picture of its batch in memory."""
        return _Picture(self.pixels.clone(), self.states.clone())


class CoalitionValues:
    """The score of a pair for each coalition of its players; equal coalitions are asked once.

    A picture is encoded once for all texts that it is asked with, and a text is read once for all pictures. The states
    of one batch of pictures are kept at a time, beside those of the whole and of the empty picture.

    Args:
        model: the network.
        players: the players of one pair; in a coalition the tokens come first.
        batch_size: number of pictures that are encoded together; it bounds the number of texts in a call as well.

    Attributes:
        forwards: the forwards of the network so far.
    """

    def __init__(self, model: Differentiable, players: Players, *, batch_size: int = 16) -> None:
        self.model, self.players, self.batch_size = model, players, batch_size
        self.forwards = Forwards()
        self._known: dict[bytes, float] = {}
        self._ends: dict[bytes, _Picture] = {}  # the whole and the empty picture, which occur again and again

    def __call__(self, present: np.ndarray) -> np.ndarray:
        """Return the scores of coalitions: P(match), or the match logit of a network that only compares texts.

        Args:
            present: (coalitions, players), bool.

        Returns:
            Scores, (coalitions,), float64.
        """
        keys = [row.tobytes() for row in np.packbits(present, axis=1)]
        unknown = {key: row for row, key in enumerate(keys) if key not in self._known}
        if unknown:
            scores = self._ask(present[list(unknown.values())])
            self._known.update(zip(unknown, scores.tolist(), strict=True))
        return np.array([self._known[key] for key in keys])

    @torch.inference_mode()
    def _ask(self, present: np.ndarray) -> np.ndarray:
        """Return the scores of distinct coalitions."""
        words = len(self.players.tokens)
        pictures, picture_of = np.unique(present[:, words:], axis=0, return_inverse=True)
        texts, text_of = np.unique(present[:, :words], axis=0, return_inverse=True)
        text_states = self._read(texts)
        scores = np.empty(len(present))
        for number, picture in self._encoded(pictures):

            def matched(rows: Sequence[int], picture: _Picture = picture) -> np.ndarray:
                return self._matched(picture, texts[text_of[rows]], text_states[text_of[rows]])

            with_it = np.flatnonzero(picture_of == number).tolist()
            for rows, found in in_batches(matched, with_it, self.batch_size * TEXTS_PER_PICTURE):
                scores[rows] = found
        self.forwards.pairs += len(present)
        return scores

    def _read(self, texts: np.ndarray) -> Tensor:
        """Return the states of texts, (texts, ...)."""
        self.forwards.texts += len(texts)

        def read(rows: Sequence[int]) -> Tensor:
            return self.model.text_states(self.players.texts(texts[rows]))

        batches = in_batches(read, [*range(len(texts))], self.batch_size * TEXTS_PER_PICTURE)
        return torch.cat([states for _, states in batches])

    def _encoded(self, pictures: np.ndarray) -> Iterator[tuple[int, _Picture]]:
        """Yield the number of each picture with the picture, as soon as its batch is encoded."""
        known = [self._ends.get(cells.tobytes()) for cells in pictures]
        yield from ((number, picture) for number, picture in enumerate(known) if picture)
        left = [number for number, picture in enumerate(known) if not picture]
        self.forwards.pictures += len(left)
        for numbers, encoded in in_batches(lambda some: self._encode(pictures[some]), left, self.batch_size):
            for number, picture in zip(numbers, encoded, strict=True):
                cells = pictures[number]
                if cells.all() or not cells.any():
                    self._ends[cells.tobytes()] = picture.copy()
                yield number, picture

    def _encode(self, pictures: np.ndarray) -> list[_Picture]:
        inputs = self.players.pictures(pictures)
        states = self.model.image_states(inputs)
        return [_Picture(inputs.pixels[[row]], states[row : row + 1]) for row in range(len(pictures))]

    def _matched(self, picture: _Picture, texts: np.ndarray, text_states: Tensor) -> np.ndarray:
        """Return the scores of one picture with texts, (texts,), float64."""
        n = len(texts)
        inputs = replace(self.players.texts(texts), pixels=several(picture.pixels, n))
        logits = self.model.match_logits(inputs, several(picture.states, n), text_states).double()
        scores: np.ndarray = (logits if self.model.relative else logits.softmax(1))[:, 1].cpu().numpy()
        return scores
