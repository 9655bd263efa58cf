from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from vlcheck.cases.box import Box
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.regions.extractor import find_extractor
from vlcheck.models.regions.regions import Regions, overlap, regions_of
from vlcheck.perturb.regions import TakeOut


class Quarters:
    """Finds the quarters of any picture, and as their one feature how bright they are."""

    fingerprint, width = "quarters", 1

    def __call__(self, image: Image.Image) -> Regions:
        boxes = [(left, top, left + 0.5, top + 0.5) for top in (0, 0.5) for left in (0, 0.5)]
        placed = torch.tensor(boxes).double() * torch.tensor(image.size).repeat(2)
        light = [float(np.array(image.crop((*map(int, box),))).mean()) for box in placed.tolist()]
        return Regions(placed, torch.tensor(light).double()[:, None], ("a", "b", "c", "d"))


@pytest.fixture
def picture() -> Image.Image:
    """Quarters of brightness 10, 20, 30 and 40, each 20 x 10 pixels."""
    quarters = np.array([[10, 20], [30, 40]], dtype=np.uint8).repeat(10, 0).repeat(20, 1)
    return Image.fromarray(quarters).convert("RGB")


def test_overlap_is_the_share_of_the_target() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 5, 6, 6], [20, 20, 30, 30]])
    targets = torch.tensor([[5.0, 0, 15, 10], [0, 0, 10, 10]])
    assert overlap(boxes, targets).numpy() == pytest.approx(np.array([[0.5, 1], [0.01, 0.01], [0, 0]]))


@pytest.mark.parametrize(
    ("boxes", "left"),
    [
        ((Box(2, 2, 3, 3),), [0, 20, 30, 40]),
        ((Box(2, 2, 3, 3), Box(25, 12, 9, 3)), [0, 20, 30, 0]),
        ((Box(0, 4, 20, 10),), [0, 20, 30, 40]),  # 0.6 and 0.4 of it
        ((), [0, 0, 0, 0]),
    ],
)
def test_regions_that_hold_more_than_half_of_a_box_are_taken_out(
    picture: Image.Image, boxes: tuple[Box, ...], left: list[float]
) -> None:
    whole = Quarters()(picture)
    found = regions_of(Quarters(), TakeOut(boxes).edit(picture).copy())
    assert found.features[:, 0].tolist() == left
    assert torch.equal(found.boxes, whole.boxes)
    assert found.labels == whole.labels


def test_what_was_taken_out_before_stays_out(picture: Image.Image) -> None:
    once = TakeOut((Box(2, 2, 3, 3),)).edit(picture)
    assert regions_of(Quarters(), TakeOut((Box(25, 12, 9, 3),)).edit(once)).features[:, 0].tolist() == [0, 20, 30, 0]


def test_a_box_that_no_region_holds_is_a_reason(picture: Image.Image) -> None:
    with pytest.raises(NotApplicable, match="no region of the detector holds more than half"):
        regions_of(Quarters(), TakeOut((Box(15, 5, 10, 10),)).edit(picture))


def test_a_picture_that_was_edited_afterwards_is_looked_at_as_it_is(picture: Image.Image) -> None:
    edited = ImageOps.mirror(TakeOut((Box(0, 0, 20, 10),)).edit(picture))
    assert regions_of(Quarters(), edited).features[:, 0].tolist() == [20, 27, 40, 30]  # 27 is the color around


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("", "it reads regions of a detector: name one with ,regions=DETECTOR .*Faster R-CNN, .*NAME.npz"),
        ("gone.pth", "gone.pth: no such file or folder; name one with ,regions=DETECTOR"),
        (".", "holds no .npz"),
        ("regions.txt", "regions.txt: not a checkpoint by its name"),
    ],
)
def test_what_is_no_detector_is_told_what_is_one(
    said: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("regions.txt").write_text("1 2 3 4")
    with pytest.raises(UsageError, match=complaint):
        find_extractor(said, device="cpu", width=8)


def test_regions_of_another_width_than_the_models_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "1.npz", boxes=np.array([[0, 0, 9, 9]]), features=np.ones((1, 8)))
    assert find_extractor(str(tmp_path), device="cpu", width=8).width == 8
    with pytest.raises(UsageError, match="its regions have 8 features; the model reads 2048"):
        find_extractor(str(tmp_path), device="cpu", width=2048)
