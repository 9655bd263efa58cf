"""--vl-explain: what it adds to a run, and what it refuses."""

import re
import textwrap

import pytest

import vlcheck
from tests.conftest import ROOT
from tests.explain.mm_shap.collapsed import Blindfolded, Collapsed, Deaf
from vlcheck.errors import UsageError
from vlcheck.explain.explaining import explaining
from vlcheck.explain.request import Request, parse_methods, parse_request, parse_requests
from vlcheck.explain.worst_cases import ENDED

pytestmark = pytest.mark.slow  # networks are run many times

SUITE = ROOT / "behavior_tests"
TEST = "test_neither_modality_collapses"
STATES = """
    from vlcheck import behavior
    from vlcheck.cases import with_target
    from vlcheck.expect import BothContribute, Preserved
    from vlcheck.perturb import Grayscale

    BIAS = "modality"

    @behavior(cases=with_target("object"), expect=BothContribute(), metrics=("mm-shap",))
    def test_both_contribute(verdict):
        assert verdict.passed

    @behavior(cases=with_target("object"), perturb=Grayscale(), expect=Preserved(), metrics=("itm",))
    def test_grayscale_preserves(verdict):
        assert verdict.passed
"""
ABLATION = """
    from vlcheck import behavior
    from vlcheck.cases import with_target
    from vlcheck.expect import Preserved
    from vlcheck.perturb import Grayscale, Jpeg

    BIAS = "modality"

    @behavior(cases=with_target("object"), perturb=Jpeg(), expect=Preserved(), metrics=("itm",), explain="ablation")
    def test_only_in_ablation(verdict):
        assert verdict.passed

    @behavior(cases=with_target("object"), perturb=Grayscale(), expect=Preserved(), metrics=("itm",))
    def test_grayscale_preserves(verdict):
        assert verdict.passed
"""
POLICY = "[behaviors.test_both_contribute]\nband = [-0.9, 0.9]\n"


@pytest.fixture
def stating(project):
    """A project with a test that needs an explanation, and a policy that speaks of it."""
    project.pytester.makepyfile(test_states=STATES)
    (project.folder / "policy.toml").write_text(POLICY)
    return project


def run(project, *arguments, model="competent"):
    return project.run("test_states.py", "--vl-policy=policy.toml", *arguments, model=model)


def collected(result):
    return [line.partition("::")[2] for line in result.stdout.lines if line.startswith("test_states.py::")]


def test_without_it_tests_that_need_it_are_not_collected(stating):
    assert collected(run(stating, "--collect-only", "-q")) == ["test_grayscale_preserves[itm]"]
    run(stating)
    assert [verdict["metric"] for verdict in stating.results("verdict")] == ["itm"]


def test_with_it_they_are(stating):
    found = collected(run(stating, "--collect-only", "-q", "--vl-explain=mmshap"))
    assert found == ["test_both_contribute[mm-shap]", "test_grayscale_preserves[itm]"]


def test_several_methods_add_the_tests_of_each(stating):
    found = collected(run(stating, "--collect-only", "-q", "--vl-explain=random:5,mmshap"))
    assert found == ["test_both_contribute[mm-shap]", "test_grayscale_preserves[itm]"]


def test_the_two_tests_of_the_suite_are_collected_with_it_alone(project):
    both = {"test_neither_modality_collapses[mm-shap]", "test_neither_modality_decides_alone[itm]"}
    found = {}
    for said in ("", "--vl-explain=mmshap", "--vl-explain=ablation"):
        lines = project.run(str(SUITE), "--collect-only", "-q", *filter(None, [said])).stdout.lines
        found[said] = {line.rpartition("::")[2] for line in lines} & both
    assert found == {"": set(), "--vl-explain=mmshap": both, "--vl-explain=ablation": set()}


def test_an_attribution_method_adds_no_test_of_mm_shap(stating):
    assert collected(run(stating, "--collect-only", "-q", "--vl-explain=random:5")) == ["test_grayscale_preserves[itm]"]


def test_a_model_that_gives_no_gradients_is_not_asked_and_says_why(stating):
    result = run(stating, "--vl-explain=mmshap", "-rs")
    assert "gives no gradients" in result.stdout.str()
    assert [verdict["metric"] for verdict in stating.results("verdict")] == ["itm"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("mmshop", "Did you mean 'mmshap'"),
        ("grad", "there is no such method"),
        (":5", "there is no such method"),
        ("saliency:0", "whole number from 1 on"),
        ("saliency:", "whole number from 1 on"),
        ("saliency:10001", "at most 10,000"),
        (f"saliency:{'9' * 23}", "at most 10,000"),
        ("mmshap:5", "mmshap adds tests of all cases, and is accepted without :K"),
        ("mmshap:0", "accepted without :K"),
        ("ablation:5", "ablation adds tests"),
        ("random:many", "whole number from 1 on"),
    ],
)
def test_what_it_does_not_know_is_refused(project, said, why):
    with pytest.raises(UsageError, match=why):
        parse_request(said)
    result = project.run(f"--vl-explain={said}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--vl-explain {said}" in result.stderr.str()


def test_a_number_of_cases_asks_for_maps_alone_and_no_number_for_the_tests_of_maps_too():
    named = {said: parse_request(said).tests for said in ("saliency", "saliency:5", "mmshap", "ablation")}
    assert named == {"saliency": "saliency", "saliency:5": "", "mmshap": "mmshap", "ablation": "ablation"}


def test_the_request_is_a_method_and_a_number_of_cases():
    assert parse_request("mmshap") == Request("mmshap", None)
    assert parse_request("random:20") == Request("random", 20)


def test_several_methods_are_requests_in_their_order():
    assert parse_requests("mmshap, gradcam:20,lrp") == (
        Request("mmshap"),
        Request("gradcam", 20),
        Request("lrp"),
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("gradcam:5,gradcam:9", "gradcam is named 2 times; once is enough"),
        ("mmshap,ablation,mmshap", "mmshap is named 2 times"),
        ("lrp,saliency", "lrp and saliency ask for the tests of maps, which a run judges by one method"),
        ("gradcam:5,", "there is no such method"),
        ("gradcam:5,lrp:0", "whole number from 1 on"),
    ],
)
def test_methods_that_do_not_go_together_are_refused(said, why):
    with pytest.raises(UsageError, match=why):
        parse_requests(said)


def test_a_photograph_is_not_explained_twice_by_one_method():
    with pytest.raises(UsageError, match="saliency is named 2 times"):
        parse_methods("saliency,lrp,saliency")


def test_a_model_answers_the_metrics_of_all_methods():
    both = explaining(vlcheck.load_model("tiny"), parse_requests("saliency,mmshap,ablation,gradcam:3"))
    assert {metric: both.kinds.get(metric) for metric in ("map", "mm-shap")} == {
        "map": "saliency",
        "mm-shap": "shapley-share",
    }
    assert callable(both.contribution_maps)
    assert callable(both.mm_shap)


def test_maps_of_several_methods_are_in_the_results():
    results = vlcheck.evaluate(
        "tiny",
        "scenes:3",
        suite=SUITE,
        tests="test_grayscale_preserves_objects[itm]",
        explain="random:1,saliency:2",
        images=False,
        progress=False,
    )
    assert [(one.name, one.count) for one in results.lines.run.explained] == [("random", 1), ("saliency", 2)]
    lines = [(one.method, one.rank, one.side) for one in results.lines.explanations]
    assert lines == [
        (method, rank, side)
        for method, ranks in (("random", [1]), ("saliency", [1, 2]))
        for rank in ranks
        for side in ("before", "after")
    ]
    assert "Gradient saliency: explained 2 of 2 cases" in str(results).splitlines()


def test_tests_that_a_run_did_not_ask_for_are_not_lost_against_a_baseline(project):
    project.pytester.makepyfile(test_states=ABLATION)
    whole, part = ("--vl-explain=ablation",), ()
    for first, then, which in ((whole, part, "new"), (part, whole, "old")):
        project.run("--vl-results=old.jsonl", *first)
        assert project.results("run", "old.jsonl")[0]["options"] == ({"explain": "ablation"} if first else {})
        result = project.run("--vl-baseline=old.jsonl", *then)
        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(
            [
                f"1 not comparable, of an explanation that the {which} run did not ask for: test_only_in_ablation*",
                "Against the release before: worse: none; better: none; 1 same, 1 not comparable",
            ]
        )


def test_in_python_they_are_not_lost_either(tmp_path):
    (tmp_path / "test_states.py").write_text(textwrap.dedent(ABLATION))
    whole, part = (
        vlcheck.evaluate("tiny", "scenes:40", suite=tmp_path, explain=explain, images=False, progress=False)
        for explain in ("ablation", None)
    )
    (unasked,) = part.lines.run.unasked
    assert unasked.endswith("test_states.py::test_only_in_ablation[itm]")
    assert whole.lines.run.unasked == []
    for old, new, which in ((whole, part, "new"), (part, whole, "old")):
        found = vlcheck.compare(old, new)
        assert found.accepted
        (row,) = found.which("not comparable")
        assert (row.behavior, row.reason) == (
            "test_only_in_ablation",
            f"of an explanation that the {which} run did not ask for",
        )


def test_the_shares_of_a_run_are_in_its_results():
    results = vlcheck.evaluate(
        "tiny", "scenes:3", suite=SUITE, tests=TEST, explain="mmshap", images=False, progress=False
    )
    (verdict,) = results.verdicts
    rows = [row for key in results.lines.verdicts for row in results.lines.rows(key)]
    assert (verdict.metric, verdict.score_kind, len(rows)) == ("mm-shap", "shapley-share", 3)
    assert all(0 < next(iter(row.scores[0].values())) < 1 for row in rows)
    assert [row.top_before[0][0] for row in rows] == ["standard error"] * 3
    assert [row.top_before[1][0] for row in rows] == ["synergy"] * 3
    synergies = [row.top_before[1][1] for row in rows]
    assert verdict.tables["synergy"]["synergy"] == pytest.approx(sum(synergies) / 3)
    assert min(synergies) > 0.1  # to tiny, a match takes both


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize(("kind", "balance"), [(Blindfolded, 1.0), (Deaf, -1.0)])
def test_a_model_with_a_collapsed_modality_fails(kind, balance):
    results = vlcheck.evaluate(
        Collapsed(kind), "scenes:20", suite=SUITE, tests=TEST, explain="mmshap", images=False, progress=False
    )
    (verdict,) = results.verdicts
    assert verdict.status == "fail"
    assert verdict.effect == pytest.approx(balance, abs=0.05)


def test_the_suite_of_python_has_no_such_test_without_it():
    with pytest.raises(UsageError, match="there is no test"):
        vlcheck.evaluate("tiny", "scenes:3", suite=SUITE, tests=TEST, progress=False)


ENDS = """
    import os, signal
    import vlcheck

    def once(end):
        def load(device, dtype):
            model = vlcheck.load_model("tiny")
            give, asked = model.differentiable, []

            def differentiable():
                asked.append(1)
                if len(asked) > 1:  # the first one is the trial before the run
                    end()
                return give()

            model.differentiable = differentiable
            return model

        return load

    def interrupt():
        raise KeyboardInterrupt

    def kill():
        if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
            os.kill(os.getpid(), signal.SIGKILL)

    interrupted, killed = once(interrupt), once(kill)
"""
OF_WORDS_TOO = STATES.replace('metrics=("itm",)', 'metrics=("itm", "mlm")')


@pytest.fixture
def ending(project):
    """A project with models that end the run while it explains, and what a run of one of them explains."""
    project.pytester.makepyfile(test_states=OF_WORDS_TOO, ends=ENDS)
    (project.folder / "policy.toml").write_text(POLICY)

    def run(model, *arguments):
        said = ("--vl-policy=policy.toml", "--vl-data=scenes:12", "--vl-explain=saliency:2", "--vl-report=page.html")
        return project.run("test_states.py", f"--vl-model=ends.py:{model}", *said, *arguments, model=None)

    return run


def test_ctrl_c_while_it_explains_leaves_results_summary_and_page(project, ending):
    result = ending("interrupted")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert len(project.results("verdict")) == 2
    assert [line["reason"] for line in project.results("explanation")] == [ENDED] * 4
    result.stdout.fnmatch_lines(
        [
            f"Gradient saliency: explained 0 of 2 cases; 2: {ENDED}",
            "--vl-explain: stopped before all cases were explained.",
        ]
    )
    assert ENDED in (project.folder / "page.html").read_text()


@pytest.mark.nightly
def test_cases_that_a_dead_worker_judged_are_not_replaced_by_others(project, ending):
    result = ending("killed", "-n", "2")
    reasons = {(line["metric"], line["rank"]): line["reason"] for line in project.results("explanation")}
    assert sorted(reasons) == [("itm", 1), ("mlm", 1)]
    assert sorted(reasons.values()) == ["", ENDED]
    assert f"Gradient saliency: explained 1 of 2 cases; 1: {ENDED}" in result.stdout.lines
    assert ENDED in (project.folder / "page.html").read_text()


@pytest.mark.slow
def test_processes_explain_as_many_cases_together_as_one_does(project):
    project.pytester.makepyfile(test_states=OF_WORDS_TOO)  # a test for each process
    (project.folder / "policy.toml").write_text(POLICY)
    found, workers = {}, {}
    for name, arguments in (("one", ()), ("two", ("-n", "2"))):
        result = project.run(
            "test_states.py",
            "--vl-policy=policy.toml",
            "--vl-model=tiny",
            "--vl-data=scenes:12",
            "--vl-explain=saliency:2",
            "-v",
            *arguments,
            model=None,
        )
        found[name] = project.results("explanation")
        assert "Gradient saliency: explained 2 of 2 cases" in result.stdout.lines
        workers[name] = set(re.findall(r"^\[(gw\d)\].* test_states.py", result.stdout.str(), re.MULTILINE))
    assert workers == {"one": set(), "two": {"gw0", "gw1"}}  # each process had a test, and its explanations below
    assert [(line["metric"], line["rank"], line["side"]) for line in found["one"]] == [
        (metric, 1, side) for metric in ("itm", "mlm") for side in ("before", "after")
    ]
    for one, two in zip(found["one"], found["two"], strict=True):
        assert one.pop("values") == pytest.approx(two.pop("values"), rel=1e-4, abs=1e-7)
        assert [value for _, value in one["tokens"]] == pytest.approx([value for _, value in two["tokens"]], rel=1e-4)
        assert one | {"tokens": None} == two | {"tokens": None}
