"""Boxes, sides and colors are of the pixels that are shown; a picture for which they may not be is left out."""

import json

import pytest
from PIL import Image

from tests.datasets.conftest import SIZE
from vlcheck.cases import with_target
from vlcheck.datasets.fitness import COLORLESS, MOVED
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError

LEFT, RIGHT = (0, 0, 80, 80), (100, 0, 80, 80)
OBJECTS, SIDES, CHROMATIC = with_target("object"), with_target("side"), with_target("color", having=("chromatic",))


def store(path, orientation, size=SIZE, color="red"):
    """A picture that an EXIF entry turns or mirrors."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, color).save(path, exif=exif)


def counted(source, reason):
    return sum(count for why, count in source.left_out.items() if why.startswith(reason))


@pytest.mark.parametrize(("orientation", "fits"), [(1, True), (2, False), (3, False), (4, False), (0, True), (9, True)])
def test_a_photograph_that_exif_mirrors_is_left_out_and_counted(folder, orientation, fits):
    folder.photograph("A dog.", instances=[("dog", *LEFT), ("cat", *RIGHT)])
    folder.write()
    store(folder.path(1), orientation)
    source = open_source(f"coco:{folder.root}")
    assert len(source.select(OBJECTS)) == len(source.select(SIDES)) == fits
    assert counted(source, MOVED) == (not fits)


@pytest.mark.parametrize(("stored", "listed", "fits"), [((100, 200), SIZE, True), ((100, 100), (100, 100), False)])
def test_a_turned_photograph_fits_where_its_size_says_which_pixels_were_meant(folder, stored, listed, fits):
    folder.photograph("A dog.", instances=[("dog", 0, 0, 80, 80)])
    folder.tables["captions"]["images"][0] |= {"width": listed[0], "height": listed[1]}
    folder.write()
    store(folder.path(1), 6, stored)
    assert len(open_source(f"coco:{folder.root}").select(OBJECTS)) == fits


@pytest.mark.parametrize("orientation", [2, 3, 4, 6, 8])
@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({}, True),
        ({"region": [[0, 0, 20, 20]]}, False),
        ({"tags": ["object", "names-side"]}, False),
        ({"caption": "a dog left of a cat", "target": "left", "tags": ["side"]}, False),
        ({"caption": "a dog above a cat", "target": "above", "tags": ["vertical"]}, False),
        ({"tags": ["object", "own-side"]}, False),
        ({"caption": "a dog left of a cat", "target": "left", "tags": ["mine"]}, False),
        ({"caption": "a dog Above a cat", "target": "Above", "tags": ["mine"]}, False),
        ({"caption": "a dog left of a cat", "tags": ["object"]}, False),
    ],
    ids=["nothing placed", "boxes", "side named", "side", "vertical", "own side", "left", "above", "untagged side"],
)
def test_boxes_and_sides_of_ones_own_need_pixels_that_stand_upright(tmp_path, orientation, more, fits):
    store(tmp_path / "one.jpg", orientation)
    line = {"image": "one.jpg", "caption": "A dog.", "target": "dog", "tags": ["object"]} | more
    (tmp_path / "cases.jsonl").write_text(json.dumps(line))
    source = open_source(f"jsonl:{tmp_path}/cases.jsonl")
    assert len(source.select(with_target("object", "side", "vertical", "mine"))) == fits
    assert counted(source, MOVED) == (not fits)


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([(0.1, 0.2, 0.4, 0.5)], "is in shares of the picture; boxes have to be [x, y, width, height] in pixels"),
        ([(0, 0, 0.5, 1)], "is in shares of the picture"),
        ([(0.0, 0.0, 1.0, 1.0)], "is in shares of the picture"),
        ([(0, 0, 1, 1)], "is in shares of the picture"),
        ([(0.0, 0.0, 1.0000001, 1)], "is in shares of the picture"),
        ([(0, 0, 80, 80), (100, 10, 180, 90)], "here [100.0, 10.0, 80.0, 80.0]"),
        ([(20, 20, 20, 90), (0, 0, 80, 80), (100, 10, 180, 90)], "here [100.0, 10.0, 80.0, 80.0]"),
        ([(9, 9, 0, 0), (-9, 9, 99, 99), (0, 0, 80, 80), (100, 10, 180, 90)], "here [100.0, 10.0, 80.0, 80.0]"),
        ([(90, 10, 50, 60), *3 * [(0, 0, 80, 80)], (100, 10, 180, 90)], "here [100.0, 10.0, 80.0, 80.0]"),
        ([*2 * [(90, 10, 50, 60)], *40 * [(0, 0, 80, 80)], (100, 10, 180, 90)], "here [100.0, 10.0, 80.0, 80.0]"),
    ],
    ids=[
        *("shares", "share of an edge", "all of the picture", "a pixel", "rounded", "corners"),
        *("no area as corners", "none and outside", "one in another order", "two of many"),
    ],
)
def test_boxes_in_another_unit_are_refused_by_its_name(folder, boxes, said):
    folder.photograph("A dog.", instances=[("dog", *box) for box in boxes])
    folder.write()
    with pytest.raises(UsageError) as raised:
        open_source(f"coco:{folder.root}")
    assert f"{folder.annotations('instances')}: annotations[{len(boxes) - 1}]: bbox" in str(raised.value)
    assert said in str(raised.value)


def in_large_pictures(folder, boxes):
    """Give each box a photograph that is listed with 640 x 480 pixels."""
    for box in boxes:
        folder.photograph("A dog.", instances=[("dog", *box)])
    for listed in folder.tables["captions"]["images"]:
        listed |= {"width": 640, "height": 480}
    return folder.write()


PERCENT = [(at % 60, at % 50, 33 + at % 7, 50) for at in range(120)]
CENTERS = [(40 + 11 * at % 560, 30 + 7 * at % 420, 78, 58) for at in range(120)]


@pytest.mark.parametrize(
    ("boxes", "said"),
    [(PERCENT, "is in percent of the picture"), (CENTERS, r"as \[center x, center y, width, height\]")],
    ids=["percent", "centers"],
)
def test_many_boxes_tell_that_they_are_in_another_unit(folder, boxes, said):
    root = in_large_pictures(folder, boxes)
    with pytest.raises(UsageError, match=rf"{said}.*; boxes have to be \[x, y, width, height\] in pixels"):
        open_source(f"coco:{root}")


@pytest.mark.parametrize(
    "boxes", [PERCENT[:50], [*PERCENT, (200, 200, 50, 50)], [(x - w / 2, y - h / 2, w, h) for x, y, w, h in CENTERS]]
)
def test_few_boxes_and_boxes_in_pixels_are_in_no_other_unit(folder, boxes):
    cases = open_source(f"coco:{in_large_pictures(folder, boxes)}").cases
    assert len([case for case in cases if "object" in case.tags]) == len(boxes)


def test_corners_are_told_by_a_crowd_no_more_than_by_one_photograph(folder):
    folder.photograph("A dog.", instances=[("dog", 0, 0, 80, 80), ("dog", 90, 10, 50, 60)])
    folder.photograph("A dog.", instances=[("dog", 100, 10, 180, 90)])
    folder.tables["instances"]["annotations"][1]["iscrowd"] = 1
    folder.write()
    with pytest.raises(UsageError, match="as corners"):
        open_source(f"coco:{folder.root}")


def test_a_box_that_fits_as_corners_alone_refuses_no_file_whose_others_do_not(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT), ("cat", *RIGHT), ("bus", 90, 30, 60, 20)])
    folder.photograph("A dog.", instances=[("dog", 100, 10, 180, 90)])
    source = open_source(f"coco:{folder.write()}")
    assert [case.target for case in source.cases if "object" in case.tags] == ["dog"]
    (reason,) = (why for why in source.left_out if why.startswith("photograph has a box outside of it"))
    assert "annotations[3]: bbox [100.0, 10.0, 180.0, 90.0] lies outside" in reason
    assert "as corners [left, top, right, bottom] it lies within" in reason


@pytest.mark.parametrize("speck", [(0, 0, 0.5, 0.5), (0, 0, 1, 1)])
def test_one_speck_is_no_region_and_refuses_no_file(folder, speck):
    folder.photograph("A dog.", instances=[("dog", *speck)])
    for _ in range(2):
        folder.photograph("A dog.", instances=[("dog", *LEFT)])
    ((speck, *others), _) = folder.offered("object")
    assert (speck.region, [case.region for case in others]) == ((), 2 * [(LEFT,)])


@pytest.mark.parametrize("box", [[0.0, 0.0, 1.0, 1.0], [0, 0, 1, 1], [0, 0, 1, 0.5]])
def test_shares_in_a_file_of_ones_own_are_refused_by_their_name(tmp_path, box):
    line = {"image": "one.png", "caption": "A dog.", "target": "dog", "tags": ["mine"], "region": [box]}
    (tmp_path / "cases.jsonl").write_text(json.dumps(line))
    with pytest.raises(UsageError, match=r"cases.jsonl:1: region: .* is in shares of the picture"):
        open_source(f"jsonl:{tmp_path}/cases.jsonl")


def test_a_box_outside_of_its_photograph_leaves_it_out_and_no_other(folder):
    folder.photograph("A dog.", instances=[("dog", 150, 20, 80, 60)])
    folder.photograph("A dog.", instances=[("dog", 150, 20, 50.4, 60)])
    source = open_source(f"coco:{folder.write()}")
    assert [case.id for case in source.cases] == ["coco-000000000002-object-dog"]
    assert counted(source, "photograph has a box outside of it, e.g. ") == 1


def test_instances_for_another_size_leave_the_photograph_out(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    for number, listed in enumerate(folder.tables["instances"]["images"], 1):
        listed |= {"width": number * SIZE[0], "height": number * SIZE[1]}
    source = open_source(f"coco:{folder.write()}")
    assert [case.id for case in source.cases] == ["coco-000000000001-object-dog"]
    assert source.left_out["photograph is listed with two sizes"] == 1


def test_a_photograph_that_is_listed_twice_with_two_sizes_is_left_out(folder):
    for _ in range(2):
        folder.photograph("A dog.", instances=[("dog", *LEFT)])
    images = folder.tables["captions"]["images"]
    images += [images[0] | {"width": 20.0}, images[1] | {"width": float(SIZE[0])}]
    source = open_source(f"coco:{folder.write()}")
    assert [case.id for case in source.cases] == ["coco-000000000002-object-dog"]
    assert source.left_out["photograph is listed with two sizes"] == 1


def test_a_box_under_a_pixel_is_no_region_and_has_no_side(folder):
    folder.photograph("A dog.", instances=[("dog", 50, 40, 0.6, 30), ("cat", *RIGHT)])
    cases, reasons = folder.offered("side")
    assert (cases, reasons) == ([], {"fewer than two categories have one instance": 1})
    ((case,), _) = folder.offered("object")
    assert case.region == ()


def test_corners_in_a_file_of_ones_own_are_refused_by_their_name(tmp_path):
    Image.new("RGB", (160, 120)).save(tmp_path / "one.png")
    line = {"image": "one.png", "caption": "A dog.", "target": "dog", "tags": ["mine"], "region": [[100, 80, 140, 110]]}
    (tmp_path / "cases.jsonl").write_text(json.dumps(line))
    source = open_source(f"jsonl:{tmp_path}/cases.jsonl")
    with pytest.raises(UsageError, match=r"cases.jsonl:1: region: .*as corners .*here \[100, 80, 40, 30\]"):
        source.offer.audit()


def test_all_pictures_of_ones_own_that_cannot_be_used_are_named_at_once(tmp_path):
    Image.new("RGB", (160, 120)).save(tmp_path / "one.png")
    line = {"caption": "A dog.", "target": "dog", "tags": ["mine"]}
    lines = [line | {"image": "none.png"}, line | {"image": "one.png", "region": [[150, 0, 50, 5]]}]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(UsageError) as raised:
        open_source(f"jsonl:{tmp_path}/cases.jsonl").offer.audit()
    first, second = str(raised.value).splitlines()
    assert "cases.jsonl:1: " in first
    assert "no such photograph" in first
    assert "cases.jsonl:2: region: [150, 0, 50, 5] lies outside of the picture, 160 x 120 pixels." in second


def gray(mode, number=0):
    return Image.radial_gradient("L").resize((SIZE[0] + 9 * number, SIZE[1])).crop((0, 0, *SIZE)).convert(mode)


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_photograph_without_color_makes_no_chromatic_case(folder, mode):
    folder.photograph("A red bus.", instances=[("bus", *LEFT)])
    folder.photograph("A red bus and a blue cup.", instances=[("bus", *LEFT)])
    folder.photograph("A white bus.", instances=[("bus", *LEFT)])
    folder.write()
    for number in (1, 2, 3):
        gray(mode, number).save(folder.path(number), format="PNG" if mode == "P" else "JPEG", quality=60)
    source = open_source(f"coco:{folder.root}")
    assert source.select(CHROMATIC) == source.select(with_target("binding")) == ()
    assert counted(source, COLORLESS) == 2
    assert [case.caption for case in source.select(OBJECTS)] == ["A white bus."]
    assert [case.target for case in source.select(with_target("color", having=("achromatic",)))] == ["white"]


@pytest.mark.parametrize(
    ("caption", "target", "tags", "fits"),
    [
        ("A red bus.", "red", ["color"], False),
        ("A red bus.", "red", ["mine"], False),
        ("A mauve bus.", "mauve", ["color", "chromatic"], False),
        ("A red bus and a white cup.", "white", ["color"], False),
        ("A red bus and a white cup.", "white", ["binding"], False),
        ("A red bus.", "bus", ["object"], False),
        ("A white bus.", "white", ["color"], True),
        ("A black bus and a white cup.", "white", ["binding"], True),
        ("An orange.", "orange", ["object", "single"], True),
        ("A photo of a red panda.", "photo", ["mine"], True),
        ("A bus by a tree.", "bus", ["object"], True),
    ],
)
@pytest.mark.parametrize("gray_one", [True, False])
def test_a_caption_of_ones_own_that_names_a_color_is_not_kept_on_a_gray_picture(
    tmp_path, caption, target, tags, fits, gray_one
):
    (gray("RGB") if gray_one else Image.new("RGB", SIZE, "red")).save(tmp_path / "one.png")
    line = {"image": "one.png", "caption": caption, "target": target, "tags": tags}
    (tmp_path / "cases.jsonl").write_text(json.dumps(line))
    source = open_source(f"jsonl:{tmp_path}/cases.jsonl")
    assert len(source.select(with_target(*tags))) == (fits or not gray_one)
    assert counted(source, COLORLESS) == (not fits and gray_one)


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_colors_under_what_is_transparent_are_none(tmp_path, mode):
    picture = Image.new("RGBA", SIZE, (200, 0, 0, 0))
    picture.paste((90, 90, 90, 255), (20, 20, 60, 60))
    if mode == "P":
        picture = picture.quantize(4)
    picture.save(tmp_path / "one.png")
    line = {"image": "one.png", "caption": "A red bus.", "target": "red", "tags": ["color", "chromatic"]}
    (tmp_path / "cases.jsonl").write_text(json.dumps(line))
    assert open_source(f"jsonl:{tmp_path}/cases.jsonl").fitting == ()


def test_a_little_color_is_color(folder):
    folder.photograph("A red bus.")
    folder.write()
    picture = gray("RGB")
    picture.paste((200, 40, 40), (60, 60, 70, 70))
    picture.save(folder.path(1))
    assert [case.target for case in open_source(f"coco:{folder.root}").select(CHROMATIC)] == ["red"]


def test_what_is_written_out_fits_its_pictures(folder):
    for _ in range(2):
        folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.write()
    store(folder.path(1), 3)
    assert [case.id for case in open_source(f"coco:{folder.root}").fitting] == ["coco-000000000002-object-dog"]
