"""ALBEF's own ViT and BERT against those of timm and transformers, whose weights they take: equal to the last digit."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest
import torch
from timm.models.vision_transformer import VisionTransformer as TimmVit
from torch import nn
from transformers import BertConfig, BertTokenizer
from transformers.models.bert.modeling_bert import BertEmbeddings, BertLayer, BertLMPredictionHead

from tests.models.conftest import REFERENCE_CONFIG
from vlcheck.models.original.albef.vit import VisionTransformer
from vlcheck.models.original.fusion.bert import MaskedWordHead, WordEmbeddings
from vlcheck.models.original.fusion.text_encoder import Layer
from vlcheck.models.original.wordpiece import SPECIAL, bert_tokenizer, word_pieces

SIZES = REFERENCE_CONFIG
# Without dropout here, since both would draw; `vlcheck train` draws in the same places and order.
BERT = BertConfig(
    vocab_size=SIZES.vocab_size,
    hidden_size=SIZES.text_width,
    num_attention_heads=SIZES.text_heads,
    intermediate_size=SIZES.intermediate_size,
    max_position_embeddings=SIZES.max_positions,
    layer_norm_eps=1e-12,
    attn_implementation="sdpa",
)
IDS = torch.randint(1, SIZES.vocab_size, (3, 7), generator=torch.Generator().manual_seed(0))
HIDDEN = torch.randn(3, 7, SIZES.text_width, generator=torch.Generator().manual_seed(1))
KEEP = torch.ones(3, 1, 1, 7, dtype=torch.bool).index_fill(-1, torch.tensor([5, 6]), False)


def drawn(module: nn.Module) -> nn.Module:
    """The module in use, with random weights, also where it leaves them empty."""
    draws = torch.Generator().manual_seed(2)
    for weight in module.parameters():
        nn.init.normal_(weight, std=0.1, generator=draws)
    return module.eval().requires_grad_(requires_grad=False)


def test_the_vit_is_timms():
    pixels = torch.randn(2, 3, SIZES.image_size, SIZES.image_size, generator=torch.Generator().manual_seed(3))
    theirs = TimmVit(
        img_size=SIZES.image_size,
        patch_size=SIZES.patch_size,
        num_classes=0,
        global_pool="",
        embed_dim=SIZES.vision_width,
        depth=SIZES.vision_depth,
        num_heads=SIZES.vision_heads,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
    )
    ours = drawn(VisionTransformer(SIZES))
    theirs.eval().load_state_dict(ours.state_dict())
    assert torch.equal(ours(pixels), theirs.forward_features(pixels))


def test_the_embeddings_are_berts():
    ours, theirs = drawn(WordEmbeddings(SIZES)), BertEmbeddings(BERT).eval()
    theirs.load_state_dict(ours.state_dict())
    assert torch.equal(ours(IDS), theirs(IDS))


def test_a_layer_that_reads_text_alone_is_berts():
    ours, theirs = drawn(Layer(SIZES, None)), BertLayer(BERT).eval()
    theirs.load_state_dict(ours.state_dict())
    assert torch.equal(ours(HIDDEN, KEEP), theirs(HIDDEN, KEEP))


def test_the_head_for_masked_words_is_berts():
    ours = drawn(MaskedWordHead(SIZES, nn.Embedding(SIZES.vocab_size, SIZES.text_width)))
    theirs = BertLMPredictionHead(BERT).eval()
    theirs.load_state_dict(ours.state_dict())
    theirs.decoder.bias = theirs.bias
    assert torch.equal(ours(HIDDEN), theirs(HIDDEN))


TEXTS = ["", "a red ball", "Ünlöved BALLS, 3.5 balls' ball-room", "漢字 ball \u200d x"]


@pytest.mark.parametrize("text", TEXTS)
def test_plain_text_is_split_as_by_the_tokenizer_of_transformers(text):
    pieces = [
        *SPECIAL,
        *["a", "red", "ball", "##s", "unloved", ",", "3", ".", "5", "'", "-", "room", "漢", "字", "x", "##room"],
    ]
    theirs: BertTokenizer = bert_tokenizer(pieces, SPECIAL)
    assert word_pieces(pieces, SPECIAL).encode(text).ids == theirs(text, add_special_tokens=False)["input_ids"]


def test_the_embedded_model_imports_neither_timm_nor_transformers():
    code = """
import sys, vlcheck.plugin.workbench
from vlcheck.zoo.pretrained import tiny
tiny()
slow = {"timm", "transformers", "torchvision", "torch._dynamo", "huggingface_hub", "scipy.stats"}
print(sorted(slow & sys.modules.keys()))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
