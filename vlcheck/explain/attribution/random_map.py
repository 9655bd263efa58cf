"""Random attributions: the null against which methods are measured."""

from __future__ import annotations

import torch
from torch.nn.utils.rnn import pad_sequence

from vlcheck._util.hashing import digest
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.models.differentiable import Differentiable, PairInputs


class Random(AttributionMethod):
    """Uniform noise that depends on the pair alone, so that it is the same in any batch and order."""

    name = "random"
    title = "Random"
    source = ""
    meaning = "Noise; a method that is no better than this explains nothing."

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        units, tokens = [], []
        for row in range(len(inputs)):
            pixels = inputs.pixels[row].float().cpu()
            seen = pixels[pixels != 0].numpy().tobytes().hex()  # zeros may pad the picture to others of its batch
            seed = int(digest(repr(inputs.tokens[row]), seen)[:8], 16)
            noise = torch.Generator().manual_seed(seed)
            units.append(torch.rand(len(inputs.layouts[row].boxes), generator=noise))
            tokens.append(torch.rand(inputs.ids.shape[1], generator=noise) * inputs.attention[row].cpu())
        return Maps(pad_sequence(units, batch_first=True), torch.stack(tokens))
