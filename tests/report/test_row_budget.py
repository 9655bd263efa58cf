"""A page keeps to its room, however large the run: the most telling rows come first."""

import pytest

from tests.report.pages import image, passing, results, rows, verdict
from tests.report.reading import view
from vlcheck.report.page import draw
from vlcheck.report.page.images import Album
from vlcheck.report.page.row_budget import MOST, Room
from vlcheck.report.page.survey import FIRST, by_interest
from vlcheck.results.schema import record_of


def many(verdicts, of, status="fail", **changes):
    """A large run: as many verdicts with as many rows."""
    make = verdict if status == "fail" else passing
    margins = {f"case {place}": 0.001 * place - 1 for place in range(of)}
    return [(make(f"test_{status}_{number}", "mlm"), rows(margins, **changes)) for number in range(verdicts)]


def shown(found, **options):
    return {one.title.text: len(one.rows) for group in view(found, **options).groups for one in group.verdicts}


def test_failing_verdicts_get_their_rows_first_and_every_verdict_gets_three():
    found = results(*many(2, 200), *many(2, 200, "pass"))
    assert shown(found) == {
        "fail 0": MOST["fail"],
        "fail 1": MOST["fail"],
        "pass 0": MOST["pass"],
        "pass 1": MOST["pass"],
    }
    room = Room(rows=40, characters=10_000_000)
    assert shown(found, room=room) == {"fail 0": 17, "fail 1": 17, "pass 0": FIRST, "pass 1": FIRST}
    assert view(found, room=room).shown == "40 of 800 rows"


def test_however_large_the_run_the_page_keeps_to_its_room():
    found = results(*many(60, 60))
    counts = shown(found)
    assert sum(counts.values()) <= 2_000
    assert min(counts.values()) >= 30


def test_long_texts_and_large_pictures_take_room_too():
    room = Room(rows=2_000, characters=2_000_000)
    long = results(*many(3, 100, texts=["<" * 10_000, "&" * 10_000]))
    assert len(draw(long, source="r", room=room).encode()) < 2_500_000
    assert 9 <= sum(shown(long, room=room).values()) < 30
    pairs = many(3, 100)
    for place, line in enumerate(line for _, evidence in pairs for line in evidence):
        line["image"] = f"i{place}"
    large = image("", jpeg=image("")["jpeg"] + "A" * 40_000)  # what follows the picture's end is not shown
    found = results(*pairs, images=[large | {"key": f"i{place}"} for place in range(300)])
    assert len(draw(found, source="r", room=room).encode()) < 2_500_000
    assert 9 <= sum(shown(found, room=room).values()) < 50


def test_pictures_that_are_shared_cost_once():
    line = record_of(image("red"))
    album = Album({"red": line})
    assert album.cost(["red", "red", "absent", None]) == len(line.jpeg)
    album.get("red")
    assert album.cost(["red"]) == 0


@pytest.mark.parametrize(("count", "most", "places"), [(0, 9, []), (1, 9, [0]), (2, 9, [0, 1]), (5, 3, [0, 2, 4])])
def test_the_most_telling_rows_are_the_ends_and_the_middle(count, most, places):
    assert by_interest(count, most) == places


def test_of_many_rows_a_tenth_each_is_around_the_median_and_the_best():
    places = by_interest(1_000, 20)
    assert sorted(places) == [*range(16), 499, 500, 998, 999]
