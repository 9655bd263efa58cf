"""Pictures of a page: which of them are large, and the text that stands for them."""

import base64

import pytest
from PIL import Image

from tests.report.pages import bare, image, mean, passing, results, row, verdict
from vlcheck.report.page import draw
from vlcheck.report.page.document import page_view
from vlcheck.report.page.row_budget import Room
from vlcheck.scoring.render import large_jpeg, thumbnail_jpeg


def pairs(*verdicts, rows=6):
    """Verdicts with rows that have pictures of their own, the worst first."""
    for number, line in enumerate(verdicts):
        keys = [(f"{number}-{place}", f"{number}-{place}-after") for place in range(rows)]
        yield line, [row(one, -0.5 + place / 20, image=one, perturbed=two) for place, (one, two) in enumerate(keys)]


def pictures(*made, large=None):
    """A line for each picture of these rows; a large copy has twice the size of the small one."""
    copy = image("", size=(512, 256))["jpeg"] if large is None else large
    keys = [key for _, evidence in made for one in evidence for key in (one["image"], one["perturbed"])]
    return [image(key, size=(256, 128), shown=(1024, 512), large=copy) for key in keys]


def verdicts_of(found, **options):
    view = page_view(found, source="r", **{"room": Room(), **options})
    return [one for group in view.groups for one in group.verdicts]


def widths(found, **options):
    """The width of each row's first picture, by rank, of each verdict."""
    return [{each.rank: each.sides[0].picture.width for each in one.rows} for one in verdicts_of(found, **options)]


def test_the_three_worst_rows_have_large_pictures():
    made = list(pairs(verdict()))
    (by_rank,) = widths(results(*made, images=pictures(*made)))
    assert [by_rank[rank] for rank in range(1, 7)] == [512, 512, 512, 256, 256, 256]


def test_where_few_fit_the_worst_rows_of_the_gravest_verdicts_have_them():
    made = list(pairs(passing("test_holds", "mlm"), verdict(), verdict("test_second")))
    lines = pictures(*made)
    most = 2 * len(lines[0]["large"])  # before and after of one row
    by_verdict = [
        sorted(rank for rank, width in by_rank.items() if width == 512)
        for by_rank in widths(results(*made, images=lines), room=Room(large=2 * most))
    ]
    assert sorted(by_verdict) == [[], [1], [1]]
    assert by_verdict[-1] == []  # the one that passes
    assert all(512 not in each.values() for each in widths(results(*made, images=lines), room=Room(large=most - 1)))


def test_no_row_gives_way_to_large_pictures():
    made = list(pairs(verdict(), rows=60))
    room = Room(rows=2_000, characters=400_000)
    few, many = (
        page_view(results(*made, images=images), source="r", room=room).shown
        for images in ([one | {"large": None} for one in pictures(*made)], pictures(*made))
    )
    assert int(many.split()[0]) >= int(few.split()[0]) > 10


@pytest.mark.parametrize("large", ["", "####", "aGVsbG8=", 7, "</style><script>"])
def test_a_large_copy_that_is_none_leaves_the_small_one(large):
    made = list(pairs(verdict(), rows=1))
    (by_rank,) = widths(results(*made, images=pictures(*made, large=large)))
    assert by_rank == {1: 256}


def test_results_of_older_versions_have_small_pictures_and_one_box():
    found = results((verdict(), [row("one", -0.2)]), images=[image("red"), image("grey")])
    page = draw(found, source="r")
    assert page.count('class="box other"') == 0
    assert page.count('class="box"') == 2 * 2  # what fails, and the row
    assert 'class="picture p0"' in page


def described(found):
    view = page_view(found, source="r", room=Room())
    return [side.label for group in view.groups for one in group.verdicts for each in one.rows for side in each.sides]


def test_a_description_has_caption_edit_and_boxes():
    boxes = {"boxes": [[0, 0, 20, 20], [200, 90, 30, 30]], "perturbed_boxes": [[120, 60, 10, 10]]}
    other = {"other_boxes": [[100, 100, 50, 28]], "perturbed_other_boxes": []}
    found = results(
        (verdict(), [row("ball", -0.2, **boxes, **other, perturbation="mirror v1 + blur(0.004) v12")]),
        images=[image("red"), image("grey")],
    )
    assert described(found) == [
        "before mirror + blur(0.004): 'a photo of a [MASK]', ball; 2 boxes around what 'bus' is about: top left,"
        " bottom right; dashed box around the other thing: bottom",
        "after mirror + blur(0.004): 'a grey photo of a [MASK]', ball; box around what 'bus' is about: middle",
    ]


def test_a_description_says_where_one_picture_stands_alone_or_is_the_same_or_is_missing():
    same = row("same", -0.3, perturbed="red", perturbation="swap-sides v1", boxes=[], perturbed_boxes=[])
    alone = bare("alone", 0.4) | {"boxes": None, "image": "lost"}
    found = results((verdict(), [same]), (mean(), [alone]), images=[image("red")])
    assert described(found) == [
        "before swap-sides: 'a photo of a [MASK]', same",
        "after swap-sides: 'a grey photo of a [MASK]', same; the same picture as before, another text",
        "'a dog to the [MASK] of a cat', alone: no picture in the results",
    ]


def test_a_description_is_short_and_shows_what_is_hidden():
    found = results((verdict(), [row("\u202e" * 99, -0.1, texts=["long " * 999, "\x07"])]), images=[image("red")])
    before, after = described(found)
    assert len(before) < 800
    assert "\u202e" not in before
    assert "␇" in after


def copies(path):
    """The copies of a photograph as a run keeps them."""
    with Image.open(path) as image:
        jpegs = [base64.b64encode(make(image.convert("RGB"))).decode() for make in (thumbnail_jpeg, large_jpeg)]
        return dict(zip(("jpeg", "large"), jpegs, strict=True)), image.size


@pytest.mark.slow
def test_2000_rows_on_photographs_fit_with_the_worst_of_each_verdict_large(photographs_root):
    paths = sorted(photographs_root.glob("*/*.jpg"))[:60]
    images, sizes = [], []
    for path in paths:
        kept, shown = copies(path)
        images.append(image(path.stem, shown=shown, **kept))
        sizes.append(shown)
    keys = [path.stem for path in paths]
    made = [
        (
            verdict(f"test_{place:02}"),
            [row(f"{at}", at / 200 - 0.5, image=key) for at, key in enumerate((keys[place:] + keys)[:50])],
        )
        for place in range(40)
    ]
    found = results(*made, images=images)
    page = draw(found, source="r")
    assert page.count('<article class="row"') == 2_000
    assert len(page.encode()) < 15_000_000
    worst = [row.sides[0].picture for row in (verdict.rows[0] for verdict in verdicts_of(found))]
    assert [max(one.width, one.height) for one in worst] == [min(512, max(sizes[place])) for place in range(40)]
