"""Maps of a run's worst cases: which cases, which lines, and what one process of several keeps."""

import pytest
import torch

import vlcheck
from tests.conftest import ROOT
from tests.report import pages
from vlcheck.cases.picture import Picture
from vlcheck.errors import UsageError
from vlcheck.evaluation.evidence import Row, Shown
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.worst_cases import CaseExplainer, WorstCase, keep_worst
from vlcheck.models.differentiable import differentiable
from vlcheck.results.schema import record_of

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
    for line in run.lines.explanations:
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


def test_of_several_processes_the_worst_of_the_run_are_kept():
    def line(behavior, rank, side="before"):
        test = pages.verdict(behavior)["test"]
        return record_of(pages.explanation(side, test=test, case=f"case {rank}", rank=rank))

    failing, holding = pages.verdict("test_b"), pages.passing("test_a", "mlm")
    found = pages.results((holding, []), (failing, []), run={"explained": [pages.RUN["explained"][0] | {"count": 2}]})
    found.explanations += [line("test_a", 1), line("test_b", 2), line("test_b", 2, "after"), line("test_b", 1)]
    found.explanations += [line("test_b", 3), line("test_gone", 1)]
    keep_worst(found)
    assert [(one.test.partition("::")[2], one.rank, one.side) for one in found.explanations] == [
        ("test_b[mlm]", 1, "before"),
        ("test_b[mlm]", 2, "before"),
        ("test_b[mlm]", 2, "after"),
    ]


@pytest.mark.parametrize(
    ("model", "method", "said"),
    [("tiny", "cam", "does not apply to tiny: CAM"), ("tiny", "grad", "there is no such method")],
)
def test_a_method_that_cannot_explain_ends_the_run_before_anything_is_asked(model, method, said):
    with pytest.raises(UsageError, match=said):
        vlcheck.evaluate(model, "scenes:3", suite=ROOT / "behavior_tests", explain=method, progress=False)


class NotANumber(AttributionMethod):
    """Maps of a network that overflows."""

    name, title, source, meaning = "nan", "Not a number", "", ""

    def maps(self, model, inputs):
        return Maps(torch.full((len(inputs), len(inputs.layouts[0].boxes)), float("nan")))


@pytest.mark.parametrize(("method", "lines"), [(NotANumber(), 0), (METHODS["saliency"], 1)])
def test_a_map_that_is_no_number_is_left_out(method, lines):
    explainer = CaseExplainer(differentiable(vlcheck.load_model("tiny")), method, 2)
    case = vlcheck.open_cases("scenes:1").cases[0]
    shown = Shown(Picture(case.image), case.caption, case.target, 0.5, 0.5, {case.target: 0.5})
    explainer._cases._kept.append(WorstCase((0, 1, "a", "itm"), "a", "itm", Row(case, {"": -1.0}, before=shown)))
    assert len([*explainer.lines()]) == lines
