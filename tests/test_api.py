"""A suite that is run from Python gives what pytest gives on the same selection."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

import vlcheck
from tests.conftest import ROOT
from tests.doubles import Competent
from tests.warm_python import warm_python
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError
from vlcheck.results.file import read

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


def test_a_frame_has_a_row_for_each_verdict(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=list))
    assert [row["status"] for row in results.to_frame()] == [verdict.status for verdict in results]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="needs the package pandas"):
        results.to_frame()


def test_a_model_may_be_an_object_and_answers_are_kept(suite, competent, tmp_path):
    told = []
    asked = {"suite": suite, "tests": "test_grey_preserves[itm]", "store": tmp_path / "scores"}
    first = vlcheck.evaluate(competent, DATA, **asked, progress=told.append)
    again = vlcheck.evaluate(competent, open_source(DATA), **asked, progress=lambda _: 1 / 0)
    assert told[-1].done == told[-1].total > 0
    assert first.verdicts == again.verdicts
    assert first.lines.run.model == competent.name
    assert [verdict.test for verdict in first] == ["behavior_tests/test_mine.py::test_grey_preserves[itm]"]


def test_progress_is_a_line_on_stderr(suite, competent, capsys):
    vlcheck.evaluate(competent, DATA, suite=suite, tests=["test_grey_preserves[itm]"])
    told = capsys.readouterr()
    assert told.out == ""
    assert "scoring: " in told.err


def test_a_faulty_test_fails_alone_and_the_run_is_not_green(tmp_path, competent):
    (tmp_path / "test_faulty.py").write_text(SUITE + FAULTY)
    results = vlcheck.evaluate(competent, DATA, suite=tmp_path, progress=False)
    names = {test.rpartition("::")[2]: why for test, why in results.errors.items()}
    assert "boom" in names["test_broken[itm]"]
    assert "Grayscale is a class" in names["test_amiss[itm]"]
    assert len(results) == 3
    assert not results.passed
    assert "No verdict on 2 selected tests: test_broken[itm], test_amiss[itm]." in results.objections


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch_size": 0}, "batch_size=0: has to be a whole number from 1 on"),
        ({"suite": "nowhere"}, "nowhere: there is no such folder of tests"),
        ({"dtype": "float31"}, "^dtype='float31': no such dtype. Did you mean 'float32'"),
        ({"device": "gpu"}, "^device='gpu': no such device"),
        ({"model": "tiny-rigth"}, "^model='tiny-rigth': no such model. Did you mean 'tiny-right'"),
        ({"data": "scene:9"}, "^data='scene:9': "),
        ({"policy": "absent.toml"}, "^policy=absent.toml: cannot be read"),
        ({"store": ROOT / "pyproject.toml"}, "^store=.*pyproject.toml: this is "),
        ({"tests": ["test_gray_preserves"]}, "tests: there is no test 'test_gray_preserves'. Did you mean"),
        ({"model": object()}, "gave 'object' without name"),
    ],
)
def test_what_cannot_be_used_is_refused(suite, changes, said):
    asked = {"model": "tiny", "data": DATA, "suite": suite} | changes
    with pytest.raises(UsageError, match=said) as raised:
        vlcheck.evaluate(asked.pop("model"), asked.pop("data"), **asked)
    assert "--" not in str(raised.value)


def test_importing_the_package_stays_light():
    code = "import sys, vlcheck; print({'numpy', 'torch', 'scipy', 'PIL', 'pytest'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
