"""Types of other tasks that answer about a picture, against transformers' own forward by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForMultimodalLM, AutoProcessor

from tests.models.generative.elsewhere import phi4_multimodal
from vlcheck.errors import UsageError
from vlcheck.models.adapters.wording import QUESTION
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.refused import REFUSED
from vlcheck.models.loading.tasks import check_type

PICTURES = [Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 30).convert("RGB") for size in ((64, 48), (90, 40))]


@pytest.mark.slow
def test_phi_4_is_asked_as_transformers_has_it(tmp_path: Path) -> None:
    folder = phi4_multimodal(tmp_path / "phi4")
    model: Any = load_model(str(folder), dtype="float64")
    assert (type(model).__name__, model.kinds) == ("Multimodal", {"itm": "yes-no", "mlm": "candidates"})
    network = AutoModelForMultimodalLM.from_pretrained(folder, dtype=torch.float64).eval()
    processor = AutoProcessor.from_pretrained(folder)
    theirs = []
    for image in PICTURES:
        asked = [{"type": "image"}, {"type": "text", "text": QUESTION.format(text="a red bus")}]
        user = {"role": "user", "content": asked}
        prompt = processor.tokenizer.apply_chat_template([user], add_generation_prompt=True, tokenize=False)
        inputs = processor(text=[prompt], images=[image], return_tensors="pt").to(torch.float64)
        with torch.inference_mode():
            probs = network(**inputs).logits[0, -1].softmax(-1)
        theirs.append(float(probs[model.yes].sum() / probs[[*model.yes, *model.no]].sum()))
    found = model.itm(model.encode(PICTURES), ["a red bus"] * 2)
    np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-10)
    assert abs(theirs[0] - theirs[1]) > 1e-6


@pytest.mark.parametrize("kind", ["voxtral", "qwen2_5_omni", "neomme"])
def test_types_that_cannot_be_asked_are_refused_in_a_sentence(kind: str) -> None:
    with pytest.raises(UsageError, match=rf"Some of model type {kind} is refused: {REFUSED[kind]}\."):
        check_type({"architectures": ["Some"], "model_type": kind})
