"""X-VLM and ViLT in their original layouts against their networks, called by hand on one pair at a time."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms
from transformers import BertTokenizer

from tests.conftest import ROOT
from tests.models.checkpoints import vocabulary
from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models import NamesWords
from vlcheck.models.adapters.base import Adapter
from vlcheck.models.loading.load import load_model
from vlcheck.models.original.vilt.network import ViltNetwork
from vlcheck.models.original.vilt.weights import vilt_from_original
from vlcheck.models.original.xvlm.network import XvlmNetwork

REFERENCES = ROOT / "tests" / "data"
TEXTS = ["A red bus, on the street.", "a dog", "the cat is left-of the dog in the photo"]
MASKED = [f"A red {MASK}, on the street.", f"a {MASK}", f"the cat is {MASK}-of the dog in the photo"]
WORDS = [("bus", "dog", "zebra"), ("dog", "bus", "ox"), ("left", "right")]  # some of several pieces
TOLERANCES = [("float64", 1e-10), ("float32", 5e-5)]
CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALVES = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Original:
    """A family's reference, and how its original code reads pictures and texts.

    Attributes:
        reference: the folder of the reference.
        checkpoint: its file.
        entries: of the vocabulary.
        network: loads the network of a folder.
        attention: how the network calls the mask of a text.
        size: from a picture's width and height to those of the pixels.
        moments: mean and standard deviation of each channel.
        said: what the tokenizer is given of a text.
        closing: whether a text ends with [SEP].
    """

    reference: str
    checkpoint: str
    entries: int
    network: Callable[[Path], XvlmNetwork | ViltNetwork]
    attention: str
    size: Callable[[int, int], tuple[int, int]]
    moments: tuple[Sequence[float], Sequence[float]]
    said: Callable[[str], str]
    closing: bool

    def inputs(self, image: Image.Image, text: str) -> dict[str, Tensor]:
        """One picture and one text as the network takes them."""
        width, height = self.size(*image.size)
        resize = transforms.Resize((height, width), interpolation=transforms.InterpolationMode.BICUBIC)
        prepare = transforms.Compose([resize, transforms.ToTensor(), transforms.Normalize(*self.moments)])
        ids = torch.tensor([tokenizer(self.entries)(self.said(text))["input_ids"]])
        ids = ids if self.closing else ids[:, :-1]
        return {"image": prepare(image)[None], "ids": ids, self.attention: torch.ones_like(ids)}


def cleaned(text: str) -> str:
    return {
        TEXTS[0]: "a red bus on the street",
        TEXTS[2]: "the cat is left of the dog in the photo",
        MASKED[0]: f"a red {MASK} on the street",
        MASKED[2]: f"the cat is {MASK} of the dog in the photo",
    }.get(text, text)


def fitted(width: int, height: int) -> tuple[int, int]:
    """The shorter side 96, unless the longer one would be over 159; whole patches of 32."""
    scale = min(96 / min(width, height), 159 / max(width, height))
    return int(scale * width + 0.5) // 32 * 32, int(scale * height + 0.5) // 32 * 32


ORIGINALS = {
    "xvlm": Original(
        reference="xvlm",
        checkpoint="4m_base_model_state_step_199999.th",
        entries=128,
        network=XvlmNetwork.from_original,
        attention="att",
        size=lambda *_: (128, 128),
        moments=CLIP,
        said=cleaned,
        closing=False,
    ),
    "vilt-original": Original(
        reference="vilt",
        checkpoint="vilt_200k_mlm_itm.ckpt",
        entries=120,
        network=vilt_from_original,
        attention="mask",
        size=fitted,
        moments=HALVES,
        said=str,
        closing=True,
    ),
}


def entries(size: int) -> list[str]:
    known = vocabulary()
    return known + [f"[unused{number}]" for number in range(size - len(known))]


def tokenizer(size: int) -> BertTokenizer:
    return BertTokenizer(vocab={piece: number for number, piece in enumerate(entries(size))})


def change_config(folder: Path, before: str, after: str) -> None:
    for path in folder.glob("config*.json"):
        path.write_text(path.read_text().replace(before, after))


def without(*parts: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda weights: {name: weight for name, weight in weights.items() if not any(part in name for part in parts)}


def change_weights(folder: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> None:
    (path,) = (path for path in folder.iterdir() if path.suffix in (".th", ".ckpt"))
    content = torch.load(path, weights_only=True)
    (wrapper,) = content.keys() & {"model", "state_dict"}
    torch.save(content | {wrapper: change(content[wrapper])}, path)


@pytest.fixture(params=ORIGINALS)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def folder(family: str, tmp_path: Path) -> Path:
    return original_folder(family, tmp_path)


def original_folder(family: str, within: Path) -> Path:
    """As a user has it: checkpoint, configs and vocabulary."""
    original = ORIGINALS[family]
    copied = shutil.copytree(
        REFERENCES / original.reference, within / "model", ignore=shutil.ignore_patterns("*.npz", "*.md")
    )
    (copied / "vocab.txt").write_text("\n".join(entries(original.entries)) + "\n", encoding="utf-8")
    return copied


@pytest.fixture(scope="module")
def photographs(coco_root: Path) -> list[Image.Image]:
    """Three real ones: the widest, the tallest, and one nearer to a square."""
    images = [Image.open(path) for path in sorted(coco_root.glob("*/*.jpg"))]
    ordered = sorted(images, key=lambda image: image.width / image.height)
    chosen = [ordered[-1].convert("RGB"), ordered[0].convert("RGB"), ordered[len(ordered) // 3].convert("RGB")]
    for image in images:
        image.close()
    return chosen


def loaded(family: str, folder: Path, dtype: str = "float32") -> Adapter:
    model = load_model(f"{family}:{folder}", dtype=dtype)
    assert isinstance(model, Adapter)
    return model


def test_it_offers_both_metrics_and_names_words(family: str, folder: Path, photographs: list[Image.Image]) -> None:
    model = loaded(family, folder)
    assert model.kinds == {"mlm": "masked-lm", "itm": "match-head"}
    assert model.name == f"{family}:{ORIGINALS[family].checkpoint}"
    assert isinstance(model, NamesWords)
    encoded = model.encode(photographs[:1])
    (probs,) = model.mlm(encoded, MASKED[1:2], [("dog", "bus")])
    everything = dict(model.top(encoded, MASKED[1:2], ORIGINALS[family].entries)[0])
    assert (everything["dog"], everything["bus"]) == pytest.approx(tuple(probs))


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
def test_a_match_is_what_the_network_says(
    dtype: str, atol: float, family: str, folder: Path, photographs: list[Image.Image]
) -> None:
    model, original = loaded(family, folder, dtype), ORIGINALS[family]
    network, pairs = original.network(folder).to(getattr(torch, dtype)), list(itertools.product(range(3), range(3)))
    encoded = model.encode(photographs)[[image for image, _ in pairs]]
    found = model.itm(encoded, [TEXTS[text] for _, text in pairs])
    theirs = [network.itm_logits(**original.inputs(photographs[image], TEXTS[text])) for image, text in pairs]
    expected = torch.cat(theirs).softmax(-1)[:, 1]
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
    assert len(set(np.round(found, 6))) == 9


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
def test_a_word_at_the_mask_is_what_the_network_says(
    dtype: str, atol: float, family: str, folder: Path, photographs: list[Image.Image]
) -> None:
    model, original = loaded(family, folder, dtype), ORIGINALS[family]
    network, pieces_of = original.network(folder).to(getattr(torch, dtype)), tokenizer(original.entries)
    found = model.mlm(model.encode(photographs), MASKED, WORDS)
    for probs, image, text, words in zip(found, photographs, MASKED, WORDS, strict=True):
        for prob, word in zip(probs, words, strict=True):
            pieces = pieces_of(word, add_special_tokens=False)["input_ids"]
            inputs = original.inputs(image, original.said(text).replace(MASK, MASK * len(pieces)))
            at_masks = network.mlm_logits(**inputs)[inputs["ids"] == pieces_of.mask_token_id].softmax(-1)
            assert len(at_masks) == len(pieces)
            assert prob == pytest.approx(at_masks[range(len(pieces)), pieces].prod().item(), rel=0, abs=atol)
        assert len(set(probs)) == len(words)


def test_a_word_of_several_pieces_is_among_them(family: str) -> None:
    pieces_of = tokenizer(ORIGINALS[family].entries)
    counts = {word: len(pieces_of(word, add_special_tokens=False)["input_ids"]) for word in ("dog", "ox", "zebra")}
    assert counts == {"dog": 1, "ox": 2, "zebra": 5}


@pytest.mark.parametrize("size", [1, 7, 32])
def test_scores_do_not_depend_on_the_batch(
    size: int, family: str, folder: Path, photographs: list[Image.Image]
) -> None:
    model = loaded(family, folder, "float64")
    pairs = list(itertools.islice(itertools.cycle(itertools.product(range(3), range(3))), 32))
    texts, masked = ([of[text] for _, text in pairs] for of in (TEXTS, MASKED))
    words = [WORDS[text] for _, text in pairs]
    each = [model.encode([image]) for image in photographs]
    alone = [each[image] for image, _ in pairs]
    itm = [model.itm(one, [text])[0] for one, text in zip(alone, texts, strict=True)]
    mlm = [model.mlm(one, [text], [asked])[0] for one, text, asked in zip(alone, masked, words, strict=True)]
    model.max_pairs = size
    together = model.encode(photographs)[[image for image, _ in pairs]]
    np.testing.assert_allclose(model.itm(together, texts), itm, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.concatenate(model.mlm(together, masked, words)), np.concatenate(mlm), atol=1e-12)
    assert np.ptp(itm) > 1e-2


def test_an_image_is_encoded_once_for_all_its_texts(family: str, folder: Path, photographs: list[Image.Image]) -> None:
    model = loaded(family, folder)
    counts: list[int] = []
    for name, module in model.network.named_modules():  # type: ignore[attr-defined]
        if name.endswith(("patch_embed.proj", "patch_embeddings.projection")):
            module.register_forward_hook(lambda _, inputs, __: counts.append(len(inputs[0])))
    encoded = model.encode(photographs)
    model.itm(encoded[[0, 0, 1]], TEXTS)
    model.mlm(encoded[[2, 2, 2]], MASKED, WORDS)
    assert counts == [3]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_scores_about_the_same(
    dtype: str, family: str, folder: Path, photographs: list[Image.Image]
) -> None:
    whole, half = loaded(family, folder), loaded(family, folder, dtype)
    expected = whole.itm(whole.encode(photographs), TEXTS)
    np.testing.assert_allclose(half.itm(half.encode(photographs), TEXTS), expected, atol=0.15)
    assert half.fingerprint != whole.fingerprint


def test_grey_and_transparent_pictures_are_read_as_rgb(family: str, folder: Path) -> None:
    model, grey = loaded(family, folder), Image.new("L", (64, 48), 128)
    scores = model.itm(model.encode([grey, grey.convert("RGBA"), grey.convert("RGB")]), ["a red bus"] * 3)
    np.testing.assert_allclose(scores, scores[2], rtol=0, atol=1e-6)


def test_the_fingerprint_is_that_of_the_content(family: str, folder: Path) -> None:
    first = loaded(family, folder).fingerprint
    again = loaded(family, shutil.copytree(folder, folder.with_name("again"))).fingerprint
    reordered = entries(ORIGINALS[family].entries)
    reordered[-2:] = reversed(reordered[-2:])
    (folder / "vocab.txt").write_text("\n".join(reordered), encoding="utf-8")
    assert first == again != loaded(family, folder).fingerprint


def test_the_fingerprint_is_that_of_the_weights_and_of_the_heads(family: str, folder: Path) -> None:
    first = loaded(family, folder).fingerprint
    change_config(folder, '"num_attention_heads": 4', '"num_attention_heads": 2')
    change_config(folder, '"num_heads": 4,', '"num_heads": 2,')
    fewer = loaded(family, folder).fingerprint
    change_weights(folder, lambda weights: {name: weight + ("itm" in name) for name, weight in weights.items()})
    assert len({first, fewer, loaded(family, folder).fingerprint}) == 3


def test_without_a_head_for_words_it_offers_itm_alone_and_says_why(
    family: str, folder: Path, photographs: list[Image.Image]
) -> None:
    whole = loaded(family, folder)
    change_weights(folder, without(".cls.", "bbox_head", "mlm_score"))
    model = loaded(family, folder)
    assert (model.kinds, model.metrics, set(model.lacks)) == ({"itm": "match-head"}, {"itm"}, {"mlm"})
    encoded = model.encode(photographs)
    np.testing.assert_allclose(model.itm(encoded, TEXTS), whole.itm(whole.encode(photographs), TEXTS), atol=1e-6)
    with pytest.raises(UsageError, match=rf"{model.name} has no mlm: {model.lacks['mlm']}"):
        model.mlm(encoded, MASKED, WORDS)


@pytest.mark.parametrize("family", ["vilt-original"])
def test_vilt_without_a_head_for_matching_offers_mlm_alone(
    family: str, folder: Path, photographs: list[Image.Image]
) -> None:
    change_weights(folder, without("itm_score"))
    model = loaded(family, folder)
    assert model.kinds == {"mlm": "masked-lm"}
    with pytest.raises(UsageError, match="has no itm: its checkpoint has no weights of itm_score"):
        model.itm(model.encode(photographs), TEXTS)


@pytest.mark.parametrize("family", ["vilt-original"])
def test_vilt_without_any_head_is_refused(family: str, folder: Path) -> None:
    change_weights(folder, without("itm_score", "mlm_score"))
    with pytest.raises(UsageError, match=r"it lacks 8 weights \(itm_score\.fc\.bias, itm_score\.fc\.weight, mlm_score"):
        loaded(family, folder)


@pytest.mark.parametrize("family", ["xvlm"])
def test_xvlm_of_a_fine_tuned_layout_matches_as_well(family: str, folder: Path, photographs: list[Image.Image]) -> None:
    whole = loaded(family, folder)
    change_weights(folder, without(".cls.", "bbox_head"))
    change_weights(folder, lambda weights: {name.replace("bert.", ""): weight for name, weight in weights.items()})
    model = loaded(family, folder)
    assert "fine-tuned" in model.lacks["mlm"]
    scores = model.itm(model.encode(photographs), TEXTS)
    np.testing.assert_allclose(scores, whole.itm(whole.encode(photographs), TEXTS), rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", ["vilt-original"])
@pytest.mark.parametrize(
    ("size", "patches"),
    [((640, 480), 4 * 3), ((480, 640), 3 * 4), ((640, 427), 4 * 3), ((640, 240), 4 * 1), ((50, 50), 3 * 3)],
)
def test_vilt_keeps_the_shape_of_a_picture_in_whole_patches(
    size: tuple[int, int], patches: int, family: str, folder: Path
) -> None:
    features = loaded(family, folder).encode([Image.new("RGB", size), Image.new("RGB", (480, 640))])
    embeds, mask = features.tensors
    assert mask.sum(1).tolist() == [1 + patches, 1 + 12]
    assert embeds.shape[1] == 13


def test_a_text_past_what_is_read_is_no_question(family: str, folder: Path, photographs: list[Image.Image]) -> None:
    model = loaded(family, folder)
    encoded = model.encode(photographs[:1])
    longest = {"xvlm": 39, "vilt-original": 18}[family]  # letters and digits of one word are a token each
    assert model.itm(encoded, ["z" * longest]).shape == (1,)
    said = {"xvlm": "the 40 tokens that X-VLM reads", "vilt-original": "the 20 tokens that the model reads"}
    with pytest.raises(NotApplicable, match=said[family]):
        model.itm(encoded, ["z" * (longest + 1)])
    with pytest.raises(NotApplicable, match=said[family]):
        model.mlm(encoded, ["z" * longest + f" {MASK}"], [("dog",)])


@pytest.mark.parametrize("family", ["xvlm"])
def test_a_text_past_thirty_words_is_no_question_of_xvlm(
    family: str, folder: Path, photographs: list[Image.Image]
) -> None:
    model = loaded(family, folder)
    encoded = model.encode(photographs[:1])
    assert model.itm(encoded, ["a " * 30]).shape == (1,)
    with pytest.raises(NotApplicable, match="more than the 30 words that X-VLM reads"):
        model.itm(encoded, ["a " * 31])


def test_a_folder_is_asked_for(family: str) -> None:
    with pytest.raises(UsageError, match=f"model='{family}:': .*{family}:FOLDER"):
        load_model(f"{family}:")


def test_a_folder_that_is_not_there_is_named(family: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"model='{family}:.*gone: no such folder; name the one that"):
        load_model(f"{family}:{tmp_path / 'gone'}")


def test_a_folder_without_checkpoint_is_refused(family: str, folder: Path) -> None:
    (folder / ORIGINALS[family].checkpoint).unlink()
    with pytest.raises(UsageError, match=r"model: has to hold one checkpoint .*; it holds: none"):
        loaded(family, folder)


@pytest.mark.usefixtures("no_hub")
def test_without_a_vocabulary_the_error_says_where_to_put_it(family: str, folder: Path) -> None:
    (folder / "vocab.txt").unlink()
    with pytest.raises(UsageError, match=r"model/vocab\.txt: no such file.*Put bert-base-uncased's vocab\.txt there"):
        loaded(family, folder)


def test_a_vocabulary_of_another_model_is_refused(family: str, folder: Path) -> None:
    (folder / "vocab.txt").write_text("\n".join(entries(99)), encoding="utf-8")
    said = rf"vocab\.txt: the vocabulary has 99 entries, the network {ORIGINALS[family].entries}: they do not belong"
    with pytest.raises(UsageError, match=said):
        loaded(family, folder)


def test_a_list_of_words_is_no_vocabulary(family: str, folder: Path) -> None:
    words = [piece.strip("[]") for piece in entries(ORIGINALS[family].entries)]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    with pytest.raises(UsageError, match=r"vocab\.txt: not the vocabulary of a BERT: \[PAD\], \[UNK\], \[CLS\]"):
        loaded(family, folder)
