"""Networks for explanations: the scores of every family as differentiable functions of pixels and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPImageProcessor

from tests.conftest import ROOT
from tests.models.families import PLAIN, spec_of
from tests.models.original.test_original_models import ORIGINALS
from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attention_recorder import AttentionRecorder
from vlcheck.explain.attribution.objective import objective
from vlcheck.models.adapters.frames import seen_part
from vlcheck.models.differentiable import WHOLE, AttentionKind, Differentiable, PairInputs, differentiable
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.registry import registered_families

pytestmark = pytest.mark.slow  # networks are run many times

FAMILIES = (*(name for name in PLAIN if name != "bert"), *ORIGINALS)
INNER = {"blip_retrieval", "clip", "vilt_words"}  # the others are left out of the inner loop
OF_WORDS = ("bridgetower", "flava", "vilt_words", *ORIGINALS)
OF_MATCHES = tuple(name for name in FAMILIES if name != "vilt_words")
READS_PADDING = {"siglip", "siglip2"}
QUERIES = {"blip2_retrieval": 4, "siglip": 1, "siglip2": 1}
TEXTS = ["a red bus on the street", "a dog", "the cat is left of the dog in the photo"]
FOILS = [["a red dog on the street"], ["a cat", "a bus on the left"], ["the cat is right of the dog in the photo"]]
MASKED = [f"a red {MASK} on the street", f"a {MASK}", f"the cat is {MASK} of the dog in the photo"]
WORDS = ["bus", "zebra", "left"]  # "zebra" is of several pieces, and with a byte-level tokenizer the others are too


def each(families: Sequence[str]) -> list[object]:
    return [name if name in INNER else pytest.param(name, marks=pytest.mark.contract) for name in families]


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    made: dict[tuple[str, str], Any] = {}

    def model(family: str, dtype: str = "float32") -> Any:
        if (family, dtype) not in made:
            made[family, dtype] = load_model(spec_of(family, tmp_path_factory.mktemp(family), Path()), dtype=dtype)
            close_gates(made[family, dtype])
        return made[family, dtype]

    return model


def close_gates(model: Any) -> None:
    """Set the gates of a convolutional network to a constant: by them each place depends on all others."""
    for name, module in model.network.named_modules():
        if name.endswith("squeeze_excite.expand"):
            nn.init.zeros_(module.weight)


def leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().clone().requires_grad_()


def one_by_one(network: Differentiable, *columns: Sequence[Any]) -> Tensor:
    """The score of each pair, asked alone."""
    return torch.cat(
        [objective(network, network.inputs(*([part] for part in row))) for row in zip(*columns, strict=True)]
    )


@pytest.mark.parametrize("family", each(OF_MATCHES))
def test_a_match_logit_gives_the_score_of_the_model(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = model_of(family)
    network = differentiable(model)
    if network.relative:
        told = [[text, *foils] for text, foils in zip(TEXTS, FOILS, strict=True)]
        logits = [
            one_by_one(network, [image] * len(texts), texts)
            for image, texts in zip(real_photographs, told, strict=True)
        ]
        found = [each.softmax(0)[0].item() for each in logits]
    else:
        pairs = [network.inputs([image], [text]) for image, text in zip(real_photographs, TEXTS, strict=True)]
        logits = [network.match_logits(one, network.image_states(one), network.text_states(one)) for one in pairs]
        found = [float(each.softmax(-1)[0, 1]) for each in logits]
    scores = model.itm(model.encode(real_photographs), TEXTS, FOILS)
    np.testing.assert_allclose(found, scores, rtol=0, atol=1e-6)
    assert len(set(scores.round(5))) == 3


@pytest.mark.parametrize("family", each(OF_WORDS))
def test_a_words_log_probability_gives_the_score_of_the_model(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = model_of(family)
    network = differentiable(model)
    found = one_by_one(network, real_photographs, MASKED, WORDS).exp()
    scores = model.mlm(model.encode(real_photographs), MASKED, [[word] for word in WORDS])
    np.testing.assert_allclose(found.tolist(), np.concatenate(scores), rtol=2e-5, atol=1e-9)
    assert (
        len(
            {
                len(network.inputs(real_photographs[:1], [text], [word]).pieces[0])
                for text, word in zip(MASKED, WORDS, strict=True)
            }
        )
        > 1
    )


@pytest.mark.parametrize("family", each(FAMILIES))
def test_pairs_of_a_batch_are_scored_as_each_alone(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    images = real_photographs[:2] if network.stackable else real_photographs[:1] * 2
    asked = (MASKED[1:], WORDS[1:]) if family == "vilt_words" else (TEXTS[1:],)
    together = objective(network, network.inputs(images, *asked))
    torch.testing.assert_close(together, one_by_one(network, images, *asked), rtol=1e-5, atol=1e-5)
    assert together[0] != together[1]


@pytest.mark.parametrize("family", each(FAMILIES))
def test_gradients_reach_pixels_and_words_but_no_padding(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = pair(network, real_photographs[:1] * 2, 1)
    watched = replace(inputs, pixels=leaf(inputs.pixels))
    words = leaf(network.word_embeddings(inputs.ids))
    scores = objective(network, watched, words)
    torch.testing.assert_close(scores, objective(network, inputs), rtol=1e-6, atol=1e-6)
    by_pixel, by_word = torch.autograd.grad(scores.sum(), [watched.pixels, words])
    assert by_pixel.isfinite().all()
    assert by_word.isfinite().all()
    assert (by_pixel.flatten(1).abs().amax(1) > 0).all()
    by_token = by_word.abs().amax(-1)
    reached = torch.ones_like(inputs.attention) if family in READS_PADDING else inputs.attention
    last = inputs.ids.shape[1] - 1
    assert not by_token[reached == 0].any()
    assert (by_token[:, 1] > 0).all()
    assert (inputs.attention[:, last] == 0).any()  # there is padding


def pair(network: Differentiable, images: Sequence[Image.Image], start: int = 0) -> PairInputs:
    """Pairs that the network can score."""
    rows = slice(start, start + len(images))
    if "itm" in network.model.kinds:  # type: ignore[attr-defined]
        return network.inputs(images, TEXTS[rows])
    return network.inputs(images, MASKED[rows], WORDS[rows])


@pytest.mark.parametrize("family", each([name for name in FAMILIES if name != "vilt-original"]))  # it reads float32
def test_a_pixels_gradient_is_the_slope_of_the_score(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family, "float64"))
    inputs = pair(network, real_photographs[:1])
    watched = replace(inputs, pixels=leaf(inputs.pixels))
    (slopes,) = torch.autograd.grad(objective(network, watched).sum(), watched.pixels)
    step = torch.zeros_like(inputs.pixels)
    step.flatten(1)[:, 100:200] = 1e-5
    with torch.no_grad():
        above, below = (objective(network, replace(inputs, pixels=inputs.pixels + sign * step)) for sign in (1, -1))
    torch.testing.assert_close((above - below) / 2, (slopes * step).sum()[None], rtol=1e-6, atol=0)


def square_in(box: Box, size: tuple[int, int]) -> Image.Image:
    """A black picture with a white square inside a box."""
    (width, height), picture = size, Image.new("RGB", size)
    left, top = box.x * width, box.y * height
    inner = (left + 0.2 * box.width * width, top + 0.2 * box.height * height)
    outer = (left + 0.8 * box.width * width, top + 0.8 * box.height * height)
    ImageDraw.Draw(picture).rectangle((*map(round, inner), *map(round, outer)), fill="white")
    return picture


def by_unit(pixels: Tensor, grid: tuple[int, int]) -> Tensor:
    """The sum of changes in the pixels of each unit, (n, units)."""
    if pixels.ndim == 3:
        return pixels.abs().sum(-1)
    return functional.adaptive_avg_pool2d(pixels.abs().sum(1), grid).flatten(1)


@pytest.mark.parametrize("family", each(FAMILIES))
def test_units_are_where_their_boxes_are(family: str, model_of: Callable[..., Any]) -> None:
    check_places(differentiable(model_of(family)), (150, 110))
    check_places(differentiable(model_of(family)), (100, 160))


@pytest.mark.parametrize("family", ["align", "clip", "flava"])
def test_units_are_where_their_boxes_are_after_a_crop(
    family: str, model_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = {"height": 32, "width": 32}
    model = model_of(family)
    monkeypatch.setattr(model, "images", CLIPImageProcessor(size={"shortest_edge": 44}, crop_size=sides))
    check_places(differentiable(model), (150, 110))


def check_places(network: Differentiable, size: tuple[int, int]) -> None:
    """A white square changes most the unit in whose box it is; a unit's state depends most on its own pixels."""
    black = pair(network, [Image.new("RGB", size)])
    (layout,) = black.layouts
    rows, columns = layout.grid or (0, 0)
    pads_one_side = hasattr(network.network, "temperature")  # ALIGN's convolutions, which look half a place further
    for place in (columns + 1, rows * columns - 2):
        white = pair(network, [square_in(layout.boxes[place], size)])
        assert by_unit(white.pixels - black.pixels, (rows, columns)).argmax(1).tolist() == [place]
        (found,) = by_unit(slopes_of_state(network, white, place), (rows, columns)).argmax(1).tolist()
        assert found - place in ({0, columns + 1} if pads_one_side else {0})


def slopes_of_state(network: Differentiable, inputs: PairInputs, place: int) -> Tensor:
    """The gradient at the pixels of a unit's state after the first block."""
    kept: list[Tensor] = []
    inputs = inputs[
        [0, 0]
    ]  # of a single row, torch 2.14 gives a wrong gradient after a batch norm: it misreads strides
    inputs = replace(inputs, pixels=leaf(inputs.pixels))
    handle = network.vision_blocks[0].register_forward_hook(lambda *args: kept.append(args[2]))
    objective(network, inputs)
    handle.remove()
    states = network.patch_states(kept[0], inputs)
    assert states.shape[1] == len(inputs.layouts[0].boxes)
    (slopes,) = torch.autograd.grad(states[:, place].square().sum(), inputs.pixels)
    return slopes[:1]


def test_a_frame_leaves_out_what_is_cropped_and_holds_a_border() -> None:
    processor = CLIPImageProcessor(size={"shortest_edge": 44})  # of 150 x 110 pixels it makes 60 x 44 before the crop
    assert seen_part(processor, (150, 110), (32, 32)) == pytest.approx(Box(14 / 60, 6 / 44, 32 / 60, 32 / 44))
    assert seen_part(processor, (150, 110), (66, 60)) == pytest.approx(Box(0, -11 / 44, 1, 66 / 44))
    assert seen_part(CLIPImageProcessor(do_center_crop=False), (150, 110), (32, 32)) == WHOLE


def test_pixels_that_fill_no_patch_are_in_no_box(model_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    network = differentiable(model_of("siglip"))
    monkeypatch.setattr(network.network.config.vision_config, "patch_size", 10)  # 3 patches in 32 pixels
    (layout,) = network.layouts([Image.new("RGB", (150, 110))], {"pixel_values": torch.zeros(1, 3, 32, 32)})
    assert layout.grid == (3, 3)
    assert layout.boxes[-1] == pytest.approx(Box(20 / 32, 20 / 32, 10 / 32, 10 / 32))


@pytest.mark.parametrize("family", each(FAMILIES))
def test_patches_of_the_last_vision_block_reach_the_score(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs, kept = pair(network, real_photographs[:1]), []
    handle = network.vision_blocks[-1].register_forward_hook(lambda *args: kept.append(args[2]))
    inputs = replace(inputs, pixels=leaf(inputs.pixels))
    scores = objective(network, inputs)
    handle.remove()
    (slopes,) = torch.autograd.grad(scores.sum(), kept)
    states = network.patch_states(slopes, inputs)
    assert states.shape[:2] == (1, len(inputs.layouts[0].boxes))
    assert (states.abs().amax(-1) > 0).all()


def attentions_of(network: Differentiable, inputs: PairInputs) -> list[tuple[AttentionKind | None, int, int]]:
    """The kind of each attention that is computed, with its numbers of queries and keys."""
    with AttentionRecorder(network.network, lambda _: True) as recorder:
        objective(network, inputs)
    return [(network.attention_kind(one.module), *one.weights.shape[2:]) for one in recorder.maps]


@pytest.mark.parametrize("family", each(FAMILIES))
def test_attention_is_of_the_kind_that_its_numbers_of_queries_and_keys_say(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = model_of(family)
    network, row = differentiable(model), family if family in ORIGINALS else model.network.config.architectures[0]
    inputs = pair(network, real_photographs[:1])
    units, tokens = len(inputs.layouts[0].boxes), inputs.ids.shape[1]
    found = [each for each in attentions_of(network, inputs) if each[0]]
    assert {kind for kind, _, _ in found} == kinds_on_the_page()[row]
    for kind, queries, keys in found:
        if kind in ("image", "cross", "query", "joint"):
            assert network.image_keys(torch.zeros(1, keys), kind, inputs).shape == (1, units)
        assert queries == {"text": tokens, "cross": tokens, "query": QUERIES.get(family)}.get(kind, queries)
        assert keys == {"text": tokens, "back": tokens}.get(kind, keys)
        assert (queries == keys) == (kind in ("image", "text", "joint"))


def kinds_on_the_page() -> dict[str, set[str]]:
    """The kinds of attention of each family or architecture, as the page of families lists them."""
    page = (ROOT / "docs" / "reference" / "families.md").read_text(encoding="utf-8")
    table = page.partition("<!-- explained: begin -->")[2].partition("<!-- explained: end -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    return {name.strip("`"): set(kinds.split(", ")) for name, _, kinds in rows}


def without_gradients_on_the_page() -> set[str]:
    page = (ROOT / "docs" / "reference" / "families.md").read_text(encoding="utf-8")
    paragraph = page.partition("These give no gradients: ")[2].partition("\n\n")[0]
    return set(paragraph.split("`")[1::2])


def test_the_page_lists_every_family_that_can_be_explained() -> None:
    of_checkpoints = {name for name in registered_families() if not name.startswith("tiny")}
    controls = {name for name in of_checkpoints if name.endswith("ForImageClassification")} | {
        "BertForMaskedLM",
        "timm",
    }
    assert of_checkpoints - kinds_on_the_page().keys() == controls | without_gradients_on_the_page()
    assert kinds_on_the_page().keys() <= of_checkpoints


@pytest.mark.parametrize("family", ["vilt_words", pytest.param("vilt-original", marks=pytest.mark.contract)])
def test_a_patch_that_an_explanation_makes_gray_stays_a_patch(
    family: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    """To ViLT's original code zeros are padding, and its positions would move; transformers has a mask for padding."""
    network = differentiable(model_of(family))
    inputs = network.inputs(real_photographs[:1], MASKED[:1], WORDS[:1])
    pixels = inputs.pixels.clone()
    pixels[:, :, :32, :32] = 0
    gray = replace(inputs, pixels=pixels)
    vilt: Any = network.network.vilt
    hidden = vilt(inputs.ids, inputs.attention, pixel_values=pixels, pixel_mask=torch.ones_like(pixels[:, 0]))[0]
    theirs = network.network.mlm_score(hidden[:, : inputs.ids.shape[1]][inputs.masks])  # type: ignore[operator]
    expected = theirs.log_softmax(-1)[range(len(inputs.pieces[0])), list(inputs.pieces[0])].sum()[None]
    torch.testing.assert_close(objective(network, gray), expected, rtol=1e-5, atol=1e-5)
    assert (objective(network, inputs) - expected).abs() > 1e-3


def test_tokens_are_named_and_those_that_are_no_words_are_marked(
    model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    inputs = differentiable(model_of("flava")).inputs(real_photographs[:2], ["a [MASK]", "a red [MASK]"], ["dog", "ox"])
    assert inputs.tokens == (("[CLS]", "a", "[MASK]", "[SEP]"), ("[CLS]", "a", "red", "[MASK]", "[MASK]", "[SEP]"))
    assert inputs.special.tolist() == [[True, False, False, True, True, True], [True, False, False, False, False, True]]
    assert inputs.masks.tolist() == [
        [False, False, True, False, False, False],
        [False, False, False, True, True, False],
    ]


def test_a_token_that_takes_the_place_of_another_leaves_the_positions_of_the_rest(
    model_of: Callable[..., Any],
) -> None:
    for family, token in (("blip_retrieval", "[PAD]"), ("bridgetower", "<mask>"), ("altclip", "[MASK]")):
        model = model_of(family)
        assert model.texts.tokenizer.convert_ids_to_tokens(differentiable(model).absent_token) == token


@pytest.mark.parametrize(
    ("family", "asked", "why"),
    [
        ("clip", (["a [MASK]"], ["dog"]), "has no mlm: it compares whole texts"),
        ("vilt_words", (["a dog"],), "has no itm: it predicts words"),
    ],
)
def test_a_score_that_a_model_does_not_have_is_not_explained(
    family: str, asked: Any, why: str, model_of: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    with pytest.raises(NotApplicable, match=why):
        differentiable(model_of(family)).inputs(real_photographs[:1], *asked)


def test_a_model_that_gives_no_map_says_why(model_of: Callable[..., Any]) -> None:
    with pytest.raises(NotApplicable, match="gives no map of a picture: it reads only the text"):
        differentiable(model_of("bert"))


def test_of_a_pair_each_network_explains_its_own_metric(
    model_of: Callable[..., Any], tmp_path: Path, real_photographs: list[Image.Image]
) -> None:
    ranks, words = (spec_of(family, tmp_path / family, Path()) for family in ("vilt_retrieval", "vilt_words"))
    pair = load_model(f"itm={ranks},mlm={words}")
    texts, masked, targets = ["a dog", "a red bus"], ["a [MASK]", "a red [MASK]"], ["dog", "bus"]
    for metric, family, asked in (("itm", "vilt_retrieval", (texts,)), ("mlm", "vilt_words", (masked, targets))):
        own, alone = differentiable(pair, metric), differentiable(model_of(family))
        scores = [objective(network, network.inputs(real_photographs[:2], *asked)) for network in (own, alone)]
        torch.testing.assert_close(*scores, rtol=0, atol=0)
    blind = load_model(f"itm={ranks},mlm={spec_of('bert', tmp_path / 'bert', Path())}")
    with pytest.raises(NotApplicable, match="it reads only the text"):
        differentiable(blind, "mlm")
    assert differentiable(blind, "itm").relative


def test_patches_that_are_drawn_at_random_have_no_map(
    model_of: Callable[..., Any], real_photographs: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of("vilt_retrieval")
    monkeypatch.setattr(model.network.vilt.config, "max_image_length", 3)
    with pytest.raises(NotApplicable, match="it reads 3 patches of a picture, drawn at random"):
        differentiable(model).inputs(real_photographs[:1], TEXTS[:1])
