from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from vlcheck.cases import image_notes
from vlcheck.cases.box import Box
from vlcheck.cases.case import ImageFile
from vlcheck.cases.image_notes import Ablation, ablation_of, note_ablation, noted_file, pixel_sha256, strips

TURNED = 6  # an EXIF orientation


@pytest.fixture
def photograph(tmp_path: Path) -> ImageFile:
    image, exif = Image.linear_gradient("L").resize((30, 20)).convert("RGB"), Image.Exif()
    exif[0x0112] = TURNED
    image.save(tmp_path / "photograph.png", exif=exif)
    return ImageFile(tmp_path / "photograph.png")


def test_a_photograph_says_of_which_file_it_is_whatever_is_made_of_it(photograph: ImageFile) -> None:
    image = photograph.open()
    assert image.size == (20, 30)
    assert noted_file(image) == noted_file(ImageOps.mirror(image.copy().convert("RGB"))) == photograph.path


def test_a_picture_without_a_file_says_of_none() -> None:
    assert noted_file(Image.new("RGB", (2, 2))) is None


def test_what_was_taken_out_of_a_picture_is_told_until_it_is_edited(photograph: ImageFile) -> None:
    ablation = Ablation(photograph.open(), (Box(0, 0, 5, 5),))
    image = Image.linear_gradient("L").convert("RGB")
    note_ablation(image, ablation)
    assert ablation_of(image.copy()) == ablation
    assert ablation_of(ImageOps.flip(image)) is None
    assert ablation_of(photograph.open()) is None


def test_pixels_are_digested_by_strips_as_the_whole_would_be(
    photograph: ImageFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = photograph.open()
    monkeypatch.setattr(image_notes, "_STRIP", 7 * image.width)
    assert [strip[1::2] for strip in strips(image.size)] == [(0, 7), (7, 14), (14, 21), (21, 28), (28, 30)]
    assert pixel_sha256(image) == hashlib.sha256(b"RGB 20x30 " + image.tobytes()).hexdigest()


def test_an_opened_photograph_is_a_picture_of_its_own_that_no_file_is_read_for(photograph: ImageFile) -> None:
    image = photograph.open()
    assert type(image) is Image.Image
    assert image is not photograph.open()
