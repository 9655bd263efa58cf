"""A suite that is run from Python gives what pytest gives on the same selection."""

import inspect
import json
import subprocess
import sys
from dataclasses import replace
from io import StringIO

import pytest

import vlcheck
from tests.conftest import ROOT
from tests.doubles import Competent
from tests.warm_python import warm_python
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.report.page import draw
from vlcheck.report.table import COLUMNS
from vlcheck.results import comparison
from vlcheck.results.file import ResultLines, read

SUITE = """
'''Does color matter?

In more words.
'''
from dataclasses import dataclass
from typing import ClassVar
from vlcheck import behavior
from vlcheck.cases import with_target
from vlcheck.expect import Drops, Preserved
from vlcheck.perturb import Block, Grayscale

BIAS = "color"

@behavior(cases=with_target("object"), perturb=Grayscale(), expect=Preserved(), metrics=("mlm", "itm"))
def test_grey_preserves(verdict):
    '''A red bus is still a bus.'''
    assert verdict.passed

@behavior(cases=with_target("object"), perturb=Block(), expect=Drops(), metrics=("itm",))
def test_blocks_drop(verdict):
    assert verdict.passed
"""
FAULTY = """
@dataclass(frozen=True)
class Broken:
    name: ClassVar[str] = "broken"
    version: ClassVar[int] = 1
    label = "broken"
    def __call__(self, view, others): raise RuntimeError("boom")

@behavior(cases=with_target("object"), perturb=Broken(), expect=Preserved(), metrics=("itm",))
def test_broken(verdict): ...

@behavior(cases=with_target("object"), perturb=Grayscale, expect=Preserved(), metrics=("itm",))
def test_amiss(verdict): ...
"""
DATA = "scenes:30"
OF_THE_RUN = ("run_id", "started", "exit_status")


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    (folder / "pytest.ini").touch()
    (folder / "behavior_tests").mkdir()
    (folder / "behavior_tests" / "test_mine.py").write_text(SUITE)
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "policy.toml").write_text("[defaults]\nallowed = 0.2\n")
    return folder / "behavior_tests"


@pytest.fixture(scope="module")
def results(suite):
    return vlcheck.evaluate("tiny", DATA, suite=suite, progress=False)


@pytest.fixture(scope="module")
def competent():
    return Competent(open_source(DATA).cases)


def lines(path):
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in OF_THE_RUN} for line in found]


@pytest.mark.parametrize("flags", [(), ("--vl-sequential",)])
def test_the_lines_of_results_are_pytests(suite, tmp_path, flags):
    by_pytest, ours = tmp_path / "pytest.jsonl", tmp_path / "ours.jsonl"
    command = [warm_python().command, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite)]
    said = ["-k", "test_grey_preserves", "--vl-model=tiny", f"--vl-data={DATA}", f"--vl-results={by_pytest}", *flags]
    run = subprocess.run([*command, *said], cwd=suite.parent, capture_output=True, text=True, check=False)
    (part,) = tmp_path.glob("pytest*.jsonl")  # of a part of the suite
    results = vlcheck.evaluate("tiny", DATA, suite=suite, tests=["test_grey_preserves"], sequential=bool(flags))
    results.save(ours)
    assert lines(ours) == lines(part)
    assert results.passed is (run.returncode == 0)
    assert read(ours).run.exit_status == run.returncode


def test_verdicts_are_typed_and_iterable(results):
    assert [verdict.test.rpartition("::")[2] for verdict in results] == [
        "test_blocks_drop[itm]",
        "test_grey_preserves[itm]",
        "test_grey_preserves[mlm]",
    ]
    assert len(results) == len(results.verdicts) == 3
    assert results.verdicts[0].status in {"pass", "fail"}
    assert 0 <= results.verdicts[0].rate <= 1
    assert results.verdicts[0].allowed == 0.2  # of the suite's own policy
    assert results.passed is all(verdict.status == "pass" for verdict in results)
    assert all(isinstance(verdict, vlcheck.Verdict) for verdict in results)


def test_a_notebook_shows_the_matrix(results):
    shown = results._repr_html_()
    assert "<th>bias</th><th>mlm</th><th>itm</th>" in shown
    assert "<tr><th>color</th>" in shown
    assert "<Results: " in repr(results)
    assert "test_grey_preserves" in str(results)


def test_page_and_results_replace_nothing_else(results, tmp_path):
    results.report(tmp_path / "page.html")
    results.report(tmp_path / "page.html")
    assert "test_grey_preserves" in (tmp_path / "page.html").read_text()
    other = tmp_path / "other.txt"
    other.write_text("mine")
    for write in (results.report, results.save):
        with pytest.raises(UsageError, match=r"other\.txt"):
            write(other)
    assert other.read_text() == "mine"


def test_a_control_is_judged_by_the_same_tests(suite, competent, tmp_path):
    found = vlcheck.evaluate("tiny", DATA, suite=suite, control=competent, progress=False)
    assert [one.test for one in found.control] == [one.test for one in found]
    assert found.control.lines.run.name == "competent"
    assert str(found).splitlines()[0].startswith("tiny on")
    assert "competent" in str(found)
    found.report(tmp_path / "page.html")
    assert "Beside it: <bdi>competent</bdi>" in (tmp_path / "page.html").read_text()


def test_a_control_that_is_named_is_loaded_as_asked_beside_a_model_object(suite, competent):
    found = vlcheck.evaluate(competent, DATA, suite=suite, control="tiny", dtype="bfloat16", progress=False)
    assert [(one.lines.run.name, one.lines.run.dtype) for one in (found, found.control)] == [
        ("competent", ""),
        ("tiny", "bfloat16"),
    ]
    with pytest.raises(UsageError, match=r"^dtype='bfloat16': is for a model that is given by its spec"):
        vlcheck.evaluate(competent, DATA, suite=suite, control=competent, dtype="bfloat16", progress=False)


def test_a_page_shows_a_control_and_a_comparison(results, tmp_path):
    results.report(tmp_path / "page.html", beside=results, baseline=results)
    page, expected = (tmp_path / "page.html").read_text(), comparison.compare_runs(results.lines, results.lines)
    assert page == draw(results.lines, source=results.source, beside=results.lines, comparison=expected)
    assert page != draw(results.lines, source=results.source)
    for name in ("beside", "baseline"):
        with pytest.raises(UsageError, match=f"^{'old' if name == 'baseline' else name}='r.jsonl': has to be results"):
            results.report(tmp_path / "page.html", **{name: "r.jsonl"})
    with pytest.raises(UsageError, match=f"^beside: is of ; results of {DATA} are accepted"):
        results.report(tmp_path / "page.html", beside=EMPTY)


def test_a_frame_has_a_row_for_each_verdict(results):
    pytest.importorskip("pandas", reason="needs the package pandas, of the dependency group tests")
    frame = results.to_frame()
    assert list(frame.status) == [verdict.status for verdict in results]
    assert list(frame["rate"]) == [verdict.rate for verdict in results]
    assert {"test", "bias", "metric", "n", "scale"} <= {*frame.columns}
    assert [json.loads(scale)["used"] for scale in frame.scale] == [verdict.scale.used for verdict in results]
    assert list(frame.columns) == [column.name for column in COLUMNS]
    assert (str(frame.n.dtype), str(frame.gates.dtype)) == ("Int64", "boolean")
    assert frame[frame.metric == "mlm"].test.str.endswith("test_grey_preserves[mlm]").all()


def test_a_frame_needs_pandas(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="needs the package pandas"):
        results.to_frame()


def test_what_is_saved_is_read_again(results, tmp_path):
    results.save(tmp_path / "results.jsonl")
    again = vlcheck.read_results(str(tmp_path / "results.jsonl"))
    assert isinstance(again, vlcheck.Results)
    assert again.verdicts == results.verdicts
    assert again.objections == results.objections
    again.report(tmp_path / "page.html")
    assert f"{tmp_path}/results.jsonl" in (tmp_path / "page.html").read_text()


def test_two_results_are_compared(results, suite, tmp_path):
    results.save(tmp_path / "old.jsonl")
    blind = vlcheck.evaluate("tiny-blind", DATA, suite=suite, progress=False)
    compared = vlcheck.compare(vlcheck.read_results(tmp_path / "old.jsonl"), blind)
    worse = [row.test.rpartition("::")[2] for row in compared.which("worse")]
    assert worse == ["test_blocks_drop[itm]"]
    assert not compared.accepted
    assert vlcheck.compare(results, results).accepted


def test_a_comparison_refuses_what_the_command_refuses(results, suite, competent):
    sequential = vlcheck.evaluate(competent, DATA, suite=suite, sequential=True, progress=False)
    for old, new, alpha, said in (
        (results, results, 5, "^alpha=5: has to be above 0 and below 1"),
        (results, sequential, 0.05, "^new: is of a sequential run, .* without sequential"),
        (replace(results, lines=ResultLines()), results, 0.05, "^old: holds no verdict"),
    ):
        with pytest.raises(UsageError, match=said):
            vlcheck.compare(old, new, alpha=alpha)


def test_a_model_may_be_an_object_and_answers_are_kept(suite, competent, tmp_path):
    told = []
    asked = {"suite": suite, "tests": "test_grey_preserves[itm]", "store": tmp_path / "scores"}
    first = vlcheck.evaluate(competent, DATA, **asked, progress=told.append)
    again = vlcheck.evaluate(competent, open_source(DATA), **asked, progress=lambda _: 1 / 0)
    assert told[-1].done == told[-1].total > 0
    assert first.verdicts == again.verdicts
    assert first.lines.run.model == competent.name
    assert first.lines.run.device == first.lines.run.dtype == ""  # the model knows them alone
    assert [verdict.test for verdict in first] == ["behavior_tests/test_mine.py::test_grey_preserves[itm]"]


def test_progress_is_lines_on_stderr(suite, competent, capsys):
    vlcheck.evaluate(competent, DATA, suite=suite, tests=["test_grey_preserves[itm]"])
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("scoring: ")
    assert "\r" not in told.err


def test_progress_is_one_line_in_a_notebook(suite, competent, monkeypatch):
    """What ipykernel puts in stderr's place is no terminal, and a carriage return begins its line again."""
    cell = type("OutStream", (StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stderr", cell)
    vlcheck.evaluate(competent, DATA, suite=suite, tests=["test_grey_preserves[itm]"], batch_size=8)
    told = cell.getvalue()
    assert told.count("\r") > told.count("\n") > 0
    assert told.endswith("\n")
    assert all(line.startswith("scoring: ") for line in told.split("\r")[1:])


def test_a_run_is_named_as_ci_names_it(suite, competent, monkeypatch):
    monkeypatch.setenv("GITHUB_RUN_ID", "42")
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    asked = {"suite": suite, "tests": "test_grey_preserves[itm]", "progress": False}
    assert vlcheck.evaluate(competent, DATA, **asked).lines.run.run_id == "42-2"
    assert vlcheck.evaluate(competent, DATA, **asked, run_id="mine").lines.run.run_id == "mine"


def test_a_faulty_test_fails_alone_and_the_run_is_not_green(tmp_path, competent):
    (tmp_path / "test_faulty.py").write_text(SUITE + FAULTY)
    results = vlcheck.evaluate(competent, DATA, suite=tmp_path, progress=False)
    names = {test.rpartition("::")[2]: why for test, why in results.errors.items()}
    assert "boom" in names["test_broken[itm]"]
    assert "Grayscale is a class" in names["test_amiss[itm]"]
    assert len(results) == 3
    assert not results.passed
    assert "No verdict on 2 selected tests: test_broken[itm], test_amiss[itm]." in results.objections


REFUSED = [
    ({"batch_size": 0}, "^batch_size=0: has to be a whole number from 1 on"),
    ({"batch_size": "16"}, "^batch_size='16': has to be a whole number from 1 on"),
    ({"suite": "nowhere"}, "^suite=nowhere: there is no such folder or file of tests"),
    ({"suite": ""}, "^suite: names nothing"),
    ({"dtype": "float31"}, "^dtype='float31': no such dtype. Did you mean 'float32'"),
    ({"dtype": ""}, "^dtype='': no such dtype"),
    ({"device": "gpu"}, "^device='gpu': no such device"),
    ({"device": "cuda:99"}, "^device='?cuda:99'?: this machine has ([0-9]+ such devices|no GPU that can be used)"),
    ({"model": "tiny-rigth"}, "^model='tiny-rigth': no such model. Did you mean 'tiny-right'"),
    ({"model": ""}, "^model=''"),
    ({"model": object()}, "gave 'object' without name"),
    ({"data": "scene:9"}, "^data='scene:9': "),
    ({"data": ""}, "^data=''"),
    ({"data": ROOT}, "^data=.*: has to be a spec, e.g. 'scenes:50', or a source that open_cases gives"),
    ({"policy": "absent.toml"}, "^policy=absent.toml: cannot be read"),
    ({"policy": ""}, "^policy: names nothing"),
    ({"lexicons": "absent"}, "^lexicons=absent: "),
    ({"lexicons": ""}, "^lexicons: names nothing"),
    ({"store": ROOT / "pyproject.toml"}, "^store=.*pyproject.toml: this is "),
    ({"store": ""}, "^store: names nothing"),
    ({"engine": "rya"}, "^engine='rya': no such engine. Did you mean 'ray'"),
    ({"engine": 3}, "^engine=3: has to be the name of an engine: alone, local, ray"),
    ({"run_id": " "}, "^run_id: is empty"),
    ({"run_id": "a\nb"}, r"^run_id a\\nb: has to be at most"),
    *(
        ({name: 3}, f"^{name}=3: has to be the path of a file or folder")
        for name in ("suite", "policy", "lexicons", "store")
    ),
    ({"device": 3}, "^device=3: has to be one of cpu"),
    ({"dtype": 3}, "^dtype=3: has to be one of bfloat16"),
    ({"run_id": 3}, "^run_id=3: has to be a text"),
    ({"tests": 3}, "^tests=3: has to be a test's name"),
    ({"tests": [3]}, "^tests=3: has to be a test's name"),
    ({"batch_size": True}, "^batch_size=True: has to be a whole number from 1 on"),
    ({"model": ROOT}, "^model=.*: has to be a spec, e.g. 'tiny', or a model object"),
    ({"model": None}, "^model=None: has to be a spec, e.g. 'tiny', or a model object"),
    ({"progress": "no"}, "^progress='no': has to be True, False or a function"),
    ({"control": ROOT}, "^control=.*: has to be a spec, e.g. 'tiny', or a model object"),
    ({"control": "tinny"}, "^control='tinny': no such model. Did you mean 'tiny'"),
    ({"tests": ["test_gray_preserves"]}, "^tests: there is no test 'test_gray_preserves'. Did you mean"),
    ({"tests": []}, "^tests: names nothing"),
    ({"columns": 3}, "^columns=3: has to be columns by field"),
    ({"columns": "caption=text"}, "^columns=caption=text: scenes has no columns"),
    ({"explain": 3}, "^explain=3: has to be a method, e.g. 'mmshap'"),
    ({"explain": "mmshop"}, "^explain=mmshop: there is no such method. Did you mean 'mmshap'"),
    ({"explain": "mmshap:0"}, "^explain=mmshap:0: METHOD:K explains the K worst cases"),
]
# Methods of Results and compare() have their place.
OF_A_RUN_OF_PYTEST = {"results", "report", "beside", "baseline", "shard", "report_url"}


@pytest.mark.parametrize(("changes", "said"), REFUSED)
def test_what_cannot_be_used_is_refused(suite, changes, said):
    asked = {"model": "tiny", "data": DATA, "suite": suite} | changes
    with pytest.raises(UsageError, match=said) as raised:
        vlcheck.evaluate(asked.pop("model"), asked.pop("data"), **asked)
    assert "--" not in str(raised.value)


def test_each_option_with_a_value_is_a_parameter_whose_bad_values_are_tried():
    named = {option.name.replace("-", "_") for option in options._OPTIONS} - OF_A_RUN_OF_PYTEST
    assert named <= {name for changes, _ in REFUSED for name in changes}
    assert named < {*inspect.signature(vlcheck.evaluate).parameters}


EMPTY = vlcheck.Results(ResultLines())
MISTYPED = {
    "load_model": (lambda: vlcheck.load_model(3), "^model=3: has to be a spec"),
    "open_cases": (lambda: vlcheck.open_cases(3), "^data=3: has to be a spec"),
    "read_results": (lambda: vlcheck.read_results(3), "^path=3: has to be the path"),
    "save": (lambda: EMPTY.save(3), "^path=3: has to be the path"),
    "report": (lambda: EMPTY.report(3), "^path=3: has to be the path"),
    "compare": (lambda: vlcheck.compare("a.jsonl", "b.jsonl"), "^old='a.jsonl': has to be results, as read_results"),
    "the new run": (lambda: vlcheck.compare(EMPTY, "b.jsonl"), "^new='b.jsonl': has to be results, as read_results"),
    "alpha": (lambda: vlcheck.compare(EMPTY, EMPTY, alpha="0.05"), "^alpha='0.05': has to be a number above 0"),
}


@pytest.mark.parametrize(("call", "said"), MISTYPED.values(), ids=MISTYPED.keys())
def test_a_value_of_another_type_is_refused_by_its_name(call, said):
    with pytest.raises(UsageError, match=said):
        call()


@pytest.mark.parametrize("given", [{"device": "cuda"}, {"dtype": "float16"}, {"trust_remote_code": True}])
def test_an_object_is_not_told_how_to_be_loaded(suite, competent, given):
    ((name, value),) = given.items()
    with pytest.raises(UsageError, match=f"^{name}={value!r}: is for a model that is given by its spec"):
        vlcheck.evaluate(competent, DATA, suite=suite, **given)


def test_open_cases_have_their_words(suite, competent):
    with pytest.raises(UsageError, match=r"^lexicons='words': is for cases that are given by their spec"):
        vlcheck.evaluate(competent, open_source(DATA), suite=suite, lexicons="words")


def test_importing_the_package_stays_light():
    code = "import sys, vlcheck; print({'numpy', 'torch', 'scipy', 'PIL', 'pytest'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
