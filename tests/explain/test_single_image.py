"""One photograph, its three edits and what is said of them: the suite's own numbers, drawn and in the terminal."""

import io
import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.test_cli import typed
from tests.doubles import Hashes, NotANumber
from tests.plugin.conftest import ROOT, project  # noqa: F401 - a fixture
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.explain.single_image import EXAMPLE, BracketedCaption, score_views
from vlcheck.models.loading.load import load_model
from vlcheck.report.single_image.change import Expected
from vlcheck.report.single_image.figure import figure_lines
from vlcheck.report.single_image.fonts import legible, wrapped
from vlcheck.report.single_image.png import WIDTH, Sheet, draw_png, is_figure_file

TEXT = "a woman holds a racket in her [left] hand"
STATES = """
    from vlcheck.cases import with_target
    from vlcheck.expect import Swaps
    from vlcheck.perturb import Block, Grayscale, Mirror
    from vlcheck import behavior

    BIAS = "position"
    hands = with_target("hand")

    @behavior(cases=hands, perturb=Block(), expect=Swaps(), metrics=("mlm", "itm"))
    def test_blocked(verdict): pass

    @behavior(cases=hands, perturb=Grayscale(), expect=Swaps(), metrics=("mlm", "itm"))
    def test_grey(verdict): pass

    @behavior(cases=hands, perturb=Mirror(), expect=Swaps(), metrics=("mlm", "itm"))
    def test_mirrored(verdict): pass
"""


@pytest.fixture
def photograph(coco_root):
    return min((coco_root / "val2017").glob("*.jpg"))


@pytest.fixture(scope="module")
def tiny():
    return load_model("tiny-right")


def shares(figure, metric):
    return {panel.name: dict(panel.scores[metric].shares) for panel in figure.panels}


def reasons(figure, metric):
    return [panel.scores[metric].reason for panel in figure.panels]


def blind(**changes):
    """A double that knows no photograph, and answers all the same."""
    made = Hashes(cases=())
    made.name, made.metrics = "blind", frozenset(changes.get("metrics", {"mlm", "itm"}))
    made.kinds = made.kinds | changes.get("kinds", {})
    return made


def test_the_numbers_are_those_of_a_run_of_the_suite(project, photograph, tiny):  # noqa: F811 - the fixture
    shutil.copy(photograph, project.folder / "data" / "photograph.jpg")
    caption = TEXT.replace("[left]", "left")
    case = {"image": "photograph.jpg", "caption": caption, "target": "left", "tags": ["hand"], "candidates": ["right"]}
    (project.folder / "data" / "cases.jsonl").write_text(json.dumps(case))
    project.pytester.makepyfile(test_states=STATES)
    project.run("--vl-model=tiny-right", model="")
    figure = score_views(tiny, BracketedCaption.read(TEXT), photograph)
    rows = {(row["test"].partition("::")[2], row["metric"]): row for row in project.results("evidence")}
    assert len(rows) == 6
    for (test, metric), row in rows.items():
        seen = shares(figure, metric)
        before, after = seen["original"], seen[test.removeprefix("test_").partition("[")[0]]
        assert (before["left"], after["left"]) == pytest.approx((row["before"], row["after"]), abs=1e-6)
        for said, raw in zip((before, after), row["scores"], strict=True):
            total = sum(raw.values()) if metric == "mlm" else 1
            assert said == pytest.approx({word: raw[word] / total for word in ("left", "right")}, abs=1e-6)
    original = figure.panels[0].scores["mlm"]
    raw = rows["test_mirrored[mlm]", "mlm"]["scores"][0]
    assert original.together == pytest.approx(raw["left"] + raw["right"], abs=1e-6)
    assert [word for word, _ in original.top] == [word for word, _ in rows["test_mirrored[mlm]", "mlm"]["top_before"]]


def test_a_side_is_compared_with_the_opposite_one_and_another_word_with_nothing():
    assert BracketedCaption.read("a lamp [Above] a table").others == ("below",)
    assert BracketedCaption.read("a [red] bus").others == ()
    assert BracketedCaption.read("a [red] bus", "blue, red ,green,Blue").others == ("Blue", "green")


def test_words_are_shares_of_one_and_their_sum_is_kept(photograph):
    figure = score_views(blind(), BracketedCaption.read(TEXT, "left,right,other"), photograph)
    for panel in figure.panels:
        scores = panel.scores["mlm"]
        assert list(scores.shares) == ["left", "right", "other"]
        assert sum(scores.shares.values()) == pytest.approx(1)
        assert 0 < scores.together < 1


def test_a_model_of_one_metric_says_why_in_the_others_place(photograph):
    figure = score_views(blind(metrics={"itm"}), BracketedCaption.read(TEXT), photograph)
    assert set(reasons(figure, "mlm")) == {"blind has no mlm: it offers itm"}
    text = "\n".join(figure_lines(figure))
    assert "MLM: not asked" in text
    assert "(1) blind has no mlm: it offers itm" in text
    assert text.split("original")[1].split()[:3] == ["(1)", "(1)", "-"]


def test_what_only_compares_is_asked_against_every_other_word(photograph):
    asked = []

    class Ranks(Hashes):
        def itm(self, encoded, texts, foils=None):
            asked.extend((text, tuple(sorted(against))) for text, against in zip(texts, foils, strict=True))
            return np.full(len(texts), 1 / 3)

    model = Ranks(cases=())
    model.kinds = model.kinds | {"itm": "contrastive"}
    score_views(model, BracketedCaption.read("a [red] bus", "blue,green"), photograph)
    assert set(asked) == {
        ("a red bus", ("a blue bus", "a green bus")),
        ("a blue bus", ("a green bus", "a red bus")),
        ("a green bus", ("a blue bus", "a red bus")),
    }


@pytest.mark.parametrize("kinds", [{"itm": "contrastive"}, {"itm": "ranking"}, {"mlm": "candidates"}])
def test_what_only_compares_needs_another_word(photograph, kinds):
    with pytest.raises(UsageError, match=r"words is missing: .* only compares words.*words=red,WORD"):
        score_views(blind(kinds=kinds), BracketedCaption.read("a [red] bus"), photograph)


def test_a_view_that_a_model_refuses_says_so_alone(photograph):
    class Regions(Hashes):
        def encode(self, images):
            if any(not image.getbbox() for image in images):
                raise NotApplicable("no regions of a picture that was edited")
            return super().encode(images)

    figure = score_views(Regions(cases=()), BracketedCaption.read(TEXT), photograph)
    assert reasons(figure, "itm") == ["", "no regions of a picture that was edited", "", ""]
    assert len(figure.reasons) == 1
    assert figure.answered


def test_a_grey_photograph_is_not_greyed(photograph, tmp_path):
    Image.open(photograph).convert("L").save(tmp_path / "grey.png")
    figure = score_views(blind(), BracketedCaption.read(TEXT), tmp_path / "grey.png")
    assert reasons(figure, "mlm") == ["", "", "the photograph is grey already", ""]


def test_each_view_has_its_map_with_the_values_of_words_or_says_why_not(photograph, tmp_path, tiny):
    Image.open(photograph).convert("L").save(tmp_path / "grey.png")
    methods = [METHODS["saliency"], METHODS["gradcam"]]
    said = BracketedCaption.read(EXAMPLE)
    figure = score_views(tiny, said, tmp_path / "grey.png", methods)
    for panel in figure.panels:
        by_words, by_patches = panel.maps.values()
        if panel.name == "grey":
            assert by_words.reason == by_patches.reason == "the photograph is grey already"
            assert by_words.cells is None
            continue
        assert by_words.cells.shape == by_patches.cells.shape == (8, 8)
        assert [token for token, _ in by_words.tokens] == said.caption.split()
        assert len({value for _, value in by_words.tokens}) == len(by_words.tokens)
        assert by_patches.tokens == ()
    lines = [*figure_lines(figure)]
    assert [line for line in lines if "no map" in line] == ["grey: no map: the photograph is grey already"]
    without = replace(figure, panels=tuple(replace(panel, maps={}) for panel in figure.panels))
    wordless = replace(figure, panels=tuple(replace(panel, maps=_wordless(panel.maps)) for panel in figure.panels))
    plain, wordless, full = (Image.open(io.BytesIO(draw_png(one))).height for one in (without, wordless, figure))
    assert plain < wordless < full


class Later(Saliency):
    """Saliency that is sound on the picture that it is tried on, and changes its maps or raises from then on."""

    def __init__(self, change):
        self.change, self.tried = change, False

    def maps(self, model, inputs):
        found = super().maps(model, inputs)
        if self.tried:
            return self.change(found)
        self.tried = True
        return found


def leave(_):
    sys.exit(0)


def fail(_):
    raise ValueError("late")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda maps: replace(maps, units=maps.units * torch.nan), "the map is not finite"),
        (lambda maps: replace(maps, tokens=maps.tokens * torch.inf), "the map is not finite"),
        (lambda maps: replace(maps, units=maps.units * 0), "the map is 0 everywhere"),
        (lambda maps: replace(maps, units=maps.units[:, :5]), "its values have the shape (5,), and there are 64 units"),
        (lambda maps: replace(maps, tokens=maps.tokens[:, :2]), "its values have the shape (2,), and there are "),
        (leave, "SystemExit: 0"),
        (fail, "ValueError: late ("),
    ],
    ids=["NaN", "infinite words", "zero", "few units", "few tokens", "exit", "error"],
)
def test_a_map_that_says_nothing_leaves_its_reason_and_the_scores(photograph, tiny, change, said):
    figure = score_views(tiny, BracketedCaption.read(EXAMPLE), photograph, [Later(change)])
    maps = [one for panel in figure.panels for one in panel.maps.values()]
    assert [(one.cells, one.reason.startswith(said)) for one in maps] == [(None, True)] * 4
    assert len([line for line in figure_lines(figure) if "no map: " in line]) == 4
    assert figure.answered


def _wordless(maps):
    return {title: replace(one, tokens=()) for title, one in maps.items()}


def test_orientation_depth_and_inks_are_read_as_those_of_cases(photograph, tmp_path):
    upright = Image.open(photograph).convert("RGB").resize((96, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.save(tmp_path / "turned.jpg", exif=exif)
    upright.convert("CMYK").save(tmp_path / "inks.jpg")
    deep = np.asarray(upright.convert("L")).astype(np.uint16) * 256
    Image.fromarray(deep).save(tmp_path / "deep.png")
    shown = {
        name: score_views(blind(), BracketedCaption.read(TEXT), tmp_path / name).panels[0].image
        for name in ("turned.jpg", "inks.jpg", "deep.png")
    }
    assert {name: (image.mode, image.size) for name, image in shown.items()} == {
        "turned.jpg": ("RGB", (64, 96)),
        "inks.jpg": ("RGB", (96, 64)),
        "deep.png": ("RGB", (96, 64)),
    }
    assert np.asarray(shown["deep.png"])[..., 0].max() == np.asarray(upright.convert("L")).max()


def test_a_figure_keeps_no_more_of_a_large_photograph_than_it_shows(photograph, tmp_path):
    with Image.open(photograph) as image:
        image.resize((3000, 2000)).save(tmp_path / "large.jpg")
    assert {
        panel.image.width for panel in score_views(blind(), BracketedCaption.read(TEXT), tmp_path / "large.jpg").panels
    } == {WIDTH}


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("a man", "", "has to have one word in brackets"),
        ("a [man] in a [hat]", "", "one word in brackets, and no other bracket"),
        ("a [[left]] hand", "", "one word in brackets, and no other bracket"),
        ("a [left hand", "", "one word in brackets"),
        ("a [] hand", "", "the true word in its brackets"),
        ("a [ ] hand", "", "the true word in its brackets"),
        ("his [MASK] hand", "", "the true word in its brackets"),
        ("his [left] hand, left", "", '"left" is 2 times in'),
        ("a [left]over", "", '"left" is part of a longer word'),
        (f"a [left] {'x' * 10_000}", "", "has 10009 characters; at most 2000"),
        ("a [left] \udc80", "", "no UTF-8"),
        ("a [left] hand", "left,,right", "words with commas between them"),
        ("a [left] hand", "[MASK]", "is no word"),
        ("a [left] hand", "a,b,c,d,e,f,g,h", "at most 8"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_with_what_would_be(text, words, said):
    with pytest.raises(UsageError) as raised:
        BracketedCaption.read(text, words)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 500
    if "bracket" in said:
        assert EXAMPLE in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.jpg", None, "no such photograph"),
        ("text.jpg", b"no picture", "not a picture that decodes"),
        ("cut.jpg", "cut", "not a picture that decodes"),
        ("huge.png", "huge", "megapixels"),
    ],
)
def test_a_file_that_is_no_photograph_is_named(photograph, tmp_path, name, content, said):
    if content == "cut":
        content = photograph.read_bytes()[:8_000]
    if content == "huge":
        Image.new("1", (20_000, 6_000)).save(tmp_path / name)
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"{name}: .*{said}"):
        BracketedCaption.read(TEXT).case(tmp_path / name)


def test_the_drawing_has_four_panels_and_knows_itself(photograph, tmp_path):
    figure = score_views(blind(), BracketedCaption.read(TEXT), photograph)
    (tmp_path / "look.png").write_bytes(draw_png(figure))
    image = Image.open(tmp_path / "look.png")
    assert image.width == WIDTH
    assert is_figure_file(tmp_path / "look.png")
    pixels = np.asarray(image.convert("RGB")).astype(int)
    inked = (pixels.min(axis=(0, 2)) < 250).astype(int)  # columns: four panels with three white gaps between
    inside = inked[inked.argmax() : len(inked) - inked[::-1].argmax()]
    below = pixels[300:400].min(axis=(0, 2)) < 250
    assert np.count_nonzero(np.diff(below.astype(int)) == 1) == 4
    assert len(inside) > WIDTH * 0.9


def test_a_score_that_is_no_number_is_drawn_and_said(photograph):
    class Nothing(Hashes):
        _fill = NotANumber._fill
        _match = NotANumber._match

    figure = score_views(Nothing(cases=()), BracketedCaption.read(TEXT), photograph)
    assert "original" in "\n".join(figure_lines(figure))
    assert "nan" in "\n".join(figure_lines(figure))
    assert draw_png(figure).startswith(b"\x89PNG")


def test_long_and_foreign_texts_stay_on_the_page(photograph):
    said = BracketedCaption.read(f"a [left] {'word ' * 300}{'x' * 400}", "правая,左,\u202eright")
    figure = score_views(blind(), said, photograph)
    image = Image.open(io.BytesIO(draw_png(figure)))
    assert image.width == WIDTH
    assert image.height < 1600
    assert "\u202e" not in "\n".join(figure_lines(figure))


def test_lines_are_as_wide_as_the_sheet_at_most():
    _, font = legible("x", 18)
    text = f"a photograph {'x' * 300} of a bus"
    found = list(wrapped(text, font, 200))
    assert max(font.getlength(line) for line in found) <= 200
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    sheet = Sheet(200)
    sheet.write("word " * 500, 18, "black", most=3)
    assert sheet.height == 3 * round(18 * 1.35)


def test_a_character_that_no_font_has_is_written_as_its_number():
    assert legible("left", 18)[0] == "left"
    assert legible("a\U000f0000", 18)[0] == "a\\U000f0000"


@pytest.mark.slow
def test_typed_it_draws_and_says_and_replaces_its_own_picture_alone(photograph, tmp_path, monkeypatch):
    monkeypatch.setenv("VLCHECK_TEST_DATA", "scenes:1")  # of the double
    asked = (photograph, TEXT, "--vl-model", f"{ROOT}/tests/doubles.py:hashes")
    done = typed("look", *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[5:9]] == ["original", "blocked", "grey", "mirrored"]
    assert done.stdout.endswith("picture: look.png\n")
    (tmp_path / "mine.png").write_bytes((tmp_path / "look.png").read_bytes())
    shutil.copy(photograph, tmp_path / "photo.png")
    (tmp_path / "link.png").symlink_to("new.png")
    for to, status, said in (
        ("mine.png", 0, ""),
        ("photo.png", 4, "is there and is no picture of vlcheck's"),
        ("link.png", 0, ""),
        ("look.jpg", 4, "has to end in .png"),
        ("absent/look.png", 4, "there is no folder absent"),
    ):
        again = typed("look", *asked, f"--to={to}", cwd=tmp_path)
        assert (again.returncode, said in again.stderr) == (status, True), again.stderr
    assert (tmp_path / "photo.png").read_bytes() == photograph.read_bytes()
    assert (tmp_path / "new.png").read_bytes() == (tmp_path / "look.png").read_bytes()
    assert (tmp_path / "link.png").is_symlink()
    itself = typed("look", "look.png", *asked[1:], cwd=tmp_path)
    assert (itself.returncode, "--to look.png: is what IMAGE names as well" in itself.stderr) == (4, True)


def test_without_any_score_it_ends_with_1(photograph, tmp_path, monkeypatch):
    monkeypatch.setenv("VLCHECK_TEST_DATA", "scenes:1")
    done = typed("look", photograph, TEXT, "--vl-model", f"{ROOT}/tests/doubles.py:encodes_nothing", cwd=tmp_path)
    assert done.returncode == 1
    assert "(1) TypeError" in done.stdout


def test_bars_are_neutral_and_the_true_word_of_each_view_is_marked(photograph):
    grey = Image.new("RGB", (64, 48), (128, 128, 128))
    figure = score_views(blind(), BracketedCaption.read(TEXT), photograph)
    assert [panel.true for panel in figure.panels] == ["left", "", "left", "right"]
    figure = replace(figure, panels=tuple(replace(panel, image=grey) for panel in figure.panels))
    pixels = np.asarray(Image.open(io.BytesIO(draw_png(figure))).convert("RGB")).astype(int)
    assert (pixels.max(axis=2) - pixels.min(axis=2)).max() < 40  # no red, no green
    table = [line.split() for line in figure_lines(figure)][5:9]
    assert [[cell.endswith("*") for cell in (row[1], row[2], row[4], row[5])] for row in table] == [
        [True, False, True, False],
        [False, False, False, False],
        [True, False, True, False],
        [False, True, False, True],
    ]


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [
        (TEXT, "", [None, ("falls", "left"), ("stays", "left"), ("swaps", "right")]),
        ("a lamp [above] a table", "", [None, ("falls", "above"), ("stays", "above"), ("stays", "above")]),
        ("a [red] bus", "red,blue", [None, ("falls", "red"), ("falls", "red"), ("stays", "red")]),
        ("a [white] bus", "white,blue", [None, ("falls", "white"), ("stays", "white"), ("stays", "white")]),
        ("her [left] hand", "left,up", [None, ("falls", "left"), ("stays", "left"), ("falls", "left")]),
    ],
)
def test_each_edit_has_what_should_change(photograph, text, words, wanted):
    panels = score_views(blind(), BracketedCaption.read(text, words), photograph).panels
    assert [one.expected and (one.expected.claim, one.expected.word) for one in panels] == wanted


@pytest.mark.parametrize(
    ("expected", "after", "line"),
    [
        (Expected("falls", "left"), {"left": 0.3, "right": 0.7}, "'left' should fall (mlm: falls by 0.500)"),
        (Expected("falls", "left"), {"left": 0.9, "right": 0.1}, "'left' should fall (mlm: rises by 0.100)"),
        (Expected("stays", "left"), {"left": 0.8, "right": 0.2}, "'left' should stay (mlm: is the same)"),
        (Expected("swaps", "right"), {"left": 0.3, "right": 0.7}, "'right' should lead (mlm: leads by 0.400)"),
        (Expected("swaps", "right"), {"left": 0.8, "right": 0.2}, "'right' should lead (mlm: is behind by 0.600)"),
        (Expected("stays", "left"), {"left": float("nan")}, "'left' should stay (mlm: is no number)"),
        (Expected("stays", "left"), {}, "'left' should stay"),
    ],
)
def test_a_line_says_whether_it_changed(expected, after, line):
    assert expected.line({"mlm": {"left": 0.8, "right": 0.2}}, {"mlm": after}) == line


def test_the_line_stands_in_the_drawing_and_in_the_terminal(photograph):
    figure = score_views(blind(), BracketedCaption.read(TEXT), photograph)
    said = [line for line in figure_lines(figure) if " should " in line]
    assert [line.split(":")[0] for line in said] == ["blocked", "grey", "mirrored"]
    assert all("mlm: " in line and "itm: " in line for line in said)
    without = replace(figure, panels=tuple(replace(panel, expected=None, true="") for panel in figure.panels))
    plain, full = (Image.open(io.BytesIO(draw_png(one))).height for one in (without, figure))
    assert plain < full
