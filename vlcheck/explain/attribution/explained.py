"""Models that answer the metric map: which parts of a picture an attribution method finds to speak for the match."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlcheck.errors import NotApplicable
from vlcheck.explain.applicable import mapped_network
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.network_code import network_code
from vlcheck.metrics.contribution_map import SIDE, ContributionMap
from vlcheck.metrics.pictures import Pictures
from vlcheck.models.loading.foreign_model import ForeignModel
from vlcheck.models.protocol import VisionLanguageModel

_FINE = 60  # rows and columns at which a map is drawn before it is summed in cells


class WithMaps(ForeignModel):
    """A model with the metric map beside its own; if the method does not explain its match score, its `lacks` says why.

    Args:
        model: a model.
        method: the attribution method.
        batch_size: number of pictures that are explained together.
    """

    def __init__(self, model: VisionLanguageModel, method: AttributionMethod, *, batch_size: int = 16) -> None:
        self.method, self.batch_size = method, batch_size
        self.network, reason = mapped_network(model, method)
        name = ContributionMap.name
        super().__init__(model, {**model.kinds, name: method.name} if self.network else model.kinds)
        self.network_code = network_code(self.network)  # a part of every kept answer's key
        if reason:
            self.lacks[name] = reason

    def contribution_maps(self, pictures: Pictures, texts: Sequence[str]) -> list[np.ndarray]:
        """Return a map of each picture with its text. See `vlcheck.metrics.contribution_map.MapsContributions`.

        Args:
            pictures: n pictures.
            texts: n texts.
        """
        if self.network is None:
            raise NotApplicable(self.lacks[ContributionMap.name])
        found = attribute(self.network, self.method, pictures.images, texts, batch_size=self.batch_size)
        return [_shares(one.image.render(_FINE, _FINE)) for one in found]


def _shares(fine: np.ndarray) -> np.ndarray:
    """Return the share of each cell in all values above 0, (SIDE, SIDE)."""
    size = len(fine) // SIDE
    cells: np.ndarray = fine.clip(0).reshape(SIDE, size, SIDE, size).sum((1, 3))
    if not cells.any():
        raise NotApplicable("no part of the picture speaks for the match")
    shares: np.ndarray = cells / cells.sum()
    return shares
