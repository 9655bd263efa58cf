"""Places of things, and whether they are named."""

from tests.audit.corpora import audited
from vlcheck.audit.audit import audit_corpus
from vlcheck.audit.caption import Caption
from vlcheck.audit.checks.places import CENTRED, MIDDLE_ONLY

MIDDLE, CORNER = ("cup", 0.3, 0.3, 0.4, 0.4), ("dog", 0.0, 0.0, 0.2, 0.2)


def pictures(text, boxes, number=100):
    return [Caption(f"{text} {at}", str(at), boxes) for at in range(number)]


def test_only_the_middle_is_named():
    found = audited(pictures("a cup", (MIDDLE, CORNER)), "places-named")
    assert (found.n, found.count, found.cause) == (100, 100, MIDDLE_ONLY)
    assert [(part.n, part.count) for part in found.parts] == [(100, 100), (100, 0)]


def test_things_everywhere_are_named():
    assert audited(pictures("a cup and a dog", (MIDDLE, CORNER)), "places-named").cause == ""


def test_few_pictures_name_no_cause():
    assert audited(pictures("a cup", (MIDDLE, CORNER), 5), "places-named").cause == ""


def test_a_category_is_named_by_any_of_its_words():
    boxes = (("sports ball", 0.3, 0.3, 0.4, 0.4), ("fire hydrant", 0.0, 0.0, 0.3, 0.3), ("person", 0.7, 0.7, 0.3, 0.3))
    found = audited(pictures("a woman throws a ball over a fire hydrant", boxes), "places-named")
    assert [(part.n, part.count) for part in found.parts] == [(100, 100), (200, 200)]


def test_things_in_the_middle_alone_are_a_cause():
    report = audit_corpus([pictures("a cup", (MIDDLE,))])
    found = {one.check: one for one in report.findings}
    assert found["places-middle"].cause == CENTRED
    assert (found["places-named"].n, found["places-named"].says) == (
        0,
        "No thing is outside the middle of a picture, so that nothing can be compared.",
    )


def test_without_boxes_no_place_is_examined():
    found = audited([Caption("a cup")], "places-named")
    assert (found.n, found.says) == (0, "No boxes of things were given.")


def test_small_things_do_not_count():
    found = audited(pictures("a cup", (MIDDLE, CORNER, ("bird", 0.8, 0.8, 0.1, 0.1))), "places-named")
    assert [(part.n, part.count) for part in found.parts] == [(100, 100), (100, 0)]
    assert (
        "No boxes of large things" in audited(pictures("a bird", (("bird", 0.8, 0.8, 0.1, 0.1),)), "places-named").says
    )
