"""Perturbations, by the pixels and words they make."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from vlcheck.cases import Box, Case, ImageFile, with_target
from vlcheck.cases.view import View
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.perturb import (
    Bare,
    Block,
    Compose,
    Crop,
    CutOut,
    Grayscale,
    Mirror,
    OtherCaption,
    OtherImage,
    Solid,
    SwapSides,
    UpsideDown,
)
from vlcheck.perturb.base import perturbed
from vlcheck.perturb.color import is_grey

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


@pytest.fixture
def case(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(PIXELS).save(path)
    return Case(
        id="one",
        image=ImageFile(path),
        caption="A ball in his left hand",
        target="left",
        region=(Box(1, 2, 3, 2),),
        about=frozenset({"person"}),
    )


@pytest.mark.parametrize(
    ("perturb", "place", "other"),
    [
        (Mirror(), Box(4, 2, 3, 2), Box(6, 0, 2, 3)),
        (UpsideDown(), Box(1, 2, 3, 2), Box(0, 3, 2, 3)),
        (Crop(share=0.25), Box(-2, 1, 6, 4), Box(-4, -3, 4, 6)),
        (Grayscale(), Box(1, 2, 3, 2), Box(0, 0, 2, 3)),
        (Compose(Mirror(), Mirror()), Box(1, 2, 3, 2), Box(0, 0, 2, 3)),
    ],
    ids=lambda one: getattr(one, "label", ""),
)
def test_the_other_thing_of_a_relation_moves_with_the_picture(case, perturb, place, other):
    view = perturbed(perturb, View.of(replace(case, other_region=(Box(0, 0, 2, 3),))), ())
    assert (view.region, view.other_region) == ((place,), (other,))


def test_the_other_thing_is_lost_where_nobody_says_where_it_is_now(case):
    class Nudge(Mirror):
        def __call__(self, view, others):
            return replace(view, region=tuple(box._replace(x=box.x + 1) for box in view.region))

    view = View.of(replace(case, other_region=(Box(0, 0, 2, 3),)))
    assert perturbed(Nudge(), view, ()).other_region == ()
    assert perturbed(CutOut("top"), view, ()).other_region == ()


def pixels(view):
    return np.asarray(view.picture.render())


def test_swapped_sides_swap_the_closed_set_too(case):
    view = SwapSides()(View.of(replace(case, candidates=("right", "up"))), ())
    assert (view.target, view.candidates) == ("right", ("left", "up"))


def test_grayscale_is_luma_in_every_channel(case):
    grey = pixels(Grayscale()(View.of(case), ()))
    luma = PIXELS @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey - luma[..., None]).max() <= 1


def test_what_is_grey_already_has_nothing_to_lose(coco_root):
    photograph = next((coco_root / "val2017").glob("*.jpg"))
    with Image.open(photograph) as image:
        color = image.convert("RGB")
    assert not is_grey(color)
    jpeg = io.BytesIO()
    color.convert("L").convert("RGB").save(jpeg, "JPEG", quality=75)
    with Image.open(jpeg) as grey, pytest.raises(NotApplicable, match="grey already"):
        Grayscale().edit(grey.convert("RGB"))


def test_a_small_patch_of_color_keeps_a_photograph_from_being_grey():
    image = Image.new("RGB", (100, 100), (90, 90, 90))
    image.paste((200, 30, 30), (0, 0, 15, 15))
    assert not is_grey(image)


def test_mirror_turns_pixels_and_boxes_and_twice_is_nothing(case):
    once = Mirror()(View.of(case), ())
    assert (pixels(once) == PIXELS[:, ::-1]).all()
    assert once.region == (Box(4, 2, 3, 2),)
    twice = Mirror()(once, ())
    assert (pixels(twice) == PIXELS).all()
    assert twice.region == case.region


@pytest.mark.parametrize(("fill", "painted"), [("black", 0), ("mean", PIXELS.mean(axis=(0, 1)).round())])
def test_blocking_a_region_changes_it_alone(case, fill, painted):
    blocked = pixels(Block(where="region", fill=fill)(View.of(case), ()))
    assert (blocked[2:4, 1:4] == painted).all()
    changed = (blocked != PIXELS).any(axis=2)
    assert changed.sum() <= 6
    assert not changed[:2].any()


def test_noise_is_the_same_every_time_and_another_for_another_picture(case):
    noisy = Block(fill="noise")(View.of(case), ())
    assert (pixels(noisy) == pixels(noisy)).all()
    mirrored = Block(fill="noise")(Mirror()(View.of(case), ()), ())
    assert (pixels(noisy) != pixels(mirrored)).any()


def test_a_box_that_ends_inside_a_pixel_or_outside_the_picture_takes_what_there_is(case):
    view = replace(View.of(case), region=(Box(-2.5, 4.5, 4, 9),))
    blocked = pixels(Block(where="region")(view, ()))
    assert (blocked[4:, :2] == 0).all()
    assert (blocked[:4] == PIXELS[:4]).all()


def test_black_pictures_of_one_size_are_one_picture(case):
    black = Block()(View.of(case), ()).picture
    assert black.key == Block()(Mirror()(View.of(case), ()), ()).picture.key
    assert not np.asarray(black.render()).any()
    assert black.render().size == (8, 6)
    assert Solid((8, 6), (0, 0, 0)).key != Solid((6, 8), (0, 0, 0)).key


def test_mirrored_regions_are_blocked_where_they_are_seen(case):
    blocked = pixels(Compose(Mirror(), Block(where="region"))(View.of(case), ()))
    assert (blocked[2:4, 4:7] == 0).all()


def test_a_case_without_region_cannot_have_it_blocked(case):
    with pytest.raises(NotApplicable, match="no region"):
        Block(where="region")(View.of(replace_region(case)), ())


def replace_region(case):
    return Case(id="two", image=case.image, caption=case.caption, target=case.target)


@pytest.mark.parametrize("wrong", [{"where": "frame"}, {"fill": "white"}])
def test_block_takes_only_what_it_knows(wrong):
    with pytest.raises(ValueError, match="is none of"):
        Block(**wrong)


def test_edits_that_differ_have_keys_that_differ(case):
    view = View.of(case)
    edits = [
        Grayscale(),
        Mirror(),
        Block(),
        Block(fill="mean"),
        Block(fill="noise"),
        Block(where="region"),
        Block(where="region", fill="noise"),
        Compose(Mirror(), Grayscale()),
        Compose(Grayscale(), Mirror()),
    ]
    keys = {edit(view, ()).picture.key for edit in edits} | {view.picture.key}
    assert len(keys) == len(edits) + 1


def test_the_source_is_left_as_it_was(case):
    before = case.image.open().tobytes()
    Compose(Mirror(), Block(where="region"))(View.of(case), ()).picture.render()
    assert case.image.open().tobytes() == before


def test_swapping_sides_swaps_words_and_target_and_twice_is_nothing(case):
    view = replace(View.of(case), template="Left of it, [MASK] hand, right; a leftover, bright")
    once = SwapSides()(view, ())
    assert once.template == "Right of it, [MASK] hand, left; a leftover, bright"
    assert once.target == "right"
    assert SwapSides()(once, ()) == view


def test_a_text_without_sides_cannot_swap_them(case):
    with pytest.raises(NotApplicable, match="names no side"):
        SwapSides()(replace(View.of(case), template="a [MASK]", target="dog"), ())


def test_bare_takes_the_bare_text(case):
    with pytest.raises(NotApplicable, match="no bare"):
        Bare()(View.of(case), ())
    bare = Case(id="b", image=case.image, caption=case.caption, target="left", bare="[MASK] hand")
    assert Bare()(View.of(bare), ()).template == "[MASK] hand"


def test_the_other_image_refutes_the_caption_and_does_not_depend_on_the_order(coco_root):
    cases = open_source(f"coco:{coco_root}").select(with_target("object"))
    chosen = [OtherImage()(View.of(case), cases).picture for case in cases]
    by_key = {case.image.key: case for case in cases}
    for case, picture in zip(cases, chosen, strict=True):
        assert not case.about <= by_key[picture.source.key].present
    assert len({picture.key for picture in chosen}) > len(cases) / 3
    again = [OtherImage()(View.of(case), cases[::-1]).picture.key for case in cases]
    assert again == [picture.key for picture in chosen]


def test_where_every_picture_may_hold_the_caption_there_is_no_other(case):
    with pytest.raises(NotApplicable, match="no other picture"):
        OtherImage()(View.of(case), (case,))


def test_the_other_caption_is_false_of_the_picture_and_does_not_depend_on_the_order():
    cases = open_source("scenes:30").select(with_target("object"))
    chosen = [OtherCaption()(View.of(case), cases) for case in cases]
    by_template = {case.masked: case for case in cases}
    for case, view in zip(cases, chosen, strict=True):
        other = by_template[view.template]
        assert (view.target, view.picture) == (other.target, View.of(case).picture)
        assert not other.about <= case.present
    assert len({view.template for view in chosen}) > len(cases) / 5
    assert [OtherCaption()(View.of(case), cases[::-1]).text for case in cases] == [view.text for view in chosen]


def test_where_every_caption_may_be_true_there_is_no_other(case):
    with pytest.raises(NotApplicable, match="no other caption"):
        OtherCaption()(View.of(case), (case,))


def test_labels_name_parameters_and_versions():
    assert Block(where="region", fill="noise").label == "block(region, noise) v1"
    assert Compose(Mirror(), SwapSides()).label == "mirror v1 + swap-sides v1"
