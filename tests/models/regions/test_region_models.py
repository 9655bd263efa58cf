"""Models of regions, against their networks called by hand on one pair at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from transformers import BertTokenizer, LxmertForPreTraining, VisualBertForPreTraining

from tests.models import checkpoints
from tests.models.conftest import three_shapes
from tests.models.families import write_regions
from tests.models.hf.test_hosted import MASKED, TEXTS, TOLERANCES, WORDS
from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK, ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.query import Query
from vlcheck.models.loading.load import load_model
from vlcheck.models.original.vilbert.network import VilbertNetwork
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.models.regions.regions import RegionExtractor, Regions
from vlcheck.perturb import Grayscale
from vlcheck.perturb.regions import TakeOut
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

pytestmark = pytest.mark.slow

COUNTS = (5, 9, 3)  # regions of the three photographs
FAMILIES = ("lxmert", "visual_bert", "vilbert")


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
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {family: getattr(checkpoints, family)(tmp_path_factory.mktemp(family)) for family in FAMILIES}


@pytest.fixture
def loaded(folder_of: dict[str, Path], detector: Path) -> Callable[..., VisionLanguageModel]:
    return lambda family, dtype="float64": load_model(spec_of(family, folder_of, detector), dtype=dtype)


def spec_of(family: str, folder_of: dict[str, Path], detector: Path) -> str:
    prefix = "vilbert:" if family == "vilbert" else ""
    return f"{prefix}{folder_of[family]},regions={detector}"


class ByHand:
    """A checkpoint as its documentation says to use it, on one text and one image without padding.

    Args:
        folder: the checkpoint.
        dtype: of its weights.
        size: of the image.
        regions: its boxes and features, as in the file.
    """

    def __init__(self, folder: Path, dtype: str, size: tuple[int, int], regions: dict[str, np.ndarray]) -> None:
        self.folder, self.dtype, self.size = folder, getattr(torch, dtype), size
        self.tokenizer = BertTokenizer(vocab={piece: row for row, piece in enumerate(checkpoints.vocabulary())})
        self.boxes, self.features = (torch.tensor(regions[name]).double() for name in ("boxes", "features"))

    def match(self, text: str) -> float:
        """P(match)."""
        raise NotImplementedError

    def at_tokens(self, text: str) -> Tensor:
        """Logits (tokens, vocab_size)."""
        raise NotImplementedError

    def of_regions(self, text: str) -> Tensor:
        """Logits (regions, classes)."""
        raise NotImplementedError

    def fill(self, text: str, word: str) -> float:
        """The probabilities of a word's pieces at as many masks, multiplied."""
        pieces = self.tokenizer(word, add_special_tokens=False)["input_ids"]
        masked = text.replace(MASK, MASK * len(pieces))
        at = torch.tensor(self.tokenizer(masked)["input_ids"]) == self.tokenizer.mask_token_id
        probs = self.at_tokens(masked)[at].softmax(-1)
        return float(np.prod([probs[place, piece].item() for place, piece in enumerate(pieces)]))

    def hosted(self, cls: Any, text: str, **regions: Tensor) -> Any:
        network = cls.from_pretrained(self.folder, dtype=self.dtype).eval()
        given = {name: array[None].to(self.dtype) for name, array in regions.items()}
        return network(**self.tokenizer(text, return_tensors="pt"), **given)


class LxmertByHand(ByHand):
    def of_regions(self, text: str) -> Tensor:
        network: Any = LxmertForPreTraining.from_pretrained(self.folder, dtype=self.dtype).eval()
        width, height = self.size
        places = torch.stack([self.boxes[:, side] / extent for side, extent in enumerate([width, height] * 2)], 1)
        given = {"visual_feats": self.features[None].to(self.dtype), "visual_pos": places[None].to(self.dtype)}
        _, seen, *_ = network.lxmert(**self.tokenizer(text, return_tensors="pt"), **given, return_dict=False)
        head = network.obj_predict_head
        return head.decoder_dict["obj"](head.transform(seen))[0]

    def said(self, text: str) -> Any:
        width, height = self.size
        places = torch.stack([self.boxes[:, side] / extent for side, extent in enumerate([width, height] * 2)], 1)
        return self.hosted(LxmertForPreTraining, text, visual_feats=self.features, visual_pos=places)

    def match(self, text: str) -> float:
        return self.said(text).cross_relationship_score[0].softmax(-1)[1].item()

    def at_tokens(self, text: str) -> Tensor:
        return self.said(text).prediction_logits[0]


class VisualBertByHand(ByHand):
    def match(self, text: str) -> float:
        said = self.hosted(VisualBertForPreTraining, text, visual_embeds=self.features)
        return said.seq_relationship_logits[0].softmax(-1)[0].item()

    def at_tokens(self, text: str) -> Tensor:
        logits = self.hosted(VisualBertForPreTraining, text, visual_embeds=self.features).prediction_logits[0]
        return logits[: len(self.tokenizer(text)["input_ids"])]


class VilbertByHand(ByHand):
    def asked(self, text: str) -> dict[str, Tensor]:
        """As the original's code makes them, with the whole image before its regions."""
        ids = torch.tensor([self.tokenizer(text)["input_ids"]])
        (width, height), whole = self.size, [0.0, 0, 1, 1, 1]
        seen = self.features[self.features.any(1)]
        places = [
            [x1 / width, y1 / height, x2 / width, y2 / height, (x2 - x1) * (y2 - y1) / (width * height)]
            for x1, y1, x2, y2 in self.boxes.tolist()
        ]
        return {
            "ids": ids,
            "input_mask": torch.ones_like(ids),
            "segment_ids": torch.zeros_like(ids),
            "features": torch.cat([self.features.sum(0, keepdim=True) / max(1, len(seen)), self.features])[None],
            "image_loc": torch.tensor([[whole, *places]], dtype=torch.float64),
            "image_mask": torch.ones(1, 1 + len(places), dtype=torch.long),
        }

    def network(self) -> VilbertNetwork:
        return VilbertNetwork.from_original(self.folder).to(self.dtype)

    def match(self, text: str) -> float:
        return self.network().itm_logits(**self.asked(text))[0].softmax(-1)[0].item()

    def at_tokens(self, text: str) -> Tensor:
        return self.network().mlm_logits(**self.asked(text))[0]

    def of_regions(self, text: str) -> Tensor:
        return self.network().region_logits(**self.asked(text))[0, 1:]


BY_HAND = {"lxmert": LxmertByHand, "visual_bert": VisualBertByHand, "vilbert": VilbertByHand}


@pytest.fixture
def by_hand(folder_of: dict[str, Path], sources: list[ImageFile], detector: Path) -> Callable[[str, str], list[ByHand]]:
    def make(family: str, dtype: str = "float64") -> list[ByHand]:
        """One for each photograph."""
        regions = [dict(np.load(detector / f"{source.path.stem}.npz")) for source in sources]
        sizes = [source.size for source in sources]
        return [BY_HAND[family](folder_of[family], dtype, *seen) for seen in zip(sizes, regions, strict=True)]

    return make


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_a_match_is_what_the_network_says(
    family: str,
    dtype: str,
    atol: float,
    loaded: Callable[..., VisionLanguageModel],
    by_hand: Callable[[str, str], list[ByHand]],
    photographs: list[Image.Image],
) -> None:
    model = loaded(family, dtype)
    theirs = [hand.match(text) for hand, text in zip(by_hand(family, dtype), TEXTS, strict=True)]
    np.testing.assert_allclose(model.itm(model.encode(photographs), TEXTS), theirs, rtol=0, atol=atol)
    assert len(set(np.round(theirs, 3))) == 3


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_a_word_at_the_mask_is_what_the_network_says(
    family: str,
    dtype: str,
    atol: float,
    loaded: Callable[..., VisionLanguageModel],
    by_hand: Callable[[str, str], list[ByHand]],
    photographs: list[Image.Image],
) -> None:
    model = loaded(family, dtype)
    found = model.mlm(model.encode(photographs), MASKED, WORDS)
    for probs, hand, text, words in zip(found, by_hand(family, dtype), MASKED, WORDS, strict=True):
        theirs = [hand.fill(text, word) for word in words]
        np.testing.assert_allclose(probs, theirs, rtol=0, atol=atol)
        assert len(set(theirs)) == len(words)


@pytest.mark.parametrize("size", [1, 7, 32])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_score_does_not_depend_on_what_is_asked_beside_it(
    family: str, size: int, loaded: Callable[..., VisionLanguageModel], photographs: list[Image.Image]
) -> None:
    model = loaded(family)
    rows, alone = [number % 3 for number in range(size)], [model.encode([image]) for image in photographs]
    encoded = model.encode(photographs)[rows]
    match = model.itm(encoded, [TEXTS[number // 3 % 3] for number in range(size)])
    fill = model.mlm(encoded, [MASKED[number // 3 % 3] for number in range(size)], [WORDS[1]] * size)
    for number, row in enumerate(rows):
        text = number // 3 % 3
        np.testing.assert_allclose(match[number], model.itm(alone[row], [TEXTS[text]])[0], rtol=0, atol=1e-10)
        np.testing.assert_allclose(
            fill[number], model.mlm(alone[row], [MASKED[text]], [WORDS[1]])[0], rtol=0, atol=1e-10
        )


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_taken_out_regions_are_zeros_where_they_were(
    family: str,
    loaded: Callable[..., VisionLanguageModel],
    by_hand: Callable[[str], list[ByHand]],
    sources: list[ImageFile],
) -> None:
    """All of the first photograph's, and the one of the second's that is inside of itself."""
    first, second, _ = by_hand(family)
    x1, y1, x2, y2 = second.boxes[4].tolist()
    box = Box(x1, y1, x2 - x1, y2 - y1)
    inside = torch.tensor([_share(box, other) > 0.5 for other in second.boxes.tolist()])
    assert inside[4]
    assert not inside.all()
    images = [TakeOut(boxes).edit(source.open()) for source, boxes in zip(sources, [(), (box,)], strict=False)]
    model = loaded(family)
    found = model.itm(model.encode(images), TEXTS[:2])
    whole = [hand.match(text) for hand, text in zip((first, second), TEXTS, strict=False)]
    first.features[:], second.features[inside] = 0, 0
    theirs = [hand.match(text) for hand, text in zip((first, second), TEXTS, strict=False)]
    np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-10)
    assert np.abs(np.subtract(whole, theirs)).min() > 1e-4


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize(("family", "first_class"), [("lxmert", 0), ("vilbert", 1)])
@torch.inference_mode()
def test_the_class_of_what_was_taken_out_is_what_the_network_says(
    family: str,
    first_class: int,
    dtype: str,
    atol: float,
    loaded: Callable[..., VisionLanguageModel],
    by_hand: Callable[..., list[ByHand]],
    sources: list[ImageFile],
) -> None:
    """All regions of one photograph and one of another, with and without the word in the text, in one batch."""
    hands = by_hand(family, dtype)[:2]
    x1, y1, x2, y2 = hands[1].boxes[4].tolist()
    box = Box(x1, y1, x2 - x1, y2 - y1)
    gone = [torch.ones(5, dtype=torch.bool), torch.tensor([_share(box, one) > 0.5 for one in hands[1].boxes.tolist()])]
    images = [TakeOut(boxes).edit(source.open()) for source, boxes in zip(sources, [(), (box,)], strict=False)]
    words = [("bus", "coach", "dog"), ("zebra",)]  # a bus is called a coach as well
    texts = [TEXTS[0], MASKED[1]]
    model: Any = loaded(family, dtype)
    assert model.kinds["mrc"] == "masked-region"
    found = model.mrc(model.encode(images), texts, words)
    for hand, out, text, asked, probs in zip(hands, gone, texts, words, found, strict=True):
        hand.features[out] = 0
        of_classes = hand.of_regions(text)[out].double().softmax(-1).mean(0)
        numbers = {"bus": 0, "coach": 0, "dog": 1, "zebra": 3}
        theirs = [of_classes[first_class + numbers[word]].item() for word in asked]
        np.testing.assert_allclose(probs, theirs, rtol=0, atol=atol)


@pytest.mark.parametrize("family", ["lxmert", "vilbert"])
def test_what_cannot_be_told_of_regions_is_no_question(
    family: str, loaded: Callable[..., VisionLanguageModel], sources: list[ImageFile]
) -> None:
    model: Any = loaded(family)
    whole, ablated = model.encode([sources[0].open()]), model.encode([TakeOut().edit(sources[0].open())])
    with pytest.raises(NotApplicable, match="no region was taken out"):
        model.mrc(whole, TEXTS[:1], [("bus",)])
    with pytest.raises(NotApplicable, match="no class of regions of that name"):
        model.mrc(ablated, TEXTS[:1], [("frisbee",)])


def test_class_names_are_as_many_as_the_head_has(folder_of: dict[str, Path], detector: Path, tmp_path: Path) -> None:
    for family, prefix, size in (
        ("lxmert", "", len(checkpoints.CLASSES)),
        ("vilbert", "vilbert:", 1 + len(checkpoints.CLASSES)),
    ):
        folder = shutil.copytree(folder_of[family], tmp_path / family)
        (folder / "objects_vocab.txt").write_text("bus\ndog\n")
        with pytest.raises(UsageError, match=rf"objects_vocab\.txt: 2 classes; the model has {size}, or {size - 1}"):
            load_model(f"{prefix}{folder},regions={detector}")
        (folder / "objects_vocab.txt").unlink()
        model: Any = load_model(f"{prefix}{folder},regions={detector}")
        assert model.metrics == {"mlm", "itm"}
        assert "objects_vocab.txt" in model.lacks["mrc"]


def _share(target: Box, other: list[float]) -> float:
    """How much of a target is in another box of two corners."""
    x1, y1, x2, y2 = other
    width = min(x2, target.x + target.width) - max(x1, target.x)
    height = min(y2, target.y + target.height) - max(y1, target.y)
    return max(0.0, width) * max(0.0, height) / target.area


@pytest.mark.parametrize("family", FAMILIES)
def test_what_no_detector_looked_at_is_told_when_it_is_asked_about(
    family: str, loaded: Callable[..., VisionLanguageModel], photographs: list[Image.Image]
) -> None:
    model = loaded(family)
    encoded = model.encode([photographs[0], Grayscale().edit(photographs[0]), photographs[1]])
    theirs = model.itm(model.encode(photographs[:2]), TEXTS[:2])
    np.testing.assert_allclose(model.itm(encoded[[0, 2]], TEXTS[:2]), theirs, rtol=0, atol=1e-10)
    with pytest.raises(NotApplicable, match="unedited photographs only"):
        model.itm(encoded, TEXTS)
    with pytest.raises(NotApplicable, match="unedited photographs only"):
        model.mlm(encoded[[2, 1]], MASKED[:2], WORDS[:2])


def test_a_run_says_which_perturbations_cannot_be_asked(
    loaded: Callable[..., VisionLanguageModel], sources: list[ImageFile], tmp_path: Path
) -> None:
    """In one batch: the photograph, and what was taken out of it, have answers; the grey one has a reason."""
    model = loaded("lxmert")
    shown = Picture(sources[0])
    pictures = [shown, shown.then(Grayscale()), shown.then(TakeOut())]
    queries = [Query("itm", picture, TEXTS[0]) for picture in pictures]
    queries += [Query("mlm", picture, MASKED[0], ("bus", "dog")) for picture in pictures]
    with ScoreStore(tmp_path / "scores.db", model.fingerprint) as store:
        CachedScorer(Scorer(model), store).run(make_plan(queries))
        answers = store.get_many(queries)
    whole, grey, ablated = (answers[query.key] for query in queries[:3])
    assert "unedited photographs only" in grey.unasked
    assert "unedited photographs only" in answers[queries[4].key].unasked
    assert abs(whole.values[0] - ablated.values[0]) > 1e-4
    assert answers[queries[3].key].values != answers[queries[5].key].values


class Counting:
    """An extractor that counts how often it is asked to look."""

    def __init__(self, inner: RegionExtractor) -> None:
        self.inner, self.fingerprint, self.width, self.looks = inner, inner.fingerprint, inner.width, 0

    def __call__(self, image: Image.Image) -> Regions:
        self.looks += 1
        return self.inner(image)


@pytest.mark.parametrize("family", FAMILIES)
def test_regions_are_extracted_once_for_all_texts_of_an_image(
    family: str, loaded: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    model = loaded(family)
    model.extractor = Counting(model.extractor)
    encoded = model.encode(photographs)
    for row in range(3):
        model.itm(encoded[[row] * 3], TEXTS)
        model.mlm(encoded[[row] * 3], MASKED, WORDS)
    assert model.extractor.looks == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_the_likeliest_words_come_with_their_probabilities(
    family: str, loaded: Callable[..., Any], photographs: list[Image.Image]
) -> None:
    model = loaded(family)
    encoded = model.encode(photographs)
    for row, top in enumerate(model.top(encoded, MASKED, 30)):
        assert len(top) == 30
        word, probability = next((word, p) for word, p in top if word in checkpoints.WORDS + tuple(checkpoints.LETTERS))
        asked = model.mlm(encoded[[row]], [MASKED[row]], [(word,)])
        assert asked[0][0] == pytest.approx(probability)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_fingerprint_is_also_that_of_the_regions(
    family: str, folder_of: dict[str, Path], detector: Path, tmp_path: Path
) -> None:
    spec = spec_of(family, folder_of, detector)
    model = load_model(spec)
    assert model.name == spec
    assert model.fingerprint == load_model(spec).fingerprint
    np.savez(tmp_path / "one.npz", boxes=np.array([[0, 0, 9, 9]]), features=np.ones((1, checkpoints.REGION)))
    others = [load_model(spec_of(family, folder_of, tmp_path)), load_model(spec, dtype="bfloat16")]
    assert len({model.fingerprint, *(other.fingerprint for other in others)}) == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_regions_without_a_detector_is_told_how_to_name_one(
    family: str, folder_of: dict[str, Path], tmp_path: Path
) -> None:
    bare, _, _ = spec_of(family, folder_of, tmp_path).partition(",")
    with pytest.raises(UsageError, match=r"model=.*reads regions of a detector: name one with ,regions=DETECTOR after"):
        load_model(bare)
    np.savez(tmp_path / "one.npz", boxes=np.array([[0, 0, 9, 9]]), features=np.ones((1, 4)))
    with pytest.raises(UsageError, match="its regions have 4 features; the model reads 6"):
        load_model(f"{bare},regions={tmp_path}")


def test_a_model_of_pixels_is_told_to_leave_the_detector_out(detector: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CLIPModel reads pixels, not regions: leave out ,regions="):
        load_model(f"{checkpoints.clip(tmp_path)},regions={detector}")


def test_a_vocabulary_of_another_length_than_vilberts_is_refused(detector: Path, tmp_path: Path) -> None:
    checkpoints.vilbert(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(checkpoints.vocabulary()[:-1]))
    with pytest.raises(UsageError, match=r"vocab\.txt: the vocabulary has \d+ entries, the network \d+"):
        load_model(f"vilbert:{tmp_path},regions={detector}")


def test_a_detector_looks_at_any_picture(
    folder_of: dict[str, Path], photographs: list[Image.Image], tmp_path: Path
) -> None:
    """With weights in place of files an edited picture has regions as well; a strip, which is soon looked at."""
    network = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    network.roi_heads.box_head = TwoMLPHead(256 * 49, checkpoints.REGION)
    network.roi_heads.box_predictor = FastRCNNPredictor(checkpoints.REGION, 4)
    torch.save(network.state_dict(), tmp_path / "detector.pth")
    model = load_model(f"{folder_of['lxmert']},regions={tmp_path / 'detector.pth'}")
    strip = photographs[0].crop((0, 100, photographs[0].width, 120))
    scores = model.itm(model.encode([strip, Grayscale().edit(strip)]), TEXTS[:1] * 2)
    assert np.isfinite(scores).all()
    assert scores[0] != scores[1]
