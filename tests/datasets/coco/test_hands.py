"""Boxes and keypoints say whose left hand a thing is in; where they do not, there is a reason."""

import json

import pytest

from vlcheck.cases import with_target
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError

# Somebody who faces the viewer: parts of arms are 20 pixels long, those of legs 15.
ARMS = {
    "left_shoulder": (100, 10),
    "left_elbow": (100, 30),
    "left_wrist": (100, 50),
    "right_shoulder": (60, 10),
    "right_elbow": (60, 30),
    "right_wrist": (60, 50),
}
LEGS = {
    "left_hip": (90, 50),
    "left_knee": (90, 65),
    "left_ankle": (90, 80),
    "right_hip": (70, 50),
    "right_knee": (70, 65),
    "right_ankle": (70, 80),
}
PERSON = ("person", 50, 0, 60, 90)
IN_LEFT, IN_RIGHT, BETWEEN = (102, 52, 10, 10), (48, 52, 10, 10), (75, 52, 10, 10)


def offered(folder):
    """The hand cases, and why others were left out."""
    source = open_source(f"coco:{folder.write()}")
    cases = [case for case in source.cases if "hand" in case.tags]
    return cases, {
        reason.removeprefix("hand: "): n for reason, n in source.left_out.items() if reason.startswith("hand: ")
    }


def holding(folder, *things, caption="", people=(ARMS,), **options):
    """A photograph of people and things."""
    number = folder.photograph(caption, instances=[PERSON, *things])
    for joints in people:
        folder.person(number, **joints, **options)
    return number


@pytest.mark.parametrize(("box", "side"), [(IN_LEFT, "left"), (IN_RIGHT, "right")])
def test_a_thing_is_in_the_hand_whose_wrist_it_is_at(folder, box, side):
    holding(folder, ("frisbee", *box))
    (case,), reasons = offered(folder)
    assert case.id == f"coco-000000000001-hand-{side}-hand-frisbee"
    assert case.caption == f"a person with a frisbee in their {side} hand"
    assert (case.target, case.region, case.about) == (side, (box,), {"person", "frisbee"})
    assert case.tags == {"hand", "names-side", "person", "own-side"}
    assert reasons == {}


def test_a_ball_is_at_the_foot_whose_ankle_it_is_at(folder):
    holding(folder, ("sports ball", 92, 82, 6, 6), people=[ARMS | LEGS])
    (case,), _ = offered(folder)
    assert case.caption == "a person with a sports ball at their left foot"


def test_one_wrist_alone_decides_nothing(folder):
    without = {name: at for name, at in ARMS.items() if not name.startswith("right")}
    holding(folder, ("frisbee", *IN_LEFT), people=[without])
    assert offered(folder) == ([], {"thing is not at one hand alone": 1})


@pytest.mark.parametrize(
    ("things", "reason"),
    [
        ([("frisbee", *BETWEEN)], "thing is not at one hand alone"),
        ([("frisbee", 102, 64, 10, 10)], "thing is not at one hand alone"),
        ([("frisbee", 60, 52, 40, 10)], "thing is not at one hand alone"),
        ([("frisbee", *IN_LEFT), ("frisbee", *IN_RIGHT)], "thing is not at one hand alone"),
        ([("frisbee", *IN_LEFT), ("frisbee", *BETWEEN)], "thing is not at one hand alone"),
        ([("frisbee", 150, 80, 10, 10)], "thing is at nobody's hand"),
        ([("frisbee", 70, 80, 10, 10)], "thing is not at one hand alone"),
        ([("cup", *IN_LEFT)], "no caption says that the thing is held"),
    ],
    ids=["between", "out of reach", "in both", "one in each", "one unclear", "far away", "on the person", "on a table"],
)
def test_a_thing_is_left_out(folder, things, reason):
    holding(folder, *things, caption="Somebody with things and a cup.")
    assert offered(folder) == ([], {reason: 1})


def test_what_lies_about_does_not_matter(folder):
    holding(folder, ("frisbee", *IN_LEFT), ("frisbee", 150, 80, 10, 10))
    (case,), _ = offered(folder)
    assert (case.target, case.region) == ("left", (IN_LEFT,))


@pytest.mark.parametrize(
    ("caption", "cases"),
    [("A man holding a cup.", 1), ("A man drinks from a mug.", 1), ("A man holding a ball. A cup.", 1), ("A cup.", 0)],
)
def test_a_cup_is_held_where_a_caption_says_so(folder, caption, cases):
    holding(folder, ("cup", *IN_LEFT), caption=caption)
    assert len(offered(folder)[0]) == cases


def test_a_wrist_that_is_hidden_holds_nothing_that_is_known(folder):
    holding(folder, ("frisbee", *IN_LEFT), visible=1)
    assert offered(folder) == ([], {"thing is not at one hand alone": 1})


def test_a_thing_between_two_people_is_nobodys(folder):
    beside = {name: (x + 55, y) for name, (x, y) in ARMS.items()}  # whose right wrist is at 115
    holding(folder, ("frisbee", *IN_LEFT), people=[ARMS, beside])
    assert offered(folder) == ([], {"thing is not at one hand alone": 1})


def test_people_who_all_hold_one_in_the_same_hand_are_one_case(folder):
    beside = {name: (x + 90, y) for name, (x, y) in ARMS.items()}
    other = (192, 52, 8, 8)
    holding(folder, ("frisbee", *IN_LEFT), ("frisbee", *other), people=[ARMS, beside])
    (case,), _ = offered(folder)
    assert (case.target, case.region) == ("left", (IN_LEFT, other))


def test_one_of_a_crowd_of_things_is_left_out(folder):
    holding(folder, ("frisbee", *IN_LEFT))
    folder.tables["instances"]["annotations"][1]["iscrowd"] = 1
    assert offered(folder) == ([], {"thing is one of a crowd": 1})


def test_a_mirror_turns_hands(folder):
    holding(folder, ("frisbee", *IN_LEFT), caption="A man in a mirror.")
    assert offered(folder) == ([], {"person may be a reflection": 1})


@pytest.mark.parametrize("caption", ["A statue in a park.", "Two dolls, by a robot.", "A LEGO man", "A puppet."])
def test_a_hand_that_may_be_a_toys_or_a_statues_is_nobodys(folder, caption):
    number = holding(folder, ("frisbee", *IN_LEFT), caption=caption)
    folder.tables["captions"]["annotations"].append({"image_id": number, "caption": "A man raises his left arm."})
    assert offered(folder) == ([], {"person may be a depiction": 2})


@pytest.mark.parametrize("caption", ["A sign that says stop.", "A woman with a book titled Hands."])
def test_what_is_only_written_makes_nobody_a_toy(folder, caption):
    holding(folder, ("frisbee", *IN_LEFT), caption=caption)
    assert len(offered(folder)[0]) == 1


def test_without_marks_no_hand_is_known(folder):
    holding(folder, ("frisbee", *IN_LEFT), visible=0)
    holding(folder, ("frisbee", *IN_LEFT), people=[])
    assert offered(folder) == ([], {"no wrist or ankle is marked": 1, "no keypoints file lists the photograph": 1})


@pytest.mark.parametrize(("said", "targets"), [("left", ["left", "left"]), ("right", ["left"])])
def test_a_caption_that_says_the_other_side_gives_no_case(folder, said, targets):
    holding(folder, ("frisbee", *IN_LEFT), caption=f"A man has a frisbee in his {said} hand.")
    cases, reasons = offered(folder)
    assert [case.target for case in cases] == targets
    assert reasons == ({} if said == "left" else {"keypoints say the other side": 1})


def test_hands_whose_truth_is_known_can_be_asked_for(folder):
    holding(folder, ("frisbee", *IN_LEFT), caption="A man raises his left arm.")
    source = open_source(f"coco:{folder.write()}")
    assert [case.id for case in source.select(with_target("own-side"))] == ["coco-000000000001-hand-left-hand-frisbee"]


@pytest.mark.parametrize(
    ("table", "field", "value", "said"),
    [
        ("annotations", "keypoints", [1, 2], "annotations[0]: keypoints is 'list of 2'; it has to be a list of 51 num"),
        ("annotations", "keypoints", [0] * 50, "keypoints is 'list of 50'"),
        ("annotations", "keypoints", [None] * 51, "keypoints is 'list of 51'"),
        ("annotations", "keypoints", [float("nan")] * 51, "keypoints is 'list of 51'"),
        (
            "annotations",
            "keypoints",
            None,
            "annotations[0]: keypoints is 'NoneType'; it has to be a list of 51 numbers",
        ),
        ("annotations", "image_id", 2, "annotations[0]: image_id 2 is none of the file's images"),
        ("annotations", "image_id", None, "annotations[0]: image_id is None; it has to be a whole number"),
        ("images", "id", 77, "images[0]: keypoints of another data set: 77 is no photograph in"),
        ("images", "id", None, "images[0]: id is None; it has to be a whole number"),
        ("images", "file_name", "else.jpg", "keypoints of another data set: 1 is 000000000001.jpg in"),
        (
            "categories",
            "keypoints",
            ["left_hand", "right_hand"],
            "they have to be COCO's 17: nose, left_eye, right_eye",
        ),
        ("categories", "keypoints", None, "categories[0]: keypoints are None"),
    ],
)
def test_keypoints_that_are_not_as_coco_has_them_are_named(folder, table, field, value, said):
    holding(folder, ("frisbee", *IN_LEFT))
    folder.tables["person_keypoints"][table][0][field] = value
    folder.write()
    with pytest.raises(UsageError) as raised:
        open_source(f"coco:{folder.root}")
    assert str(raised.value).startswith(str(folder.annotations("person_keypoints")))
    assert said in str(raised.value)


def test_keypoints_without_a_list_of_photographs_are_named(folder):
    holding(folder, ("frisbee", *IN_LEFT))
    del folder.tables["person_keypoints"]["categories"]
    folder.write()
    with pytest.raises(UsageError, match=r"person_keypoints_val2017\.json: has no list 'categories'"):
        open_source(f"coco:{folder.root}")


def test_keypoints_of_a_split_without_photographs_are_counted(folder):
    folder.photograph("A red bus.")
    folder.write()
    stray = folder.root / "annotations" / "person_keypoints_train2017.json"
    stray.write_text(json.dumps({"images": []}))
    source = open_source(f"coco:{folder.root}")
    assert source.left_out["person_keypoints_train2017.json has no captions_train2017.json beside it"] == 1
