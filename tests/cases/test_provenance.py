from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageOps

from vlcheck.cases.case import Box, ImageFile
from vlcheck.cases.provenance import Ablation, ablation_of, note_ablation, noted_file

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
