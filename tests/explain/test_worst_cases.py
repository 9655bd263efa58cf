"""Maps of a run's worst cases: which cases, which lines, and why a view has no map."""

import weakref

import numpy as np
import pytest
import torch

import vlcheck
from tests.conftest import ROOT
from vlcheck.cases.box import Box
from vlcheck.cases.picture import Picture
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.evaluation.evidence import Row, Shown
from vlcheck.explain.attribution.attribute import Attribution
from vlcheck.explain.attribution.image_map import ImageMap
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.explaining import case_explainer, explaining
from vlcheck.explain.request import parse_requests
from vlcheck.explain.worst_cases import ENDED, CaseExplainer, WorstCase
from vlcheck.models.differentiable import ImageLayout
from vlcheck.models.loading.pair import Pair
from vlcheck.results.parts import reread

pytestmark = pytest.mark.slow  # networks are run many times

TESTS = ("test_mirror_swaps_sides", "test_grayscale_preserves_objects")


@pytest.fixture(scope="module")
def run():
    """A run of tiny-mirror, whose sides fail, with three cases explained."""
    return vlcheck.evaluate(
        "tiny-mirror",
        "scenes:20",
        suite=ROOT / "behavior_tests",
        tests=TESTS,
        explain="saliency:3",
        images=False,
        progress=False,
    )


def test_the_worst_cases_of_the_failing_tests_are_explained_before_and_after(run):
    lines = run.lines.explanations
    failing = {verdict.test for verdict in run.verdicts if verdict.status == "fail"}
    assert {line.test for line in lines} <= failing
    cases = {(line.test, line.metric, line.case) for line in lines}
    assert (len(cases), len(lines)) == (3, 6)
    assert {line.side for line in lines} == {"before", "after"}
    worst = {
        (verdict.test, verdict.metric): min(
            run.lines.rows((verdict.test, verdict.behavior, verdict.metric)), key=margin
        )
        for verdict in run.verdicts
    }
    first = [line for line in lines if line.rank == 1]
    assert first
    assert all(line.case == worst[line.test, line.metric].case for line in first)


def margin(row):
    return row.margin if row.margin is not None else 1.0


def test_each_line_has_a_map_of_the_models_patches_and_a_value_for_each_token(run):
    assert {line.metric for line in run.lines.explanations} == {"mlm", "itm"}
    for line in run.lines.explanations:
        assert not line.reason
        assert (line.rows, line.columns) == (8, 8)
        assert max(line.values) > 0
        words = [word for word, _ in line.tokens]
        assert words[0] == "[CLS]"
        assert ("[MASK]" in words) == (line.metric == "mlm")
        assert bool(line.word) == (line.metric == "mlm")


def test_the_first_line_of_the_results_names_the_method(run):
    (method,) = run.lines.run.explained
    assert (method.name, method.title, method.count) == ("saliency", METHODS["saliency"].title, 3)


def test_a_run_without_it_has_none():
    plain = vlcheck.evaluate(
        "tiny", "scenes:3", suite=ROOT / "behavior_tests", tests=TESTS[1], images=False, progress=False
    )
    assert (plain.lines.explanations, plain.lines.run.explained) == ([], [])


@pytest.mark.parametrize(
    ("model", "method", "said"),
    [("tiny", "cam", "does not apply to tiny: CAM"), ("tiny", "grad", "there is no such method")],
)
def test_a_method_that_cannot_explain_ends_the_run_before_anything_is_asked(model, method, said):
    with pytest.raises(UsageError, match=said):
        vlcheck.evaluate(model, "scenes:3", suite=ROOT / "behavior_tests", explain=method, progress=False)


class Faulty(AttributionMethod):
    """Fails for all pairs together, and for each text in its own way."""

    name, title, source, meaning = "faulty", "Faulty", "", ""

    def maps(self, model, inputs):
        if len(inputs) > 1:
            raise RuntimeError("one of them fails")
        units = torch.ones(1, len(inputs.layouts[0].boxes))
        match inputs.tokens[0][-1]:
            case "ball":
                raise MemoryError
            case "cup":
                raise torch.OutOfMemoryError("CUDA out of memory")
            case "book":
                torch.empty(1 << 50)
            case "hat":
                raise NotApplicable("it needs a hat")
            case "box":
                raise ValueError("it is a box")
            case "car":
                units[0, 3] = float("nan")
        return Maps(units)


def worst_cases(*captions, metric="itm"):
    """Cases with these captions, the worst first."""
    case = vlcheck.open_cases("scenes:1").cases[0]
    for rank, caption in enumerate(captions, start=1):
        shown = Shown(Picture(case.image), caption, "ball", 0.5, 0.5, {"ball": 0.5})
        yield WorstCase((0, rank, "a", metric), "a", metric, Row(case, {"": -1.0}, before=shown))


def explained(model, counts, cases):
    explainer = CaseExplainer(model, counts)
    explainer._cases._kept += cases
    return [*explainer.lines()]


def test_a_view_without_a_map_has_a_line_with_the_reason():
    words = ("ball", "cup", "hat", "box", "car", "book", "bus")
    lines = explained(vlcheck.load_model("tiny"), [(Faulty(), 7)], worst_cases(*(f"a red {word}" for word in words)))
    reasons = {line.rank: line.reason for line in lines}
    assert "ValueError: it is a box" in reasons.pop(4)
    assert reasons == {
        1: "no memory for one pair",
        2: "no memory for one pair",
        3: "it needs a hat",
        5: "the map is not finite",
        6: "no memory for one pair",
        7: "",
    }
    assert [line.rank for line in lines if line.values] == [7]


class Hollow(AttributionMethod):
    """Gives values that tell nothing, for each text in its own way."""

    name, title, source, meaning = "hollow", "Hollow", "", ""

    def maps(self, model, inputs):
        if len(inputs) > 1:
            raise RuntimeError("each pair by itself")
        units, tokens = torch.ones(1, len(inputs.layouts[0].boxes)), torch.ones(1, len(inputs.tokens[0]))
        match inputs.tokens[0][-1]:
            case "ball":
                return Maps(0 * units, tokens)
            case "cup":
                return Maps(units, tokens / 0)
            case "hat":
                return Maps(units[:, :5], tokens)
            case "box":
                return Maps(units, tokens[:, :2])
            case "car":
                return Maps(units[0], tokens)
            case "book":
                return Maps(units.double() * 1.7e308, tokens)
        return Maps(units, tokens)


def test_values_that_tell_nothing_are_a_reason_and_no_map():
    words = ("ball", "cup", "hat", "box", "car", "book", "bus")
    lines = explained(vlcheck.load_model("tiny"), [(Hollow(), 7)], worst_cases(*(f"a red {word}" for word in words)))
    assert [line.reason for line in lines] == [
        "the map is 0 everywhere",
        "the values of the words are not finite",
        "its values have the shape (5,), and there are 64 units",
        "its values have the shape (2,), and there are 4 tokens",
        "its values have the shape (), and there are 64 units",
        "",
        "",
    ]
    assert [len(line.values) for line in lines] == [0, 0, 0, 0, 0, 64, 64]


def of_boxes(*boxes, tokens=("a", "ball")):
    values = np.ones(len(boxes)), np.ones(2)
    return Attribution("saliency", ImageMap(values[0], ImageLayout(boxes)), tokens, (False, False), values[1])


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (of_boxes(Box(0, 0, 1, 1), Box(0.5, 0.5, 0, 0)), "the map is not finite"),
        (of_boxes(Box(50, 50, 10, 10)), "the map is 0 everywhere"),
        (of_boxes(Box(0, 0, 1, 1), tokens=("a", 3)), "explanation line without 'tokens'"),
        (of_boxes(Box(0, 0, 1, 1), tokens=("a",)), "zip() argument"),
    ],
)
def test_a_line_that_could_not_be_read_again_is_not_written(found, reason, monkeypatch):
    monkeypatch.setattr(CaseExplainer, "_attributions", lambda *_: [found])
    with np.errstate(all="ignore"):
        (line,) = explained(vlcheck.load_model("tiny"), [(METHODS["saliency"], 1)], worst_cases("a red ball"))
    assert reason in line.reason
    assert reread(line) == line


def test_until_it_is_explained_a_case_has_a_line_that_says_so():
    explainer = CaseExplainer(vlcheck.load_model("tiny"), [(METHODS["saliency"], 2), (METHODS["random"], 1)])
    explainer._cases._kept += worst_cases("a red ball", "a red cup", "a red hat")
    pending = [*explainer.pending("a")]
    assert [(line.method, line.rank) for line in pending] == [("saliency", 1), ("saliency", 2), ("random", 1)]
    assert {line.reason for line in pending} == {ENDED}
    assert [*explainer.pending("b")] == []


def test_a_picture_that_cannot_be_drawn_again_is_a_reason_too(monkeypatch):
    def gone(self):
        raise UsageError("gone.jpg: no such file")

    monkeypatch.setattr(Picture, "render", gone)
    (line,) = explained(vlcheck.load_model("tiny"), [(METHODS["saliency"], 1)], worst_cases("a red ball"))
    assert line.reason == "gone.jpg: no such file"


def test_each_method_explains_as_many_cases_as_it_is_for():
    counts = [(METHODS["saliency"], 1), (METHODS["random"], 2)]
    lines = explained(vlcheck.load_model("tiny"), counts, worst_cases("a red ball", "a red cup", "a red hat"))
    assert [(line.method, line.rank) for line in lines] == [("saliency", 1), ("random", 1), ("random", 2)]


def test_of_a_pair_of_models_each_explains_its_own_metric():
    pair = vlcheck.load_model("itm=tiny,mlm=tiny-mirror")
    counts, cases = [(METHODS["saliency"], 2)], [*worst_cases("a red ball"), *worst_cases("a red [MASK]", metric="mlm")]
    word, match = explained(pair, counts, cases)
    for model, found, case in (("tiny", match, cases[0]), ("tiny-mirror", word, cases[1])):
        (alone,) = explained(vlcheck.load_model(model), counts, [case])
        assert found == alone
    assert word.values != match.values


class Closed:
    """The embedded model without its gradients."""

    def __init__(self):
        self.model = vlcheck.load_model("tiny")

    def __getattr__(self, name):
        if name == "differentiable":
            raise AttributeError(name)
        return getattr(self.model, name)


def test_where_one_model_of_a_pair_gives_no_gradients_the_other_is_explained():
    pair = Pair({"itm": vlcheck.load_model("tiny"), "mlm": Closed()})
    requests = parse_requests("saliency:2")
    explainer = case_explainer(explaining(pair, requests), requests)
    explainer._cases._kept += [*worst_cases("a red ball"), *worst_cases("a red [MASK]", metric="mlm")]
    word, match = explainer.lines()
    assert (bool(match.values), match.reason) == (True, "")
    assert "gives no gradients" in word.reason
    with pytest.raises(UsageError, match=r"saliency: does not apply to tiny: .*gives no gradients"):
        explaining(Closed(), requests)


class Cramped(type(METHODS["saliency"])):
    """Has memory for two pairs."""

    def maps(self, model, inputs):
        if len(inputs) > 2:
            torch.empty(1 << 50)
        return super().maps(model, inputs)


def test_views_for_which_there_is_no_memory_together_are_explained_in_parts():
    model, cases = vlcheck.load_model("tiny"), [*worst_cases(*(f"a red {word}" for word in ("ball", "cup", "hat") * 2))]
    cramped, roomy = (explained(model, [(method, 6)], cases) for method in (Cramped(), METHODS["saliency"]))
    assert [line.rank for line in cramped] == [1, 2, 3, 4, 5, 6]
    for one, other in zip(cramped, roomy, strict=True):
        assert one.values == pytest.approx(other.values, rel=1e-4, abs=1e-7)


def test_the_pictures_of_eight_views_are_in_memory_at_a_time(monkeypatch):
    drawn, alive, render = [], [], Picture.render

    def counted(picture):
        image = render(picture)
        drawn.append(weakref.ref(image))
        return image

    class Counting(type(METHODS["random"])):
        def maps(self, model, inputs):
            alive.append(sum(image() is not None for image in drawn))
            return super().maps(model, inputs)

    monkeypatch.setattr(Picture, "render", counted)
    lines = explained(vlcheck.load_model("tiny"), [(Counting(), 20)], worst_cases(*["a red ball"] * 20))
    assert (len(lines), alive) == (20, [8, 8, 4])
