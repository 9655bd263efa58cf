"""torchvision's Faster R-CNN with random weights, of both variants; pictures are strips, which are soon looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models.detection import (
    FasterRCNN_ResNet50_FPN_Weights,
    fasterrcnn_resnet50_fpn,
    fasterrcnn_resnet50_fpn_v2,
)
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.transforms.functional import to_tensor

from tests.models.conftest import three_shapes
from vlcheck.cases.case import ImageFile
from vlcheck.errors import UsageError
from vlcheck.models.regions.detector import REGIONS, FasterRcnn

pytestmark = pytest.mark.slow

BUILD = {"first": fasterrcnn_resnet50_fpn, "second": fasterrcnn_resnet50_fpn_v2}
SIDE = 64  # pixels


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def make(variant: str) -> Path:
        if variant not in made:
            made[variant] = tmp_path_factory.mktemp("detector") / f"{variant}.pth"
            with torch.random.fork_rng():
                torch.manual_seed(3)
                network = BUILD[variant](weights=None, weights_backbone=None, num_classes=91)
            torch.save(network.state_dict(), made[variant])
        return made[variant]

    return make


@pytest.fixture(scope="module")
def strip(coco_root: Path) -> Image.Image:
    image = ImageFile(three_shapes(coco_root)[0]).open()
    return image.crop((0, 100, image.width, 160))


@pytest.mark.parametrize("variant", list(BUILD))
@torch.inference_mode()
def test_boxes_and_labels_are_those_that_torchvision_finds(
    variant: str, weights: Callable[[str], Path], strip: Image.Image
) -> None:
    theirs = BUILD[variant](
        weights=None,
        weights_backbone=None,
        num_classes=91,
        min_size=SIDE,
        box_score_thresh=0,
        box_detections_per_img=REGIONS,
    ).eval()
    theirs.load_state_dict(torch.load(weights(variant), weights_only=True))
    (expected,) = theirs([to_tensor(strip)])
    found = FasterRcnn.load(weights(variant), side=SIDE)(strip)
    torch.testing.assert_close(found.boxes, expected["boxes"].double())
    names = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    assert found.labels == tuple(names[label] for label in expected["labels"].tolist())
    assert found.boxes.shape == (REGIONS, 4)


@torch.inference_mode()
def test_features_are_the_box_heads_of_each_box(weights: Callable[[str], Path], strip: Image.Image) -> None:
    detector = FasterRcnn.load(weights("first"), side=SIDE)
    network = detector.network
    found = detector(strip)
    images, _ = network.transform([to_tensor(strip)])
    height, width = images.image_sizes[0]
    scaled = found.boxes.float() * torch.tensor([width / strip.width, height / strip.height] * 2)
    for row in (0, 17, 35):
        pooled = network.roi_heads.box_roi_pool(network.backbone(images.tensors), [scaled[[row]]], images.image_sizes)
        torch.testing.assert_close(
            found.features[[row]].float(), network.roi_heads.box_head(pooled), rtol=1e-3, atol=1e-3
        )
    assert found.features.shape == (REGIONS, 1024)
    assert len(found.features.unique(dim=0)) > REGIONS / 2


def test_a_picture_has_the_same_regions_each_time_and_another_has_others(
    weights: Callable[[str], Path], strip: Image.Image
) -> None:
    first, again = (FasterRcnn.load(weights("first"), side=SIDE) for _ in range(2))
    torch.manual_seed(8)
    seen, mirrored = first(strip), first(strip.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    torch.manual_seed(9)
    assert torch.equal(seen.features, again(strip).features)
    assert torch.equal(seen.boxes, first(strip).boxes)
    assert not torch.equal(seen.features, mirrored.features)


def test_a_black_picture_has_regions_as_well(weights: Callable[[str], Path]) -> None:
    found = FasterRcnn.load(weights("first"), side=SIDE)(Image.new("RGB", (90, 30)))
    assert len(found.boxes) == len(found.features) == REGIONS
    assert found.boxes.min() >= 0
    assert (found.boxes.amax(0)[2:] <= torch.tensor([90, 30]) + 1e-3).all()


def test_a_wider_box_head_and_other_classes_are_read_off_the_weights(tmp_path: Path, strip: Image.Image) -> None:
    network = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    network.roi_heads.box_head, network.roi_heads.box_predictor = TwoMLPHead(256 * 49, 24), FastRCNNPredictor(24, 7)
    state = {name: weight for name, weight in network.state_dict().items() if "num_batches_tracked" not in name}
    torch.save({"model": state, "epoch": 3}, tmp_path / "mine.pth")
    detector = FasterRcnn.load(tmp_path / "mine.pth", side=SIDE)
    assert detector.width == 24
    found = detector(strip)
    assert found.features.shape == (REGIONS, 24)
    assert found.labels is None


def test_loading_draws_nothing_from_torchs_random_numbers(weights: Callable[[str], Path]) -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    FasterRcnn.load(weights("first"))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_fingerprint_changes_with_the_weights_and_the_scale(weights: Callable[[str], Path], tmp_path: Path) -> None:
    state = torch.load(weights("first"), weights_only=True)
    state["roi_heads.box_head.fc7.bias"][0] += 1
    torch.save(state, tmp_path / "other.pth")
    path = weights("first")
    prints = [FasterRcnn.load(path).fingerprint, FasterRcnn.load(tmp_path / "other.pth").fingerprint]
    assert len({*prints, FasterRcnn.load(path, side=SIDE).fingerprint}) == 3
    assert FasterRcnn.load(path).fingerprint == prints[0]


def test_weights_of_something_else_are_refused(weights: Callable[[str], Path], tmp_path: Path) -> None:
    state = torch.load(weights("first"), weights_only=True)
    cases = {
        r"lack roi_heads\.box_head\.fc7\.weight or": {"weight": torch.ones(2)},
        r"lacks backbone\.body\.conv1\.weight": {n: w for n, w in state.items() if n != "backbone.body.conv1.weight"},
        "has unknown mask_head": {**state, "mask_head": torch.ones(2)},
        r"backbone\.body\.conv1\.weight has shape \(2,\)": {**state, "backbone.body.conv1.weight": torch.ones(2)},
        r"roi_heads\.box_predictor\.cls_score\.weight has shape \(91,\)": {
            **state,
            "roi_heads.box_predictor.cls_score.weight": torch.ones(91),
        },
    }
    for complaint, wrong in cases.items():
        torch.save(wrong, tmp_path / "wrong.pth")
        with pytest.raises(UsageError, match=rf"wrong\.pth: .*{complaint}"):
            FasterRcnn.load(tmp_path / "wrong.pth")


def test_torchvisions_own_first_weights_are_normalised_without_epsilon(
    weights: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, strip: Image.Image
) -> None:
    """They are known by their digest, which is in their file's name; here random weights are given that name."""
    usual = FasterRcnn.load(weights("first"), side=SIDE)
    digest = usual.fingerprint.split()[-1]
    monkeypatch.setattr(FasterRCNN_ResNet50_FPN_Weights.COCO_V1.value, "url", f"https://x/fasterrcnn-{digest[:8]}.pth")
    published = FasterRcnn.load(weights("first"), side=SIDE)
    assert {usual.network.backbone.body.bn1.eps, published.network.backbone.body.bn1.eps} == {1e-5, 0}
    assert not np.array_equal(usual(strip).features, published(strip).features)
