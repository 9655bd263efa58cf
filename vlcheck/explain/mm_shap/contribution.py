"""MM-SHAP of pairs of picture and text: the contribution of each word and of each cell, and the share of the text."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.image_map import ImageMap
from vlcheck.explain.mm_shap.players import Players
from vlcheck.explain.mm_shap.sampling import sample_rounds
from vlcheck.explain.mm_shap.shapley import Game, ShapleyValues, enumerate_coalitions
from vlcheck.explain.mm_shap.share import text_share
from vlcheck.explain.mm_shap.values import CoalitionValues
from vlcheck.metrics.mm_shap import TextShare
from vlcheck.models.differentiable import Differentiable

SPARE = 8  # the least number of rounds beyond that of the cells


@dataclass(frozen=True, eq=False)
class Contribution:
    """The contributions of the words of a text and of the cells of its picture to the score of the pair.

    Attributes:
        tokens: the tokens of the text as the model reads it.
        token_values: the Shapley value of each token, (tokens,); 0 for tokens that are always present.
        image: the Shapley values of the cells.
        share: T-SHAP, the share of the text among all effects; V-SHAP, that of the picture, is 1 minus it.
        synergy: the interaction of both modalities: v(both) - v(text alone) - v(picture alone) + v(none). It is the
            Shapley interaction index of the two modalities as two players.
        values: the Shapley values of all players, those of the text first.
    """

    tokens: tuple[str, ...]
    token_values: np.ndarray
    image: ImageMap
    share: TextShare
    synergy: float
    values: ShapleyValues


@dataclass(frozen=True, kw_only=True)
class MMShap:
    """MM-SHAP with its settings.

    Attributes:
        enumerated: the most players of which all coalitions are asked; with more, coalitions are sampled.
        precision: sampling ends when the standard error of T-SHAP is at most this.
        fewest_rounds: the fewest rounds; with more cells than this less SPARE, there are SPARE rounds more than cells,
            since fewer cannot tell the effects of the cells apart.
        most_rounds: the most rounds; the standard error may then be above `precision`.
        per_round: number of coalitions of tokens with each coalition of cells.

    Source:
        Parcalabescu and Frank 2022, arXiv:2212.08158.
    """

    enumerated: int = 12
    precision: float = 0.02
    fewest_rounds: int = 24
    most_rounds: int = 128
    per_round: int = 8

    def explain(
        self, model: Differentiable, images: Sequence[Image.Image], texts: Sequence[str], *, batch_size: int = 16
    ) -> list[Contribution]:
        """Return the contributions of words and cells to the score of each pair.

        Args:
            model: the network.
            images: n RGB images.
            texts: n texts.
            batch_size: number of changed pictures that are encoded together; where there is no memory, it is halved.

        Raises:
            NotApplicable: a text is too long for the model, or nothing changes the score of a pair.
        """
        return [self._explain_one(model, image, text, batch_size) for image, text in zip(images, texts, strict=True)]

    def _explain_one(self, model: Differentiable, image: Image.Image, text: str, batch_size: int) -> Contribution:
        players = Players.of(model.inputs([image], [text]), model.absent_token)
        game = CoalitionValues(model, players, batch_size=batch_size)
        return contribution(players, self.shapley_values(game, len(players.tokens), len(players.cells)), game)

    def shapley_values(self, game: Game, texts: int, images: int) -> ShapleyValues:
        """Return the Shapley values of a game, exact or estimated.

        Args:
            game: the game; in its coalitions the text players come first.
            texts: number of text players.
            images: number of image players.
        """
        if texts + images <= self.enumerated:
            return enumerate_coalitions(game, texts + images)

        def enough(values: ShapleyValues) -> bool:
            return len(values.rounds) >= self.most_rounds or self._precise(values, texts)

        first = min(max(self.fewest_rounds, images + SPARE), self.most_rounds)
        return sample_rounds(game, texts, images, enough=enough, first=first, per_round=self.per_round)

    def _precise(self, values: ShapleyValues, texts: int) -> bool:
        with suppress(NotApplicable):
            return text_share(values, texts).standard_error <= self.precision
        return False


def contribution(players: Players, values: ShapleyValues, game: Game) -> Contribution:
    """Return the contribution of each token and cell.

    Args:
        players: the players.
        values: their Shapley values.
        game: the game.

    Raises:
        NotApplicable: nothing changes the score.
    """
    texts = len(players.tokens)
    tokens = players.inputs.tokens[0]
    token_values = np.zeros(len(tokens))
    token_values[list(players.tokens)] = values.phi[:texts]
    words = np.arange(len(players)) < texts
    text_alone, picture_alone = game(np.array([words, ~words])).tolist()
    return Contribution(
        tokens=tokens,
        token_values=token_values,
        image=ImageMap(values.phi[texts:], players.layout),
        share=text_share(values, texts),
        synergy=values.full - text_alone - picture_alone + values.base,
        values=values,
    )
