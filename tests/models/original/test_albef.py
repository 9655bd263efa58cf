from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision import transforms

from benchmarks.albef_checkpoint import random_albef, random_state_dict, vocabulary
from tests.models.conftest import CAPTION, REFERENCE, REFERENCE_CONFIG, TINY
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models import NamesWords, VisionLanguageModel
from vlcheck.models.adapters.features import Features
from vlcheck.models.original.albef.adapter import Albef, AlbefNetwork, load
from vlcheck.models.original.fusion.captions import CaptionTokenizer
from vlcheck.models.original.fusion.pixels import MEAN, STD, preprocess

MASKED = [
    "a [MASK] bus.",
    "a red [MASK] on the left side of a wet road near two people",
    "the [MASK] side",
    "[MASK]",
    "two people wait on the [MASK] side of a road",
]
FILLED = [text.replace("[MASK]", word) for text, word in zip(MASKED, ["red", "bus", "left", "a", "right"], strict=True)]
WORDS = [["red", "green", "left"], ["bus"], [], ["a", "people", "zoo"], ["left", "right"]]


@pytest.fixture
def encoded(tiny: Albef, photographs: list[Image.Image]) -> Features:
    return tiny.encode(photographs)


@pytest.fixture
def forwards(tiny: Albef) -> Iterator[list[int]]:
    """The number of texts in each forward through the text layers."""
    sizes: list[int] = []
    layer = tiny.network.text_encoder.bert.encoder.layer[0]
    hook = layer.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    yield sizes
    hook.remove()


def by_hand(model: Albef, image: Image.Image, text: str, masks: int) -> torch.Tensor:
    """Probabilities (masks, vocab_size) of one text over one image, without padding or batches."""
    ids = torch.tensor([model.tokenizer.encode(text, masks)])
    with torch.inference_mode():
        embeds = model.network.image_embeds(preprocess(image, TINY.image_size)[None])
        logits = model.network.mlm_logits(embeds, ids, torch.ones_like(ids))
    return logits[0][ids[0] == model.tokenizer.mask].softmax(-1)


def reference_model(dtype: torch.dtype) -> Albef:
    """The reference's network over a vocabulary in which its ids have names."""
    network = AlbefNetwork(REFERENCE_CONFIG).to(dtype)
    network.load_albef_state_dict(torch.load(REFERENCE / "checkpoint_29.pth", weights_only=True)["model"])
    special = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]"}
    return Albef(network, CaptionTokenizer([special.get(i, f"w{i}") for i in range(128)]), name="reference")


def test_it_is_a_model_that_names_words(tiny: Albef) -> None:
    model: VisionLanguageModel = tiny
    assert isinstance(model, NamesWords)
    assert (model.metrics, model.mask, model.name) == ({"mlm", "itm"}, "[MASK]", "albef:checkpoint.pth")
    assert model.kinds == {"mlm": "masked-lm", "itm": "match-head"}


@pytest.mark.parametrize(
    ("dtype", "name", "atol"), [(torch.float64, "outputs64", 1e-10), (torch.float32, "outputs", 5e-5)]
)
def test_the_adapter_scores_as_the_original(dtype: torch.dtype, name: str, atol: float) -> None:
    model, outputs = reference_model(dtype), np.load(REFERENCE / f"{name}.npz")
    pixels = torch.tensor(np.load(REFERENCE / "inputs.npz")["image"], dtype=dtype)
    embeds = model.network.image_embeds(pixels).detach()
    encoded = Features((embeds,), (0, 1))
    texts = ["w7 w9 [MASK] w12", "w20 [MASK] w21 w22 w23 w24 w25"]
    words = [f"w{number}" for number in range(1, 100)]
    np.testing.assert_allclose(model.itm(encoded, texts), outputs["itm_prob"], rtol=0, atol=atol)
    expected = outputs["mlm_mask_prob"][:, 1:100]
    np.testing.assert_allclose(model.mlm(encoded, texts, [words, words]), expected, rtol=0, atol=atol)


def test_pixels_are_prepared_as_torchvision_does(photographs: list[Image.Image]) -> None:
    bicubic = transforms.Resize((32, 32), interpolation=transforms.InterpolationMode.BICUBIC)
    theirs = transforms.Compose([bicubic, transforms.ToTensor(), transforms.Normalize(MEAN, STD)])(photographs[0])
    torch.testing.assert_close(preprocess(photographs[0], 32), theirs)


def test_grey_and_transparent_pictures_are_read_as_rgb(tiny: Albef) -> None:
    grey = Image.new("L", (20, 20), 128)
    scores = tiny.itm(tiny.encode([grey, grey.convert("RGBA"), grey.convert("RGB")]), ["a red bus"] * 3)
    assert scores[0] == pytest.approx(scores[2], abs=1e-6)
    assert scores[1] == pytest.approx(scores[2], abs=1e-6)


@pytest.mark.parametrize("size", [1, 7, 32])
def test_scores_do_not_depend_on_the_batch(size: int, tiny: Albef, photographs: list[Image.Image]) -> None:
    pairs = list(itertools.islice(itertools.cycle(itertools.product(range(5), range(5))), 32))
    texts, words = [MASKED[text] for _, text in pairs], [WORDS[text] for _, text in pairs]
    batched = Albef(tiny.network, tiny.tokenizer, name="batched", max_pairs=size)
    encoded = batched.encode(photographs)[[image for image, _ in pairs]]
    alone = [tiny.encode([photographs[image]]) for image, _ in pairs]
    itm = [tiny.itm(one, [FILLED[text]])[0] for one, (_, text) in zip(alone, pairs, strict=True)]
    mlm = [tiny.mlm(one, [MASKED[text]], [WORDS[text]])[0] for one, (_, text) in zip(alone, pairs, strict=True)]
    np.testing.assert_allclose(batched.itm(encoded, [FILLED[text] for _, text in pairs]), itm, rtol=0, atol=1e-5)
    for together, single in zip(batched.mlm(encoded, texts, words), mlm, strict=True):
        np.testing.assert_allclose(together, single, rtol=0, atol=1e-5)
    assert np.ptp(itm) > 1e-2


def test_no_forward_is_larger_than_said(tiny: Albef, photographs: list[Image.Image], forwards: list[int]) -> None:
    small = Albef(tiny.network, tiny.tokenizer, name="small", max_pairs=2)
    small.itm(small.encode(photographs), FILLED)
    assert forwards == [2, 2, 1]


def test_a_selection_asks_the_selected_images(tiny: Albef, encoded: Features) -> None:
    text = "a red bus"
    everything = tiny.itm(encoded, [text] * 5)
    chosen = encoded[[3, 1, 1, 4]][[0, 2, 3]]
    assert len(chosen) == 3
    np.testing.assert_allclose(tiny.itm(chosen, [text] * 3), everything[[3, 1, 4]], atol=1e-6)


def test_a_word_of_one_piece_has_its_softmax(tiny: Albef, encoded: Features, photographs: list[Image.Image]) -> None:
    expected = by_hand(tiny, photographs[0], MASKED[0], 1)[0, tiny.tokenizer.pieces("red")[0]]
    assert tiny.mlm(encoded[[0]], MASKED[:1], [["red"]])[0] == pytest.approx([float(expected)], rel=1e-4)


def test_a_word_of_several_pieces_has_the_product_over_as_many_masks(
    tiny: Albef, encoded: Features, photographs: list[Image.Image]
) -> None:
    z, o, again = tiny.tokenizer.pieces("zoo")
    probs = by_hand(tiny, photographs[2], MASKED[1], 3)
    expected = float(probs[0, z] * probs[1, o] * probs[2, again])
    scores = tiny.mlm(encoded[[1, 2]], [MASKED[0], MASKED[1]], [["red"], ["bus", "zoo", "left"]])
    assert scores[1][1] == pytest.approx(expected, rel=1e-4)
    single = by_hand(tiny, photographs[2], MASKED[1], 1)[0]
    for place, word in ((0, "bus"), (2, "left")):
        assert scores[1][place] == pytest.approx(float(single[tiny.tokenizer.pieces(word)[0]]), rel=1e-4)


def test_each_text_is_read_once_whatever_the_number_of_words(
    tiny: Albef, encoded: Features, forwards: list[int]
) -> None:
    tiny.mlm(encoded, MASKED, [CAPTION.split()] * 5)
    assert forwards == [5]


def test_words_of_as_many_pieces_share_a_reading(tiny: Albef, encoded: Features, forwards: list[int]) -> None:
    tiny.mlm(encoded[[0, 1]], MASKED[:2], [["zoo", "cab", "red"], ["bus"]])
    assert forwards == [2, 1]


def test_the_likeliest_words_come_best_first_with_their_probabilities(tiny: Albef, encoded: Features) -> None:
    words = [[word for word, _ in row] for row in tiny.top(encoded, MASKED, 3)]
    probs = [[prob for _, prob in row] for row in tiny.top(encoded, MASKED, 3)]
    assert all(row == sorted(row, reverse=True) for row in probs)
    whole = by_hand(tiny, Image.new("RGB", (8, 8)), MASKED[0], 1)[0]
    black = tiny.top(tiny.encode([Image.new("RGB", (8, 8))]), MASKED[:1], 2)[0]
    assert [word for word, _ in black] == [tiny.tokenizer.vocabulary[i] for i in whole.topk(2).indices.tolist()]
    assert [len(row) for row in words] == [3] * 5


def test_top_right_after_mlm_reads_nothing(tiny: Albef, encoded: Features, forwards: list[int]) -> None:
    view = encoded[[0, 2]]
    scores = tiny.mlm(view, MASKED[:2], [["red"], ["zoo"]])
    before = len(forwards)
    (word, prob), *_ = tiny.top(view, MASKED[:2], TINY.vocab_size)[0]
    tiny.top(encoded[[0, 2]], list(MASKED[:2]), 1)
    assert len(forwards) == before
    everything = dict(tiny.top(view, MASKED[:2], TINY.vocab_size)[0])
    assert everything["red"] == pytest.approx(scores[0][0], rel=1e-6)
    assert everything[word] == prob


@pytest.mark.parametrize(("rows", "texts"), [([0, 2], [1, 0]), ([2, 0], [0, 1])])
def test_top_of_anything_else_is_read_anew(
    rows: list[int], texts: list[int], tiny: Albef, encoded: Features, forwards: list[int]
) -> None:
    tiny.mlm(encoded[[0, 2]], MASKED[:2], [["red"], ["red"]])
    (word, prob), *_ = tiny.top(encoded[rows], [MASKED[text] for text in texts], 4)[0]
    assert forwards == [2, 2]
    [(likeliest, alone)] = tiny.top(encoded[rows[:1]], [MASKED[texts[0]]], 1)[0]
    assert (word, prob) == (likeliest, pytest.approx(alone, abs=1e-5))


def test_top_of_other_pictures_is_read_anew(tiny: Albef, photographs: list[Image.Image], forwards: list[int]) -> None:
    tiny.mlm(tiny.encode(photographs[:1]), MASKED[:1], [["red"]])
    tiny.top(tiny.encode(photographs[1:2]), MASKED[:1], 1)
    assert forwards == [1, 1]


def test_nothing_asked_is_nothing_answered(tiny: Albef, encoded: Features) -> None:
    assert tiny.itm(encoded[[]], []).shape == (0,)
    assert tiny.mlm(encoded[[]], [], []) == []
    assert tiny.top(encoded[[]], [], 3) == []


@pytest.mark.parametrize("text", ["a red bus", "a [MASK] [MASK]", "a [mask] bus"])
def test_a_text_without_exactly_one_mask_is_refused(text: str, tiny: Albef, encoded: Features) -> None:
    with pytest.raises(UsageError, match=r"\[MASK\] exactly once"):
        tiny.mlm(encoded[[0]], [text], [["red"]])


def test_a_text_past_thirty_words_is_no_question_of_itm(tiny: Albef, encoded: Features) -> None:
    words = ["a"] * 30
    assert len(tiny.itm(encoded[[0]], [" ".join(words) + "!"])) == 1
    with pytest.raises(NotApplicable, match="more than the 30 words that ALBEF reads"):
        tiny.itm(encoded[[0]], [" ".join([*words, "dog"])])


def test_a_text_past_the_positions_is_refused(tiny: Albef, encoded: Features) -> None:
    with pytest.raises(UsageError, match="91 tokens; the model reads 64 at most"):
        tiny.itm(encoded[[0]], [" ".join(["zoo"] * 30)])


def test_texts_and_images_are_counted(tiny: Albef, encoded: Features) -> None:
    with pytest.raises(ValueError, match="1 texts for 5 images"):
        tiny.itm(encoded, ["a bus"])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_dtypes_score_about_the_same(
    dtype: str, tiny: Albef, tiny_folder: Path, photographs: list[Image.Image]
) -> None:
    other = load(str(tiny_folder / "checkpoint.pth"), dtype=dtype)
    scores = other.itm(other.encode(photographs), FILLED)
    np.testing.assert_allclose(scores, tiny.itm(tiny.encode(photographs), FILLED), atol=0.1)
    assert other.fingerprint != tiny.fingerprint


def test_the_fingerprint_is_that_of_the_content(tiny: Albef, tiny_folder: Path, tmp_path: Path) -> None:
    assert load(str(tiny_folder / "checkpoint.pth")).fingerprint == tiny.fingerprint
    assert load(str(random_albef(tmp_path / "other", TINY, [CAPTION], seed=4))).fingerprint != tiny.fingerprint
    renamed = CaptionTokenizer([*tiny.tokenizer.vocabulary[:-1], "other"])
    assert Albef(tiny.network, renamed, name="renamed").fingerprint != tiny.fingerprint


def test_safetensors_score_as_the_wrapped_file(tiny: Albef, tiny_folder: Path, photographs: list[Image.Image]) -> None:
    weights = random_state_dict(TINY, seed=3, spread=0.25)
    save_file({name: tensor.clone() for name, tensor in weights.items()}, tiny_folder / "flat.safetensors")
    flat = load(str(tiny_folder / "flat.safetensors"))
    assert flat.fingerprint == tiny.fingerprint
    assert np.array_equal(flat.itm(flat.encode(photographs), FILLED), tiny.itm(tiny.encode(photographs), FILLED))


def test_a_fine_tuned_checkpoint_offers_itm_alone_and_says_why(
    tiny: Albef, tiny_folder: Path, photographs: list[Image.Image]
) -> None:
    weights = random_state_dict(TINY, seed=3, spread=0.25)
    flat = {name.replace("encoder.bert.", "encoder."): t for name, t in weights.items() if ".cls." not in name}
    torch.save(flat, tiny_folder / "mscoco.pth")
    model = load(str(tiny_folder / "mscoco.pth"))
    assert (model.metrics, set(model.kinds)) == ({"itm"}, {"itm"})
    assert "fine-tuned" in model.lacks["mlm"]
    encoded = model.encode(photographs)
    np.testing.assert_allclose(model.itm(encoded, FILLED), tiny.itm(tiny.encode(photographs), FILLED), atol=1e-6)
    with pytest.raises(UsageError, match=r"mscoco\.pth has no mlm: a fine-tuned checkpoint without MLM head"):
        model.mlm(encoded, MASKED, WORDS)
    with pytest.raises(UsageError, match="without MLM head"):
        model.top(encoded, MASKED, 1)


def test_a_config_beside_the_checkpoint_sets_another_resolution(tmp_path: Path) -> None:
    path = random_albef(tmp_path, TINY, [CAPTION])
    said = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(said.replace('"image_res": 32', '"image_res": 48'))
    assert load(str(path)).network.visual_encoder.pos_embed.shape == (1, 10, 32)


def test_a_config_that_contradicts_the_weights_is_refused(tmp_path: Path) -> None:
    path = random_albef(tmp_path, TINY, [CAPTION])
    said = (tmp_path / "config_bert.json").read_text()
    (tmp_path / "config_bert.json").write_text(said.replace('"fusion_layer": 2', '"fusion_layer": 3'))
    with pytest.raises(UsageError, match=r"checkpoint\.pth: .*unknown .*layer\.2\.crossattention"):
        load(str(path))


def test_a_vocabulary_of_another_model_is_refused(tmp_path: Path) -> None:
    path = random_albef(tmp_path, TINY, [CAPTION])
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary(300, [])))
    with pytest.raises(UsageError, match=r"vocab\.txt: the vocabulary has 300 entries, the network 256"):
        load(str(path))


def test_a_path_is_asked_for() -> None:
    with pytest.raises(UsageError, match="albef:PATH"):
        load("")
