"""Attention maps are those that the network computes, whatever code computes them."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import BertConfig, BertModel

from tests.explain.attribution.conftest import TEXTS
from vlcheck.explain.attribution.attention_recorder import AttentionRecorder, attention_weights, repeated
from vlcheck.explain.attribution.objective import objective

pytestmark = pytest.mark.slow  # networks are run many times

DRAWN = torch.Generator().manual_seed(0)
QUERY, KEY, VALUE = (torch.randn(2, heads, 5, 8, generator=DRAWN) for heads in (4, 4, 4))
KEPT = torch.rand(2, 1, 5, 5, generator=DRAWN) > 0.4
KEPT[..., 0] = True


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"attn_mask": KEPT},
        {"attn_mask": torch.where(KEPT, 0.3, -torch.inf)},
        {"is_causal": True},
        {"scale": 0.7},
        {"attn_mask": KEPT, "scale": 0.1, "dropout_p": 0.0},
    ],
)
def test_explicit_attention_is_the_fused_one(options):
    weights = attention_weights(QUERY, KEY, **options)
    torch.testing.assert_close(weights @ VALUE, scaled_dot_product_attention(QUERY, KEY, VALUE, **options))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 5))


def test_heads_that_share_keys_are_the_fused_ones():
    key, value = KEY[:, :2], VALUE[:, :2]
    fused = scaled_dot_product_attention(QUERY, key, value, enable_gqa=True)
    weights = attention_weights(QUERY, key, enable_gqa=True)
    torch.testing.assert_close(weights @ repeated(value, QUERY), fused)


def test_a_query_without_keys_has_no_nan():
    weights = attention_weights(QUERY, KEY, torch.zeros(5, 5, dtype=torch.bool))
    assert weights.isfinite().all()


def test_attention_that_torch_computes_in_one_call_is_seen():
    attention = torch.nn.MultiheadAttention(16, 4, batch_first=True).eval()
    states, mask = torch.randn(3, 5, 16, generator=DRAWN, requires_grad=True), torch.zeros(5, 5)
    mask[:, 4] = -2
    expected, weights = attention(states, states, states, attn_mask=mask, average_attn_weights=False)
    with AttentionRecorder(torch.nn.Sequential(attention), "0".__eq__) as recorder:
        output, _ = attention(states, states, states, attn_mask=mask)
    (found,) = recorder.maps
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(found.weights, weights)
    (slopes,) = torch.autograd.grad(output.square().sum(), found.weights)
    assert slopes.abs().sum() > 0


def test_scores_stay_and_each_layer_is_recorded(tiny, pictures):
    inputs = tiny.inputs(pictures, TEXTS)
    with AttentionRecorder(tiny.network, lambda name: tiny.attention_kind(name) is not None) as recorder:
        scores = objective(tiny, inputs)
    torch.testing.assert_close(scores.detach(), objective(tiny, inputs), rtol=1e-9, atol=1e-9)
    kinds = [tiny.attention_kind(one.module) for one in recorder.maps]
    assert kinds == ["image"] * 3 + ["text"] + ["text", "cross"] * 2
    assert [one.weights.shape[2:] for one in recorder.maps if one.module.endswith("attn")] == [(65, 65)] * 3
    assert recorder.maps[-1].weights.shape == (3, 4, 11, 65)


def test_after_the_context_nothing_is_left(tiny, pictures):
    with AttentionRecorder(tiny.network, lambda _: True) as recorder:
        pass
    objective(tiny, tiny.inputs(pictures, TEXTS))
    assert recorder.maps == []
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in tiny.network.modules())


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_eager_attention_is_recorded_as_fused_attention_is(implementation):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    network = BertModel(BertConfig(vocab_size=20, attn_implementation="eager", **sizes)).eval()
    ids, kept = torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([[1, 1, 1], [1, 1, 0]])
    expected = network(ids, kept, output_attentions=True).attentions
    network.set_attn_implementation(implementation)
    with AttentionRecorder(network, lambda name: name.endswith("attention.self")) as recorder:
        network(ids, kept)
    assert [one.module for one in recorder.maps] == [f"encoder.layer.{layer}.attention.self" for layer in (0, 1)]
    for one, theirs in zip(recorder.maps, expected, strict=True):
        torch.testing.assert_close(one.weights, theirs)
        assert one.weights.requires_grad
