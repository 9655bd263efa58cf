from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

from tests.scoring.counting import Brighten, Refuse, Upend, broken_photograph, photograph
from vlcheck.cases.case import ImageSource
from vlcheck.cases.image_notes import pixel_sha256
from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.scoring.render import render_all, thumbnail_jpeg


@dataclass(frozen=True)
class Opened:
    """A source that notes each time it is opened."""

    origin: ImageSource
    times: list[int] = field(default_factory=list, compare=False)

    @property
    def key(self) -> str:
        return self.origin.key

    @property
    def size(self) -> tuple[int, int]:
        return self.origin.size

    def open(self) -> Image.Image:
        self.times.append(1)
        return self.origin.open()


def test_pixels_are_those_that_each_picture_renders_by_itself(tmp_path: Path) -> None:
    picture = photograph(tmp_path, 1)
    pictures = [picture, picture.then(Upend()), picture.then(Upend()).then(Brighten(9)), photograph(tmp_path, 2)]

    rendered = [image for _, image in render_all(pictures)]

    assert [image for image in rendered if isinstance(image, Answer)] == []
    assert rendered == [picture.render() for picture in pictures]


def test_a_source_is_decoded_once_for_all_its_edits(tmp_path: Path) -> None:
    source = Opened(photograph(tmp_path, 1).source)
    pictures = [Picture(source), Picture(source).then(Upend()), Picture(source).then(Brighten(1))]

    rendered = list(render_all(pictures))

    assert len(rendered) == 3
    assert len(source.times) == 1


def test_the_picture_that_comes_back_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    pictures = [photograph(tmp_path, 1).then(Upend()), broken_photograph(tmp_path)]

    assert [picture.key for picture, _ in render_all(pictures)] == [picture.key for picture in pictures]


def test_a_file_that_does_not_decode_is_an_error_for_all_its_edits_and_no_other(tmp_path: Path) -> None:
    broken = broken_photograph(tmp_path)

    one, two, three = (outcome for _, outcome in render_all([broken, broken.then(Upend()), photograph(tmp_path, 1)]))

    assert one == two
    assert isinstance(one, Answer)
    assert one.error.startswith(f"{tmp_path / 'broken.png'}: not a picture that decodes")
    assert isinstance(three, Image.Image)


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ((Refuse(),), "no use for 24 pixels"),
        ((Upend(), Refuse()), "no use for 24 pixels"),
        ((Brighten(0),), "the perturbation changed nothing"),
        ((Upend(), Upend()), "the perturbation changed nothing"),
    ],
)
def test_an_edit_that_does_not_apply_or_changes_nothing_leaves_the_question_unasked(
    tmp_path: Path, edits: tuple[Upend | Refuse | Brighten, ...], reason: str
) -> None:
    picture = replace(photograph(tmp_path, 1), edits=edits)

    assert [outcome for _, outcome in render_all([picture])] == [Answer(unasked=reason)]


def test_a_crop_is_a_change_though_its_pixels_are_the_same(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class TopHalf:
        name: ClassVar[str] = "top half"
        version: ClassVar[int] = 1

        def edit(self, image: Image.Image) -> Image.Image:
            return image.crop((0, 0, image.width, image.height // 2))

    (outcome,) = (outcome for _, outcome in render_all([photograph(tmp_path, 1).then(TopHalf())]))

    assert isinstance(outcome, Image.Image)
    assert outcome.size == (24, 8)


def test_pictures_of_equal_bytes_and_other_shape_differ() -> None:
    assert pixel_sha256(Image.new("RGB", (2, 3))) != pixel_sha256(Image.new("RGB", (3, 2)))


@pytest.mark.parametrize(
    ("size", "shrunk"), [((1024, 512), (256, 128)), ((300, 600), (128, 256)), ((40, 30), (40, 30))]
)
def test_a_thumbnail_is_a_jpeg_of_at_most_256_pixels(size: tuple[int, int], shrunk: tuple[int, int]) -> None:
    original = Image.new("RGB", size, (200, 30, 30))

    with Image.open(io.BytesIO(thumbnail_jpeg(original))) as small:
        assert (small.format, small.size) == ("JPEG", shrunk)
        red, green, _ = small.convert("RGB").getpixel((5, 5))

    assert abs(red - 200) < 6
    assert abs(green - 30) < 6
    assert original.size == size
