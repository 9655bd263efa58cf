"""What the edits of pictures do to pixels and boxes, on a drawn scene and on made-up pixels."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from PIL import Image

from vlcheck.cases import Box, Case, image_notes
from vlcheck.cases.view import View
from vlcheck.datasets.scenes.sampling import alone
from vlcheck.errors import NotApplicable
from vlcheck.perturb import (
    CELLS,
    AsMuchNoise,
    Bare,
    Block,
    Blur,
    Brightness,
    Compose,
    Crop,
    CutOut,
    Grayscale,
    Jpeg,
    LuminanceNoise,
    RotateHue,
    UpsideDown,
    noise,
)
from vlcheck.perturb.color import Tint
from vlcheck.perturb.place import Paste


def view(word="ball", color="red", seed=1):
    scene = alone(Random(seed), word, color)
    return View.of(Case(id="one", image=scene, caption=f"a {word}", target=word, region=(scene.things[0].box,)))


def pixels(of):
    return np.asarray(of.picture.render(), dtype=int)


def reddish(image):
    return (image[..., 0] - image[..., 1:].max(axis=2)) > 60


def test_upside_down_turns_pixels_and_boxes_and_twice_is_nothing():
    before = view()
    once = UpsideDown()(before, ())
    assert (pixels(once) == pixels(before)[::-1]).all()
    (box,), (turned,) = before.region, once.region
    assert turned.y == pytest.approx(128 - box.y - box.height)
    assert (pixels(UpsideDown()(once, ())) == pixels(before)).all()


@pytest.mark.parametrize("cell", CELLS)
def test_a_cut_out_lies_in_its_cell_and_nothing_else_does(cell):
    after = CutOut(cell)(view(), ())
    rows, columns = np.nonzero(reddish(pixels(after)))
    row, column = divmod(CELLS.index(cell), 3)
    assert len(rows) > 300
    assert row * 128 / 3 - 1 <= rows.min() <= rows.max() <= (row + 1) * 128 / 3 + 1
    assert column * 128 / 3 - 1 <= columns.min() <= columns.max() <= (column + 1) * 128 / 3 + 1
    (box,) = after.region
    outside = np.ones((128, 128), dtype=bool)
    outside[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width)] = False
    assert len(np.unique(pixels(after)[outside], axis=0)) == 1


def test_the_ground_of_a_cut_out_is_the_pictures_mean_colour():
    before = view()
    corner = pixels(CutOut("bottom right")(before, ()))[0, 0]
    assert np.abs(corner - pixels(before).mean(axis=(0, 1))).max() <= 0.5


def test_a_cut_out_is_moved_on_without_another_loss():
    middle = CutOut("middle")(view(), ())
    moved = CutOut("top left")(middle, ())
    (here,), (there,) = middle.region, moved.region
    assert (here.width, here.height) == (there.width, there.height)
    assert (crop(middle) == crop(moved)).all()
    assert (pixels(middle)[-1, -1] == pixels(moved)[-1, -1]).all()  # on the same ground
    assert moved.picture == CutOut("top left")(view(), ()).picture


def crop(of):
    (box,) = of.region
    return pixels(of)[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width)]


def test_what_is_larger_than_a_cell_is_scaled_down_and_what_is_smaller_is_left():
    assert Paste(Box(0, 0, 90, 30), "top").place((90, 90)) == Box(30, 10, 30, 10)
    assert Paste(Box(5, 5, 10, 10), "middle").place((90, 90)) == Box(40, 40, 10, 10)


@pytest.mark.parametrize("boxes", [(), (Box(0, 0, 5, 5), Box(9, 9, 5, 5))], ids=["none", "two"])
def test_a_cut_out_needs_one_box(boxes):
    with pytest.raises(NotApplicable, match="places, not in one"):
        CutOut("top")(replace(view(), region=boxes), ())


def test_there_are_nine_cells():
    assert len(set(CELLS)) == 9
    with pytest.raises(ValueError, match="is none of top left"):
        CutOut("centre")


def test_a_rotated_hue_makes_red_cyan_inside_the_box_and_changes_nothing_outside():
    before = view()
    after = RotateHue()(before, ())
    old, new = pixels(before), pixels(after)
    (box,) = before.region
    inside = np.zeros((128, 128), dtype=bool)
    inside[int(box.y) : int(np.ceil(box.y + box.height)), int(box.x) : int(np.ceil(box.x + box.width))] = True
    assert (old[~inside] == new[~inside]).all()
    was_red = reddish(old)
    assert was_red.sum() > 300
    assert (new[was_red][:, 0] < new[was_red][:, 1:].min(axis=1)).all()
    assert np.abs(new.max(axis=2) - old.max(axis=2)).max() <= 3  # HSV's value stays


@pytest.mark.parametrize("color", ["white", "black", "gray"])
def test_what_has_no_colour_has_no_hue_to_rotate(color):
    with pytest.raises(NotApplicable, match="no color that could be another"):
        pixels(RotateHue()(view("box", color), ()))


@pytest.mark.parametrize("perturbation", [Jpeg(), Blur(), Brightness(0.8), Brightness(1.2), Crop()], ids=str)
def test_what_every_picture_goes_through_changes_it_a_little(perturbation):
    before = view()
    old, new = pixels(before), pixels(perturbation(before, ()))
    assert old.shape == new.shape
    error = np.sqrt(np.mean((new - old) ** 2))
    assert 0.5 < error < 45


def test_brightness_is_of_every_level():
    old, new = pixels(view()), pixels(Brightness(0.8)(view(), ()))
    assert np.abs(new - 0.8 * old).max() <= 1


def test_a_crop_moves_the_boxes_with_what_they_are_around():
    before = view("box", "red")
    after = Crop(0.1)(before, ())
    rows, columns = np.nonzero(reddish(pixels(after)))
    (box,) = after.region
    assert box.x - 2 <= columns.min() <= columns.max() <= box.x + box.width + 2
    assert box.y - 2 <= rows.min() <= rows.max() <= box.y + box.height + 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Jpeg(0), "quality is 0; it has to be from 1 to 95"),
        (lambda: Crop(0.5), "between 0 and 0.5"),
        (lambda: Blur(0.0), "radius is 0 .* between 0 and 1"),
        (lambda: Brightness(-1.0), "factor is -1; it has to be 0 or more"),
        (lambda: RotateHue(360), "between 0 and 360"),
    ],
    ids=["jpeg", "crop", "blur", "brightness", "hue"],
)
def test_parameters_are_checked(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize("color", ["red", "yellow", "black"])
def test_noise_changes_luminance_as_much_as_grey_changes_the_picture(color):
    before = view("box", color)
    old = pixels(before)
    grey, noisy = pixels(Grayscale()(before, ())), pixels(LuminanceNoise(Grayscale())(before, ()))

    def error(new):
        return np.sqrt(np.mean((new - old) ** 2))

    assert error(grey) > 1
    assert error(noisy) == pytest.approx(error(grey), abs=0.05)
    change = noisy - old
    free = ((noisy > 0) & (noisy < 255)).all(axis=2)
    assert np.ptp(change[free], axis=1).max() <= 1  # the same in every channel, but for rounding
    assert (noisy == pixels(LuminanceNoise(Grayscale())(before, ()))).all()


@pytest.mark.parametrize("like", [Grayscale(), RotateHue()])
def test_noise_in_a_perturbations_place_is_noise_as_large_as_its_edit(like):
    before = view("box", "red")
    after, noisy = like(before, ()), AsMuchNoise(like)(before, ())
    assert noisy.text == before.text
    error, other = (np.sqrt(np.mean((pixels(one) - pixels(before)) ** 2)) for one in (after, noisy))
    assert other == pytest.approx(error, abs=0.05)
    assert (pixels(noisy) != pixels(after)).any()


@pytest.mark.parametrize("like", [Bare(), Compose(Grayscale(), Blur())])
def test_what_is_not_one_edit_of_the_picture_has_no_noise_as_large(like):
    before = view()
    before = View.of(replace(before.case, bare="a [MASK]"))
    with pytest.raises(NotApplicable, match="not one edit"):
        AsMuchNoise(like)(before, ())


def test_noise_is_not_asked_where_there_is_no_colour_to_lose():
    grey = Image.new("RGB", (8, 8), (90, 90, 90))
    with pytest.raises(NotApplicable, match="grey already"):
        LuminanceNoise(Grayscale()).edit(grey)


@pytest.mark.parametrize("edit", [LuminanceNoise(Grayscale()), Tint((Box(3, 5, 30, 40), Box(20, 20, 33, 9)), 90)])
def test_an_edit_by_strips_is_the_edit_of_the_whole(edit, monkeypatch):
    """A large picture is edited by strips, so that the steps between do not take gigabytes."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    whole = np.asarray(edit.edit(image))
    for module in (noise, image_notes):
        monkeypatch.setattr(module, "_STRIP", 7 * 64)
    assert (np.asarray(edit.edit(image)) == whole).all()
    assert (whole != np.asarray(image)).any()


def test_an_edit_that_returns_no_image_says_what_it_has_to_return():
    class Forgetful(Grayscale):
        def edit(self, image):
            image.convert("L")

    with pytest.raises(TypeError, match="edit returned NoneType; it has to return an image of Pillow"):
        pixels(Forgetful()(view(), ()))


def test_labels_tell_name_parameters_and_version():
    assert Grayscale().label == "grayscale v1"
    assert Block().label == "block(image, black) v1"
    assert CutOut("top left").label == "cut-out(top left) v1"
    assert Blur().label == "blur(0.004) v1"
    assert LuminanceNoise(Grayscale()).label == "luminance-noise(Grayscale()) v1"


def test_keys_tell_apart_what_an_edit_is_made_of():
    source = view().picture
    likes = [LuminanceNoise(like) for like in (Grayscale(), UpsideDown(), Blur(), Blur(0.01))]
    assert len({source.then(edit).key for edit in likes}) == 4
