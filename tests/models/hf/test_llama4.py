"""Llama 4 by the parts of its network: the whole forward pass of transformers 5.24 ends in an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.models.generative.caches import llama4
from tests.models.hf.test_generative import TEXTS, ByHand
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow


class ByParts(ByHand):
    """A checkpoint whose vision network, projector and language network are called one after another."""

    def __init__(self, folder: Path, dtype: str) -> None:
        super().__init__(folder, dtype)
        whole: Any = self.network

        def parts(input_ids: torch.Tensor, pixel_values: torch.Tensor, **others: object) -> Any:
            seen = whole.multi_modal_projector(whole.vision_model(pixel_values).last_hidden_state.flatten(0, 1))
            embedded = whole.get_input_embeddings()(input_ids)
            embedded[input_ids == whole.config.image_token_id] = seen.to(embedded.dtype)
            return whole.language_model(inputs_embeds=embedded)

        self.network = parts
        self.network.dtype = whole.dtype


@pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-8), ("float32", 1e-5)])
def test_a_match_is_the_share_of_yes_in_what_the_parts_say(
    dtype: str, atol: float, tmp_path: Path, real_photographs: list[Image.Image]
) -> None:
    """In float64, too, the network rotates by positions in float32."""
    folder = llama4(tmp_path)
    model, hand = load_model(str(folder), dtype=dtype), ByParts(folder, dtype)
    found = model.itm(model.encode(real_photographs), TEXTS)
    theirs = [hand.match(image, text) for image, text in zip(real_photographs, TEXTS, strict=True)]
    np.testing.assert_allclose(found, theirs, rtol=0, atol=atol)
    assert len(set(np.round(theirs, 4))) == len(theirs)
