"""VALSE, What's Up, ARO and Winoground, in the layouts that their authors publish."""

import re

import pytest

from tests.conftest import ROOT
from tests.datasets.foils.conftest import VOTES, aro_pair, valse_pair, winoground_example
from vlcheck.cases import with_target
from vlcheck.cases.foils import PHENOMENA
from vlcheck.datasets.foils.aro import ARO, LEFT_OUT
from vlcheck.datasets.foils.crop import OUTSIDE
from vlcheck.datasets.foils.pictures import ABSENT, AMBIGUOUS
from vlcheck.datasets.foils.sugarcrepe import SUGARCREPE
from vlcheck.datasets.foils.suite import TWICE, UNUSABLE, FoilSuite
from vlcheck.datasets.foils.valse import INVALID, VALSE
from vlcheck.datasets.foils.whatsup import WHATSUP
from vlcheck.datasets.foils.winoground import WINOGROUND

SUITES: tuple[FoilSuite, ...] = (ARO, SUGARCREPE, VALSE, WHATSUP, WINOGROUND)


def told(case):
    (phenomenon,) = case.tags - {"foil"}
    return case.caption, *case.foils, phenomenon


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.scheme)
def test_every_file_has_a_phenomenon_that_there_is(suite):
    assert {*suite.files.values(), *PHENOMENA} == {*PHENOMENA, *({""} & {*suite.files.values()})}


def test_of_valse_the_pairs_are_read_that_two_annotators_find_valid(published):
    suite = published("valse")
    suite.write(
        "existence.json",
        {
            "existence_1": valse_pair(),
            "existence_2": valse_pair(caption="No one.", mturk=VOTES | {"caption": 2, "foil": 1}),
            "existence_3": valse_pair(caption="Nothing.", mturk=VOTES | {"caption": 1, "other": 2}),
            "existence_4": valse_pair(caption="None.", mturk=None),
        },
        folder="data",
    )
    swap = {"caption": "A man exercises his torso.", "foil": "A torso exercises for a man."}
    suite.write("actant-swap.json", {"actions_test_0": valse_pair("exercising_255.jpg", **swap)}, folder="data")
    pictures = suite.root.parent / "pictures"
    suite.picture("../pictures/visual7w/images/v7w_1.jpg")
    suite.picture("../pictures/SWiG/images_512/exercising_255.jpg")
    source = suite.open(f"@{pictures}:50:3")
    assert (source.images, source.seed) == (50, 3)
    assert [told(case) for case in source.cases] == [
        ("There are no people.", "There are people.", "existence"),
        ("No one.", "There are people.", "existence"),
        ("A man exercises his torso.", "A torso exercises for a man.", "swapped-object"),
    ]
    assert {reason.partition(", e.g.")[0]: count for reason, count in source.left_out.items()} == {
        INVALID: 1,
        "pair cannot be used": 1,
    }
    assert "[existence_4] is NoneType; it has to be a dict" in " ".join(source.left_out)


def test_of_whats_up_the_first_caption_is_true_and_the_others_are_its_foils(published):
    suite = published("whatsup")
    places = ("on", "under", "to the left of", "to the right of")
    options = [f"A mug {place} a table." for place in places]
    path = "data/controlled_images/mug_on_table.jpeg"
    suite.write("controlled_images_dataset.json", [{"image_path": path, "caption_options": options}])
    suite.write("coco_qa_two_obj.json", [[285, "A bear above a lawn.", "A bear below a lawn."]])
    suite.write("vg_qa_one_obj.json", [["n347", "A dog on the left.", "A dog on the right."]])
    for name in ("controlled_images/mug_on_table.jpeg", "val2017/000000000285.jpg", "vg_images/n347.jpg"):
        suite.picture(name)
    assert [told(case) for case in suite.open().cases] == [
        (*options, "spatial-relation"),
        ("A bear above a lawn.", "A bear below a lawn.", "spatial-relation"),
        ("A dog on the left.", "A dog on the right.", "spatial-relation"),
    ]


def test_of_two_folders_that_have_a_file_of_one_name_that_is_meant_which_the_suite_names(published):
    suite = published("whatsup")
    options = ["A mug on a table.", "A mug under a table."]
    rows = [{"image_path": f"data/{folder}/a.jpeg", "caption_options": options} for folder in ("one", "two", "three")]
    suite.write("controlled_images_dataset.json", rows)
    for folder in ("one", "two"):
        suite.picture(f"{folder}/a.jpeg")
    source = suite.open()
    assert [*source.offer.cases] == ["one/a.jpeg", "two/a.jpeg"]
    (reason,) = source.left_out
    assert reason.startswith("picture of the pair may be several files, e.g. data/three/a.jpeg of ")


def test_of_aro_the_part_in_the_box_is_a_picture_and_relations_stay_out_that_its_authors_leave_out(published):
    suite = published("aro")
    near = {"relation_name": "near", "true_caption": "a is near b", "false_caption": "b is near a"}
    suite.write("visual_genome_relation.json", [aro_pair(), aro_pair(**near)])
    white = {"true_caption": "the white road and the red car", "false_caption": "the red road and the white car"}
    suite.write("visual_genome_attribution.json", [aro_pair("2.jpg", **white)])
    suite.picture("images/1.jpg", size=(40, 30))
    suite.picture("images/2.jpg", size=(40, 30), color=(1, 2, 3))
    source = suite.open()
    assert [told(case)[-1] for case in source.cases] == ["swapped-object", "swapped-attribute"]
    picture = source.cases[0].image
    assert picture.size == picture.open().size == (20, 10)
    assert picture.key not in (source.cases[1].image.key, picture.file.key)
    assert [reason.startswith(LEFT_OUT) for reason in source.left_out] == [True]


def test_two_parts_of_one_photograph_are_one_image_of_a_behavior(published):
    suite = published("aro")
    suite.write("visual_genome_relation.json", [aro_pair(), aro_pair(bbox_x=6), aro_pair("2.jpg")])
    suite.picture("images/1.jpg")
    suite.picture("images/2.jpg", color=(1, 2, 3))
    source = suite.open()
    assert len(source.cases) == 3
    assert {case.image.file.path.name for case in source.select(with_target("foil"))} == {"1.jpg", "2.jpg"}
    assert len(source.select(with_target("foil"))) == 2


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ({"bbox_w": 99}, "box of the pair is no part of its picture"),
        ({"bbox_x": -9}, "box of the pair is no part of its picture"),
        ({"bbox_w": 0}, "box of the pair is no part of its picture"),
        ({"bbox_h": "10"}, "pair cannot be used"),
    ],
)
def test_a_box_that_is_no_part_of_its_picture_is_left_out(published, box, why):
    suite = published("aro")
    suite.write("visual_genome_relation.json", [aro_pair(**box), aro_pair("2.jpg")])
    suite.picture("images/1.jpg")
    suite.picture("images/2.jpg", color=(1, 2, 3))
    source = suite.open()
    assert len(source.select(with_target("foil"))) == 1
    assert [reason.partition(", e.g.")[0] for reason in source.left_out] == [why]


def test_of_winoground_each_picture_is_a_case_whose_foil_is_the_other_caption(published):
    suite = published("winoground")
    tags = [("Noun", "Object"), ("Adjective-Age", "Relation"), ("Verb-Intransitive", "Relation"), ("Scope", "Both")]
    rows = [winoground_example(n, tag=tag, collapsed_tag=kind) for n, (tag, kind) in enumerate(tags)]
    suite.write("examples.jsonl", rows, folder="data")
    for n in range(len(tags)):
        for one in (0, 1):
            suite.picture(f"data/images/ex_{n}_img_{one}.png", color=(n, one, 0))
    cases = suite.open().cases
    assert [case.id for case in cases[:2]] == ["winoground-examples-0-0", "winoground-examples-0-1"]
    assert told(cases[0]) == ("a dog chases a cat", "a cat chases a dog", "swapped-object")
    assert told(cases[1]) == ("a cat chases a dog", "a dog chases a cat", "swapped-object")
    assert [told(case)[-1] for case in cases[2::2]] == ["swapped-attribute", "word-order", "word-order"]


def test_an_example_of_winoground_with_one_picture_is_not_half_scored(published):
    suite = published("winoground")
    suite.write("examples.jsonl", [winoground_example(0), winoground_example(1)])
    for name in ("ex_0_img_0", "ex_1_img_0", "ex_1_img_1"):
        suite.picture(f"images/{name}.png")
    source = suite.open()
    assert [case.id for case in source.cases] == ["winoground-examples-1-0", "winoground-examples-1-1"]
    assert sum(source.left_out.values()) == 2


def test_the_page_lists_each_suite_with_its_address_and_licence_and_each_file_with_its_phenomenon():
    page = (ROOT / "docs" / "reference" / "foil-suites.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    places = {row[0].strip("`").partition(":")[0]: row[2] for row in rows if len(row) == 4}
    assert places.items() >= {suite.scheme: f"{suite.address}, {suite.licence}" for suite in SUITES}.items()
    phenomena = {
        (row[0], file): row[2].strip("`")
        for row in rows
        if len(row) == 3
        for file in re.findall(r"`([\w.-]+\.jsonl?)`", row[1])
    }
    known = {(suite.name, file): phenomenon for suite in SUITES for file, phenomenon in suite.files.items()}
    assert phenomena.keys() == known.keys()
    assert {file: phenomena[file] for file, phenomenon in known.items() if phenomenon} == {
        file: phenomenon for file, phenomenon in known.items() if phenomenon
    }


def test_the_page_lists_each_reason():
    page = (ROOT / "docs" / "reference" / "foil-suites.md").read_text(encoding="utf-8")
    for reason in (ABSENT, AMBIGUOUS, TWICE, UNUSABLE, INVALID, LEFT_OUT, OUTSIDE):
        assert f"`{reason}`" in page
