"""Texts without a picture: the vectors of ALBEF, whose network is held against the original code elsewhere."""

from __future__ import annotations

import numpy as np
import torch

from vlcheck.cases.case import MASK
from vlcheck.models.original.albef.adapter import Albef
from vlcheck.models.text_encoding import GapFilling, TextEncoding


def test_the_vector_of_a_text_is_the_one_that_albef_compares_with_pictures(tiny: Albef) -> None:
    texts = [f"a {MASK} bus", "A red bus on the left side of a wet road."]
    found = tiny.embed_texts(texts)
    for text, vector in zip(texts, found, strict=True):
        ids = torch.tensor([tiny.tokenizer.encode(text)])
        theirs = tiny.network.text_features(ids, torch.ones_like(ids))[0]
        np.testing.assert_allclose(vector, theirs.numpy(), rtol=0, atol=1e-6)
    assert tiny.tokenizer.mask in tiny.tokenizer.encode(texts[0])
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_albef_fills_no_gap_without_a_picture(tiny: Albef) -> None:
    assert isinstance(tiny, TextEncoding)
    assert not isinstance(tiny, GapFilling)
    assert [tiny.can_spell(text) for text in (f"a {MASK} bus", "a ☃ bus")] == [True, False]
