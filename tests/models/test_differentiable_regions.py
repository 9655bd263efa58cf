"""Networks that read regions, for explanations: scores as differentiable functions of the regions' features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tests.models.conftest import three_shapes
from tests.models.families import READING_REGIONS, spec_of, write_regions
from tests.models.test_differentiable import attentions_of, kinds_on_the_page, leaf
from vlcheck.cases import MASK, ImageFile
from vlcheck.cases.box import Box
from vlcheck.explain.attribution.objective import objective
from vlcheck.models.differentiable import Differentiable, differentiable
from vlcheck.models.loading.load import load_model
from vlcheck.perturb.regions import TakeOut

pytestmark = pytest.mark.slow  # networks are run many times

COUNTS = (5, 9, 3)  # regions of the three photographs
TEXTS = ["a red bus on the street", "a dog", "the cat is left of the dog in the photo"]
MASKED = [f"a red {MASK} on the street", f"a {MASK}", f"the cat is {MASK} of the dog in the photo"]
WORDS = ["bus", "zebra", "left"]  # "zebra" is of five pieces
ROWS = {"lxmert": "LxmertForPreTraining", "vilbert": "vilbert", "visual_bert": "VisualBertForPreTraining"}


@pytest.fixture(scope="module")
def sources(coco_root: Path) -> list[ImageFile]:
    return [ImageFile(path) for path in three_shapes(coco_root)]


@pytest.fixture(scope="module")
def photographs(sources: list[ImageFile]) -> list[Image.Image]:
    return [source.open() for source in sources]


@pytest.fixture(scope="module")
def detector(sources: list[ImageFile], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Regions of the three photographs, as if a detector had been run."""
    folder, random = tmp_path_factory.mktemp("regions"), np.random.default_rng(4)
    for source, count in zip(sources, COUNTS, strict=True):
        write_regions(folder, source, count, random)
    return folder


@pytest.fixture(scope="module")
def model_of(detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    made: dict[tuple[str, str], Any] = {}

    def model(family: str, dtype: str = "float32") -> Any:
        if (family, dtype) not in made:
            made[family, dtype] = load_model(spec_of(family, tmp_path_factory.mktemp(family), detector), dtype=dtype)
        return made[family, dtype]

    return model


def one_by_one(network: Differentiable, *columns: Sequence[Any]) -> Tensor:
    """The score of each pair, asked alone."""
    rows = ([[own] for own in row] for row in zip(*columns, strict=True))
    return torch.cat([objective(network, network.inputs(*row)) for row in rows])


@pytest.mark.parametrize("family", READING_REGIONS)
def test_the_two_logits_give_the_score_of_the_model(
    family: str, model_of: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    model = model_of(family)
    network = differentiable(model)
    inputs = network.inputs(photographs, TEXTS)
    logits = network.match_logits(inputs, network.image_states(inputs), network.text_states(inputs))
    scores = model.itm(model.encode(photographs), TEXTS)
    np.testing.assert_allclose(logits.softmax(-1)[:, 1].tolist(), scores, rtol=0, atol=1e-6)
    assert len(set(scores.round(5))) == 3


@pytest.mark.parametrize("family", READING_REGIONS)
def test_a_words_log_probability_gives_the_score_of_the_model(
    family: str, model_of: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    model = model_of(family)
    network = differentiable(model)
    inputs = network.inputs(photographs, MASKED, WORDS)
    scores = model.mlm(model.encode(photographs), MASKED, [[word] for word in WORDS])
    np.testing.assert_allclose(objective(network, inputs).exp().tolist(), np.concatenate(scores), rtol=2e-5, atol=0)
    assert [len(pieces) for pieces in inputs.pieces] == [1, 5, 1]


@pytest.mark.parametrize("words", [None, WORDS])
@pytest.mark.parametrize("family", READING_REGIONS)
def test_pairs_of_a_batch_are_scored_as_each_alone(
    family: str, words: list[str] | None, model_of: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    asked = (TEXTS,) if words is None else (MASKED, words)
    together = objective(network, network.inputs(photographs, *asked))
    torch.testing.assert_close(together, one_by_one(network, photographs, *asked), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("words", [None, WORDS])
@pytest.mark.parametrize("family", READING_REGIONS)
def test_gradients_reach_regions_and_words_but_no_padding(
    family: str, words: list[str] | None, model_of: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = network.inputs(photographs, *((TEXTS,) if words is None else (MASKED, words)))
    watched = replace(inputs, pixels=leaf(inputs.pixels))
    embedded = leaf(network.word_embeddings(inputs.ids))
    scores = objective(network, watched, embedded)
    torch.testing.assert_close(scores, objective(network, inputs), rtol=1e-6, atol=1e-6)
    by_region, by_token = (
        slopes.abs().amax(-1) for slopes in torch.autograd.grad(scores.sum(), [watched.pixels, embedded])
    )
    present = torch.arange(max(COUNTS)) < torch.tensor(COUNTS)[:, None]
    assert by_region.isfinite().all()
    assert ((by_region > 0) == present).all()
    assert ((by_token > 0) == (inputs.attention == 1)).all()


@pytest.mark.parametrize("family", READING_REGIONS)
def test_units_are_the_boxes_of_the_detector(
    family: str, model_of: Callable[..., Any], sources: list[ImageFile], detector: Path
) -> None:
    source = sources[1]
    (layout,) = differentiable(model_of(family)).inputs([source.open()], TEXTS[:1]).layouts
    corners = np.load(detector / f"{source.path.stem}.npz")["boxes"] / np.tile(source.size, 2)
    found = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in layout.boxes]
    np.testing.assert_allclose(found, corners, rtol=0, atol=1e-9)
    assert layout.grid is None


@pytest.mark.parametrize("family", READING_REGIONS)
def test_features_of_zeros_are_an_absent_region(
    family: str, model_of: Callable[..., Any], sources: list[ImageFile], detector: Path
) -> None:
    model, source = model_of(family), sources[1]
    network = differentiable(model)
    inputs = network.inputs([source.open()], TEXTS[:1])
    x1, y1, x2, y2 = np.load(detector / f"{source.path.stem}.npz")["boxes"][4].tolist()
    one, whole = Box(x1, y1, x2 - x1, y2 - y1), ()
    for boxes in ((one,), whole):
        edited = TakeOut(boxes).edit(source.open())
        ablated = network.inputs([edited], TEXTS[:1])
        gone = (ablated.pixels == 0).all(-1, keepdim=True)
        assert 0 < int(gone.sum()) <= COUNTS[1]
        (score,) = model.itm(model.encode([edited]), TEXTS[:1])
        changed = replace(inputs, pixels=inputs.pixels.masked_fill(gone, 0))
        logits = network.match_logits(changed, network.image_states(changed), network.text_states(changed))
        assert logits.softmax(-1)[0, 1].item() == pytest.approx(score, abs=1e-6)
    assert objective(network, inputs).item() != pytest.approx(objective(network, changed).item(), abs=1e-3)


@pytest.mark.parametrize("family", READING_REGIONS)
def test_a_changed_region_changes_its_own_state_most(
    family: str, model_of: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = network.inputs(photographs[:1], TEXTS[:1])
    changed = replace(inputs, pixels=inputs.pixels.index_fill(1, torch.tensor([3]), 1.0))
    before, after = (states_after_first_block(network, one) for one in (inputs, changed))
    assert before.shape[:2] == (1, COUNTS[0])
    assert (after - before).norm(dim=-1).argmax(1).tolist() == [3]


def states_after_first_block(network: Differentiable, inputs: Any) -> Tensor:
    kept: list[Tensor] = []
    handle = network.vision_blocks[0].register_forward_hook(lambda *args: kept.append(args[2]))
    objective(network, inputs)
    handle.remove()
    return network.patch_states(kept[0], inputs)


@pytest.mark.parametrize("words", [None, WORDS[:1]])
@pytest.mark.parametrize("family", READING_REGIONS)
def test_regions_of_the_last_vision_block_reach_the_score(
    family: str, words: list[str] | None, model_of: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = network.inputs(photographs[:1], *((TEXTS[:1],) if words is None else (MASKED[:1], words)))
    kept: list[Tensor] = []
    handle = network.vision_blocks[-1].register_forward_hook(lambda *args: kept.append(args[2]))
    scores = objective(network, replace(inputs, pixels=leaf(inputs.pixels)))
    handle.remove()
    (slopes,) = torch.autograd.grad(scores.sum(), kept)
    assert (network.patch_states(slopes, inputs).abs().amax(-1) > 0).all()


@pytest.mark.parametrize("family", READING_REGIONS)
def test_attention_is_of_the_kind_that_its_numbers_of_queries_and_keys_say(
    family: str, model_of: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    network = differentiable(model_of(family))
    inputs = network.inputs(photographs[:1], TEXTS[:1])
    found = attentions_of(network, inputs)
    assert {kind for kind, _, _ in found} == kinds_on_the_page()[ROWS[family]]
    tokens, regions = inputs.ids.shape[1], COUNTS[0] + (family == "vilbert")
    sides = {"t": tokens, "i": regions, "j": tokens + regions}
    expected = {"text": "tt", "image": "ii", "cross": "ti", "back": "it", "joint": "jj"}
    for kind, *sizes in found:
        assert kind
        assert sizes == [sides[letter] for letter in expected[kind]]
        if kind in ("image", "cross", "joint"):
            keys = torch.arange(sizes[1])
            assert network.image_keys(keys, kind, inputs).tolist() == keys[-COUNTS[0] :].tolist()


def test_tokens_that_are_no_words_are_marked(model_of: Callable[..., Any], photographs: list[Image.Image]) -> None:
    network = differentiable(model_of("lxmert"))
    inputs = network.inputs(photographs[:2], [f"a {MASK}", f"a red {MASK}"], ["dog", "ox"])
    assert inputs.tokens == (("[CLS]", "a", "[MASK]", "[SEP]"), ("[CLS]", "a", "red", "[MASK]", "[MASK]", "[SEP]"))
    assert inputs.special.int().tolist() == [[1, 0, 0, 1, 1, 1], [1, 0, 0, 0, 0, 1]]
    assert inputs.masks.int().tolist() == [[0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0]]
