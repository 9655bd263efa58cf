"""Models that answer the metric mm-shap: MM-SHAP of their match score."""

from __future__ import annotations

from collections.abc import Sequence

from vlcheck.errors import NotApplicable
from vlcheck.explain.applicable import match_network
from vlcheck.explain.mm_shap.contribution import MMShap
from vlcheck.explain.network_code import network_code
from vlcheck.metrics.mm_shap import MatchContributions, TextContribution
from vlcheck.metrics.pictures import Pictures
from vlcheck.models.loading.foreign_model import ForeignModel
from vlcheck.models.protocol import VisionLanguageModel


class WithMMShap(ForeignModel):
    """A model with the metric mm-shap beside its own; if it cannot be explained, its `lacks` says why.

    Args:
        model: a model.
        method: MM-SHAP with its settings.
        batch_size: number of changed pictures that are encoded together.
    """

    def __init__(self, model: VisionLanguageModel, *, method: MMShap | None = None, batch_size: int = 16) -> None:
        self.method, self.batch_size = method or MMShap(), batch_size
        self.network, reason = match_network(model)
        name, kind = TextContribution.name, next(iter(TextContribution.kinds))
        super().__init__(model, {**model.kinds, name: kind} if self.network else model.kinds)
        self.network_code = network_code(self.network)  # a part of every kept answer's key
        if reason:
            self.lacks[name] = reason

    def mm_shap(self, pictures: Pictures, texts: Sequence[str]) -> list[MatchContributions]:
        """Return T-SHAP and the synergy of each picture with its text.

        See `vlcheck.metrics.mm_shap.SharesContributions`.

        Args:
            pictures: n pictures.
            texts: n texts.
        """
        if self.network is None:
            raise NotApplicable(self.lacks[TextContribution.name])
        found = self.method.explain(self.network, pictures.images, texts, batch_size=self.batch_size)
        return [MatchContributions(one.share, one.synergy) for one in found]
