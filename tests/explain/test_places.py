"""A thing of one photograph in nine places: in the terminal, and in the picture that is drawn."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import vlcheck
from tests.cli.test_cli import typed
from tests.doubles import Hashes, NotANumber
from vlcheck.cases.box import Box
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.places import read_box, with_thing
from vlcheck.explain.single_image import BracketedCaption, score_views
from vlcheck.perturb import CELLS
from vlcheck.report.single_image.figure import figure_lines
from vlcheck.report.single_image.png import draw_png

TEXT, WORDS = "a photo of a [{}]", "ball,boat,book"
HOLDS = "holds: less than 0.1 under the score in the middle; falls: more"


@pytest.fixture(scope="module")
def thing(tmp_path_factory):
    """A drawn thing: its picture, the sentence about it, and its box as it is typed."""
    cases = vlcheck.open_cases("scenes:300").select(vlcheck.with_target("single"))
    case = next(case for case in cases if case.target not in WORDS.split(","))
    path = tmp_path_factory.mktemp("photographs") / "thing.png"
    case.image.open().save(path)
    return path, TEXT.format(case.target), ",".join(f"{edge:.1f}" for edge in case.region[0])


def asked(model, thing, words=WORDS):
    path, text, box = thing
    return score_views(model, BracketedCaption.read(text, words), path, box=read_box(box))


def outcomes(figure):
    """Return for each metric the cells that hold."""
    return {
        metric: [cell for cell, one in scores.by_cell.items() if one.holds]
        for metric, scores in figure.places.scores.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "holding"), [("tiny-center", ("falls holds falls", "falls")), ("tiny", ("holds holds holds", "holds"))]
)
def test_typed_a_model_of_the_middle_loses_the_other_cells_and_a_sound_one_none(thing, tmp_path, model, holding):
    path, text, box = thing
    done = typed("look", path, text, "--words", WORDS, "--model", model, "--box", box, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    middle, corners = holding
    for metric in ("MLM", "ITM"):
        top, row, bottom = lines[lines.index(metric) + 2 : lines.index(metric) + 5]
        assert " ".join(row.split()[2::2]) == middle
        assert {line.split()[at] for line in (top, bottom) for at in (2, 6)} == {corners}
    assert HOLDS in lines
    assert "not asked: the thing in other places" not in done.stdout
    with Image.open(tmp_path / "look.png") as drawn:
        assert drawn.height > 1000  # four views alone are lower


def test_the_scores_are_those_of_the_test_of_the_suite(thing):
    """The cells are the views of `test_other_cells_preserve`, asked with the sentence that was typed."""
    figure = asked(vlcheck.load_model("tiny-center"), thing)
    assert outcomes(figure) == {"mlm": ["middle"], "itm": ["middle"]}
    for scores in figure.places.scores.values():
        assert tuple(scores.by_cell) == CELLS
        middle = scores.by_cell["middle"]
        assert middle.loss == 0
        for one in scores.by_cell.values():
            assert one.loss == pytest.approx(middle.score - one.score)
            assert one.holds == (one.loss < 0.1)


def test_cells_are_drawn_the_darker_the_more_is_lost(thing):
    figure = asked(vlcheck.load_model("tiny-center"), thing)
    shares = {one.cell: one.share for one in figure.places.scores["itm"].cells}
    assert shares["middle"] == 0
    assert shares["top left"] > 0.5
    with_grid, without = (
        np.asarray(Image.open(io.BytesIO(draw_png(one)))) for one in (figure, replace(figure, places=None))
    )
    assert len(with_grid) > len(without) + 200
    assert (with_grid[: len(without) - 30] == without[: len(without) - 30]).all()


def test_a_model_that_does_not_know_the_thing_holds_and_loses_nothing(thing):
    class Constant(Hashes):
        def itm(self, encoded, texts, foils=None):
            return np.full(len(texts), 0.7)

        def mlm(self, encoded, texts, words, top=0):
            raise NotApplicable("no words today")

    figure = asked(Constant(cases=()), thing)
    assert outcomes(figure) == {"mlm": [], "itm": []}
    text = "\n".join(figure_lines(figure))
    assert "ITM: no cell holds or falls: the model does not know the thing in the middle" in text
    assert "more than 0.15 above that of the blocked photograph" in text
    assert "MLM: no words today" in text
    assert HOLDS not in text
    assert draw_png(figure).startswith(b"\x89PNG")


def test_a_cell_that_a_model_refuses_is_crossed_out_and_says_why(thing):
    class Centered(Hashes):
        def encode(self, images):
            if any(np.asarray(image)[:42, :42].std(axis=(0, 1)).any() for image in images):
                raise NotApplicable("nothing may lie in a corner")
            return super().encode(images)

    figure = asked(Centered(cases=()), thing)
    cells = {one.cell: one for one in figure.places.scores["itm"].cells}
    assert (cells["top left"].share, cells["top left"].lines) == (None, ("no score",))
    assert [cell for cell, one in cells.items() if one.share is None] == ["top left"]
    assert "ITM: nothing may lie in a corner" in list(figure_lines(figure))


def test_without_a_score_of_the_blocked_photograph_no_cell_holds_or_falls(thing):
    class Lit(Hashes):
        def encode(self, images):
            if any(not image.getbbox() for image in images):
                raise NotApplicable("nothing to see")
            return super().encode(images)

    figure = asked(Lit(cases=()), thing)
    assert outcomes(figure) == {"mlm": [], "itm": []}
    assert "ITM: no cell holds or falls: the blocked photograph has no score" in list(figure_lines(figure))


def test_a_score_that_is_no_number_neither_holds_nor_falls(thing):
    class Nothing(Hashes):
        _fill = NotANumber._fill
        _match = NotANumber._match

    figure = asked(Nothing(cases=()), thing)
    middle = figure.places.scores["itm"].by_cell["middle"]
    assert (str(middle.score), middle.holds) == ("nan", None)
    assert {one.share for one in figure.places.scores["itm"].cells} == {None}
    assert HOLDS not in list(figure_lines(figure))
    assert draw_png(figure).startswith(b"\x89PNG")


@pytest.mark.slow
def test_without_a_box_a_line_says_how_to_ask(thing, tmp_path):
    path, text, _ = thing
    done = typed("look", path, text, "--model", "tiny", cwd=tmp_path)
    assert "not asked: the thing in other places; --box X,Y,WIDTH,HEIGHT (e.g. --box " in done.stdout
    assert "alone in each cell" not in done.stdout


@pytest.mark.parametrize(
    "box", ["", "1,2,3", "1,2,3,4,5", "1,2,0,4", "1,2,3,0.0", "-1,2,3,4", "a,b,c,d", "nan,1,1,1", "1e3,1,1,1"]
)
def test_what_is_no_box_is_refused_with_an_example(box):
    with pytest.raises(UsageError, match=r"has to be X,Y,WIDTH,HEIGHT in pixels.*box=120,80,60,90"):
        read_box(box)


def test_a_box_may_have_spaces_and_fractions():
    assert read_box(" 1, 2.5 ,3,4.25") == Box(1, 2.5, 3, 4.25)


@pytest.mark.parametrize("box", [Box(100, 0, 29, 5), Box(0, 120, 5, 8.5), Box(0, 0, 1e300, 1)])
def test_a_box_outside_the_photograph_is_refused_with_its_size(thing, box):
    path, text, _ = thing
    with pytest.raises(UsageError, match=r"is not inside the photograph, which has 128 x 128 pixels: X \+ WIDTH is"):
        with_thing(BracketedCaption.read(text).case(path), box)


def test_typed_a_box_outside_is_refused_by_its_option_before_a_model_is_loaded(thing, tmp_path):
    path, text, _ = thing
    done = typed("look", path, text, "--model", "absent.pth", "--box", "100,100,29,5", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("Error: --box 100,100,29,5: is not inside the photograph")


def test_a_word_for_a_place_names_no_thing(thing):
    case = BracketedCaption.read("a ball [Left] of a tree").case(thing[0])
    with pytest.raises(UsageError, match=r"'Left' says where it is\. Put the brackets around its name"):
        with_thing(case, Box(1, 1, 5, 5))
