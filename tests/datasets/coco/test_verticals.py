"""What makes a vertical case, and each reason why something does not."""

import pytest

from vlcheck.datasets.registry import open_source

HIGH, LOW = (60, 5, 40, 30), (50, 50, 60, 40)


def offered(folder):
    source = open_source(f"coco:{folder.write()}")
    cases = [case for case in source.cases if "vertical" in case.tags]
    reasons = {reason: n for reason, n in source.left_out.items() if reason.startswith("vertical: ")}
    return cases, {reason.removeprefix("vertical: "): n for reason, n in reasons.items()}


def test_a_pair_is_worded_from_above_and_from_below(folder):
    folder.photograph("", instances=[("clock", *HIGH), ("dog", *LOW)])
    (above, below), reasons = offered(folder)
    assert (above.caption, above.target, above.region) == ("a clock above a dog", "above", (HIGH,))
    assert (below.caption, below.target, below.region) == ("a dog below a clock", "below", (LOW,))
    assert (above.other_region, below.other_region) == ((LOW,), (HIGH,))
    assert above.about == below.about == {"clock", "dog"}
    assert above.tags - {"legible-text"} == {"vertical"}
    assert reasons == {}


def test_the_pair_whose_smaller_box_is_the_largest_is_taken(folder):
    folder.photograph("", instances=[("clock", *HIGH), ("cat", 60, 40, 20, 9), ("dog", *LOW)])
    assert [case.caption for case in offered(folder)[0]] == ["a clock above a dog", "a dog below a clock"]


@pytest.mark.parametrize(
    ("instances", "caption", "reason"),
    [
        ([("dog", *LOW)], "", "fewer than two categories have one instance"),
        ([("clock", *HIGH), ("dog", *LOW), ("dog", 0, 50, 20, 20)], "", "fewer than two categories have one instance"),
        ([("clock", *HIGH), ("dog", *LOW)], "Two dogs.", "fewer than two categories have one instance"),
        ([("clock", 60, 5, 10, 10), ("dog", *LOW)], "", "objects are too small"),
        ([("clock", *LOW), ("dog", *HIGH)], "", "nothing that hangs or flies is above another thing"),
        ([("cat", *HIGH), ("dog", *LOW)], "", "nothing that hangs or flies is above another thing"),
        ([("clock", 60, 25, 40, 30), ("dog", *LOW)], "", "nothing that hangs or flies is above another thing"),
        ([("clock", 91, 5, 40, 30), ("dog", *LOW)], "", "nothing that hangs or flies is above another thing"),
        ([("bird", *HIGH), ("dog", *LOW)], "A bird stands there.", "no caption says that the upper thing flies"),
        ([("bird", *HIGH), ("dog", *LOW)], "A flying dog.", "no caption says that the upper thing flies"),
    ],
    ids=[
        *("one thing", "two of them", "several said", "small", "below", "on the ground", "rows overlap", "beside"),
        *("stands", "something else flies"),
    ],
)
def test_a_pair_is_left_out(folder, instances, caption, reason):
    folder.photograph(caption, instances=instances)
    assert offered(folder) == ([], {reason: 1})


def test_half_of_the_narrower_width_is_enough(folder):
    folder.photograph("", instances=[("clock", 90, 5, 40, 30), ("dog", *LOW)])
    assert len(offered(folder)[0]) == 2


def test_what_flies_is_above(folder):
    folder.photograph("A bird flying over a dog.", instances=[("bird", *HIGH), ("dog", *LOW)])
    assert [case.target for case in offered(folder)[0]] == ["above", "below"]


def test_a_photograph_without_instances_has_none(folder):
    folder.photograph("A clock above a dog.", annotated=False)
    assert offered(folder) == ([], {"photograph is not annotated": 1})
