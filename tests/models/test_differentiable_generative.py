"""Networks that write text, for explanations: scores as differentiable functions of picture tokens and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d
from transformers import CLIPImageProcessor

from tests.models.families import WRITING, spec_of
from tests.models.test_differentiable import attentions_of, kinds_on_the_page, leaf
from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.objective import objective
from vlcheck.models.adapters.measured_frames import measured_frames
from vlcheck.models.differentiable import Differentiable, ImageLayout, PairInputs, differentiable
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow  # networks are run many times

INNER = {"blip_captioning", "llava", "qwen2_5_vl"}  # the others are left out of the inner loop
FAMILIES = tuple(name for name in WRITING if name != "smolvlm" or find_spec("num2words"))
ASKED = tuple(name for name in FAMILIES if name != "blip_captioning")
TEXTS = ["a red bus on the street", "a dog", "the cat is left of the dog in the photo"]
MASKED = [f"a red {MASK} on the street", f"a {MASK}", f"{MASK} of the dog is a cat in the photo"]
WORDS = [("bus", "dog", "zebra crossing"), ("dog", "bus", "ox"), ("left", "right")]
SIZES = [(150, 110), (70, 160)]


def each(families: Sequence[str]) -> list[object]:
    return [name if name in INNER else pytest.param(name, marks=pytest.mark.contract) for name in families]


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    made: dict[str, Any] = {}

    def model(family: str) -> Any:
        if family not in made:
            made[family] = load_model(spec_of(family, tmp_path_factory.mktemp(family), Path()))
        return made[family]

    return model


def asked(network: Differentiable, images: Sequence[Image.Image], rows: slice = slice(1)) -> PairInputs:
    """Pairs that the network can score."""
    if "itm" in network.model.kinds:  # type: ignore[attr-defined]
        return network.inputs(images, TEXTS[rows])
    return network.inputs(images, MASKED[rows], [words[0] for words in WORDS[rows]])


@pytest.mark.parametrize("family", each(ASKED))
def test_the_two_logits_give_the_score_of_the_model(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = model_of(family)
    network = differentiable(model)
    pairs = [network.inputs([image], [text]) for image, text in zip(real_photographs, TEXTS, strict=True)]
    states = [(one, network.image_states(one), network.text_states(one)) for one in pairs]
    logits = torch.cat([network.match_logits(*own) for own in states])
    scores = model.itm(model.encode(real_photographs), TEXTS)
    np.testing.assert_allclose(logits.softmax(-1)[:, 1].tolist(), scores, rtol=0, atol=1e-6)
    assert len(set(scores.round(5))) == 3


@pytest.mark.parametrize("family", each(FAMILIES))
def test_shares_of_words_follow_from_their_log_probabilities(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = model_of(family)
    network = differentiable(model)
    scores = model.mlm(model.encode(real_photographs), MASKED, WORDS)
    for image, text, words, shares in zip(real_photographs, MASKED, WORDS, scores, strict=True):
        found = torch.cat([objective(network, network.inputs([image], [text], [word])) for word in words])
        np.testing.assert_allclose(found.softmax(0).tolist(), shares, rtol=0, atol=2e-6)
        assert (found < 0).all()


@pytest.mark.parametrize("family", each(FAMILIES))
def test_gradients_reach_pixels_and_words_but_no_padding(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = asked(network, real_photographs[:1] * 2, slice(2))
    watched = replace(inputs, pixels=leaf(inputs.pixels))
    embedded = leaf(network.word_embeddings(inputs.ids))
    scores = objective(network, watched, embedded)
    torch.testing.assert_close(scores, objective(network, inputs), rtol=1e-6, atol=1e-6)
    by_unit, by_token = torch.autograd.grad(scores.sum(), [watched.pixels, embedded])
    assert by_unit.isfinite().all()
    assert by_token.isfinite().all()
    assert (units_of(by_unit, inputs) > 0).all()
    reached = by_token.abs().amax(-1) > 0
    assert not reached[inputs.attention == 0].any()
    assert (inputs.attention == 0).any()  # there is padding
    ends = inputs.attention.sum(1, keepdim=True)
    assert reached[~inputs.special & (inputs.attention.cumsum(1) < ends)].all()


def units_of(values: Tensor, inputs: PairInputs) -> Tensor:
    """The size of values over the pixels of each unit, (n, units)."""
    if values.ndim == 3:
        return values.abs().sum(-1)
    return adaptive_avg_pool2d(values.abs().sum(1), inputs.layouts[0].grid).flatten(1)


@pytest.mark.parametrize("family", each(FAMILIES))
def test_pairs_of_a_batch_are_scored_as_each_alone(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    images = real_photographs if network.stackable else real_photographs[:1] * 3
    together = objective(network, asked(network, images, slice(3)))
    alone = [objective(network, asked(network, images[row : row + 1], slice(row, row + 1))) for row in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-5)
    assert len(set(together.tolist())) == 3


@pytest.mark.parametrize("family", each(FAMILIES))
def test_words_are_told_from_the_prompt_and_the_picture(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = network.inputs(real_photographs[:1], MASKED[:1], ["zebra crossing"])
    said = "".join(token for token, out in zip(inputs.tokens[0], inputs.special[0], strict=True) if not out)
    word = "".join(token for token, own in zip(inputs.tokens[0], inputs.masks[0], strict=True) if own)
    assert plain(said) == "aredzebracrossingonthestreet"
    assert plain(word) == "zebracrossing"
    if family in ASKED:
        inputs = network.inputs(real_photographs[:1], TEXTS[:1])
        said = "".join(token for token, out in zip(inputs.tokens[0], inputs.special[0], strict=True) if not out)
        assert plain(said) == "aredbusonthestreet"
        assert not inputs.masks.any()


def plain(tokens: str) -> str:
    return tokens.replace("Ġ", "").replace("##", "").replace("▁", "").strip('"')


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("family", each(FAMILIES))
def test_units_are_where_their_boxes_are(family: str, size: tuple[int, int], model_of: Callable[..., Any]) -> None:
    check_places(differentiable(model_of(family)), size)


def check_places(network: Differentiable, size: tuple[int, int]) -> None:
    """A white square changes most, of the units that do not show all of it, that inside whose box it is."""
    black = asked(network, [Image.new("RGB", size)])
    (layout,) = black.layouts
    for place in (len(layout.boxes) // 3, len(layout.boxes) - 2):
        square = inner(layout.boxes[place])
        white = asked(network, [painted(square, size)])
        changed = units_of(white.pixels - black.pixels, black)[0]
        covers = torch.tensor([holds(box, square) for box in layout.boxes])
        assert covers[place]
        assert changed[covers].min() > 2 * changed[~covers].max()
        states = [states_after_first_block(network, inputs) for inputs in (black, white)]
        moved = (states[1] - states[0]).norm(dim=-1)[0]
        assert moved.shape == covers.shape
        assert moved[covers].max() == moved.max()


def inner(box: Box) -> Box:
    return Box(box.x + 0.3 * box.width, box.y + 0.3 * box.height, 0.4 * box.width, 0.4 * box.height)


def holds(box: Box, square: Box) -> bool:
    """Whether a box has some of a square inside."""
    return box.meets(square)


def painted(square: Box, size: tuple[int, int]) -> Image.Image:
    (width, height), picture = size, Image.new("RGB", size)
    across, down = (square.x, square.x + square.width), (square.y, square.y + square.height)
    corners = (across[0] * width, down[0] * height, across[1] * width, down[1] * height)
    ImageDraw.Draw(picture).rectangle([*map(round, corners)], fill="white")
    return picture


def states_after_first_block(network: Differentiable, inputs: PairInputs) -> Tensor:
    kept: list[Tensor] = []
    handle = network.vision_blocks[0].register_forward_hook(lambda *args: kept.append(args[2]))
    with torch.no_grad():
        objective(network, inputs)
    handle.remove()
    return network.patch_states(kept[0], inputs)


@pytest.mark.parametrize("family", each(FAMILIES))
def test_patches_of_the_last_vision_block_reach_the_score(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs, kept = asked(network, real_photographs[:1]), []
    handle = network.vision_blocks[-1].register_forward_hook(lambda *args: kept.append(args[2]))
    scores = objective(network, replace(inputs, pixels=leaf(inputs.pixels)))
    handle.remove()
    (slopes,) = torch.autograd.grad(scores.sum(), kept)
    states = network.patch_states(slopes, inputs)
    assert states.shape[:2] == (1, len(inputs.layouts[0].boxes))
    assert (states.abs().amax(-1) > 0).all()


@pytest.mark.parametrize("family", each(FAMILIES))
def test_attention_is_of_the_kind_that_its_numbers_of_queries_and_keys_say(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = asked(network, real_photographs[:1])
    found = [each for each in attentions_of(network, inputs) if each[0]]
    units, tokens = len(inputs.layouts[0].boxes), inputs.ids.shape[1]
    architecture = model_of(family).network.config.architectures[0]
    assert {kind for kind, _, _ in found} == kinds_on_the_page()[architecture]
    for kind, queries, keys in found:
        assert queries == {"text": tokens, "cross": tokens}.get(kind, queries)
        assert (queries == keys) == (kind != "cross")
        if kind == "joint" and "paligemma" not in family:
            assert keys == tokens
        if kind != "text":
            assert network.image_keys(torch.ones(1, 4, queries, keys), kind, inputs).shape == (1, 4, queries, units)


@pytest.mark.parametrize("family", ["llava_next", "qwen2_vl", "smolvlm"])
def test_a_token_of_the_picture_is_read_at_the_key_of_its_unit(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    """A change of one unit's state alone changes the states of the language network at its own key first."""
    if family not in FAMILIES:
        pytest.skip("needs num2words")
    network = differentiable(model_of(family))
    inputs = asked(network, real_photographs[:1])
    keys = network.image_keys(torch.arange(inputs.ids.shape[1]), "joint", inputs)
    assert len(keys) == len(inputs.layouts[0].boxes)
    assert (inputs.ids[0, keys] == network.model.chat.image_token).all()  # type: ignore[attr-defined]
    assert sorted(set(keys.tolist())) == keys.tolist()


def test_what_is_measured_is_what_a_processor_keeps_of_a_picture() -> None:
    processor = CLIPImageProcessor(size={"shortest_edge": 44}, crop_size={"height": 32, "width": 32})
    (frame,) = measured_frames(lambda image: processor(image, return_tensors="pt")["pixel_values"], (150, 110))
    assert frame == pytest.approx(Box(14 / 60, 6 / 44, 32 / 60, 32 / 44), abs=0.005)  # resized to 60 x 44


def test_a_network_whose_picture_tokens_cannot_be_placed_says_so(
    model_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vlcheck.models.hf.differentiable_generative.FAMILIES", {})
    with pytest.raises(NotApplicable, match="picture tokens of LlavaForConditionalGeneration lie is not known"):
        differentiable(model_of("llava"))


def test_a_captioning_network_has_no_match_logit(
    model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    with pytest.raises(NotApplicable, match="has no itm: BLIP matches in its retrieval checkpoint"):
        differentiable(model_of("blip_captioning")).inputs(real_photographs[:1], TEXTS[:1])


def test_a_scored_word_stays_the_same_if_another_token_is_read_in_its_place(
    model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of("llava"))
    inputs = network.inputs(real_photographs[:1], [f"a red {MASK}"], ["bus"])
    absent = torch.where(inputs.masks, network.absent_token, inputs.ids)
    assert objective(network, replace(inputs, ids=absent)) == pytest.approx(objective(network, inputs).item(), abs=1e-5)


@pytest.mark.parametrize("family", each(FAMILIES))
def test_a_picture_whose_units_are_all_absent_has_a_score_of_its_own(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = asked(network, real_photographs[:1])
    absent = objective(network, replace(inputs, pixels=torch.zeros_like(inputs.pixels)))
    assert absent.isfinite().all()
    assert abs(absent - objective(network, inputs)) > 1e-4


@pytest.mark.parametrize("family", ["blip_captioning", "gemma3", "paligemma"])
def test_a_picture_that_is_resized_alone_is_covered_by_its_units(family: str, model_of: Callable[..., Any]) -> None:
    network = differentiable(model_of(family))
    (layout,) = asked(network, [Image.new("RGB", (150, 110))]).layouts
    assert layout == ImageLayout.of_grid(*(layout.grid or (0, 0)))
