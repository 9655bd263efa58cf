"""Captioners of two networks against transformers' own forward, by hand on one pair at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image

from tests.models.checkpoints import SQUARE, VISION
from tests.models.generative import prompted
from tests.models.generative.pieces import words, write
from tests.models.hf.test_generative import MASKED, PAIRS, TOLERANCES, WORDS, softmax
from vlcheck.cases.case import MASK
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
def test_words_are_compared_in_captions(
    dtype: str, atol: float, tmp_path: Path, real_photographs: list[Image.Image]
) -> None:
    folder = prompted.vision_encoder_decoder(tmp_path)
    model = load_model(str(folder), dtype=dtype)
    network = hf.VisionEncoderDecoderModel.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    tokenizer, images = hf.AutoTokenizer.from_pretrained(folder), hf.AutoImageProcessor.from_pretrained(folder)

    def likelihood(image: Image.Image, caption: str) -> float:
        ids = [0, *tokenizer(caption, add_special_tokens=False)["input_ids"]]
        pixels = images([image], return_tensors="pt")["pixel_values"].to(network.dtype)
        with torch.inference_mode():
            logits = network(pixel_values=pixels, decoder_input_ids=torch.tensor([ids])).logits[0].double()
        return sum(float(logits.log_softmax(-1)[place - 1, ids[place]]) for place in range(1, len(ids)))

    rows, texts = zip(*PAIRS, strict=True)
    encoded = model.encode(real_photographs)[rows]
    found = model.mlm(encoded, [MASKED[text] for text in texts], [WORDS[text] for text in texts])
    for (row, text), probs in zip(PAIRS, found, strict=True):
        theirs = softmax([likelihood(real_photographs[row], MASKED[text].replace(MASK, word)) for word in WORDS[text]])
        np.testing.assert_allclose(probs, theirs, rtol=0, atol=atol)
    with pytest.raises(UsageError, match="has no itm: it writes captions, and reads no question"):
        model.itm(encoded, ["a dog"] * 9)


def test_a_reader_of_documents_is_refused(tmp_path: Path) -> None:
    sizes = {"vocab_size": 640, "d_model": 32, "decoder_layers": 1, "decoder_attention_heads": 2}
    decoder = hf.TrOCRConfig(**sizes, decoder_ffn_dim=32, is_decoder=True, add_cross_attention=True)
    config = hf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(hf.ViTConfig(**VISION), decoder)
    folder = write(tmp_path, config, words(), hf.ViTImageProcessor(size=SQUARE))
    with pytest.raises(UsageError, match="a network with trocr reads the text of documents"):
        load_model(str(folder))
