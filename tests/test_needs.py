"""A test that lacks photographs, references, foil suites or Chromium is skipped and counted, or fails if required."""

import re
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.drawn_coco import draw_coco
from tests.needs import NEEDS, REQUIRE

TESTS = """
    def test_photographs(photographs_root):
        assert (photographs_root / "annotations").is_dir()

    def test_any_pictures(coco_root):
        assert list(coco_root.glob("val2017/*.jpg"))

    def test_captions(captions_path):
        assert captions_path.name == "captions_val2017.json"

    def test_references(references_root):
        assert (references_root / "albef").is_dir()

    def test_suites(foils_root):
        assert (foils_root / "sugar_crepe").is_dir()

    def test_page(chromium):
        assert chromium.is_file()

    def test_nothing():
        pass
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run tests that take each need, or others, where none is there unless an environment says otherwise."""

    def run(*arguments, tests=TESTS, **environment):
        pytester.makepyfile(test_them=tests)
        nowhere = {need.variable: "" for need in NEEDS.values()}
        for name, value in (nowhere | {"VLCHECK_REQUIRE": "", "PYTHONPATH": str(ROOT)} | environment).items():
            monkeypatch.setenv(name, value)
        return pytester.runpytest("-p", "tests.needs", "-p", "no:cacheprovider", *arguments)

    return run


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=" ".join)
def test_what_is_not_there_is_skipped_and_counted_in_one_line(run, workers):
    done = run("-rs", *workers)
    done.assert_outcomes(passed=2, skipped=5)
    assert done.ret == pytest.ExitCode.OK
    (line,) = [line for line in done.outlines if line.startswith("Skipped for want of")]
    remedies = [f"{name}: 1 ({need.remedy})" for name, need in NEEDS.items()]
    assert line == f"Skipped for want of {', '.join(remedies)}."
    done.stdout.fnmatch_lines(["SKIPPED * needs chromium: apt-get install chromium, or set VLCHECK_CHROMIUM to one"])


def test_each_is_counted_by_how_many_tests_want_it(run):
    tests = "import pytest\n@pytest.mark.parametrize('n', range(3))\ndef test_it(n, chromium): pass"
    done = run(tests=tests)
    done.stdout.fnmatch_lines(["Skipped for want of chromium: 3 (apt-get install chromium, *"])


@pytest.mark.parametrize(
    ("required", "errors", "skipped"),
    [("photographs", 2, 4), ("photographs, captions, references,foils,chromium", 6, 0)],
)
def test_what_is_required_and_not_there_fails(run, required, errors, skipped):
    done = run(VLCHECK_REQUIRE=required)
    done.assert_outcomes(passed=7 - errors - skipped, errors=errors, skipped=skipped)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    for name in required.replace(" ", "").split(","):
        done.stdout.fnmatch_lines([f"VLCHECK_REQUIRE names {name}, and there is none: {NEEDS[name].remedy}"])


def test_what_is_there_is_taken_required_or_not(run, tmp_path):
    draw_coco(tmp_path / "coco")
    (tmp_path / "references" / "albef").mkdir(parents=True)
    (tmp_path / "foils" / "sugar_crepe").mkdir(parents=True)
    there = {"VLCHECK_COCO": tmp_path / "coco", "VLCHECK_REFERENCES": tmp_path / "references"}
    (tmp_path / "captions_val2017.json").touch()
    there |= {"VLCHECK_CAPTIONS": tmp_path}
    there |= {"VLCHECK_FOILS": tmp_path / "foils", "VLCHECK_CHROMIUM": sys.executable}
    done = run(VLCHECK_REQUIRE=",".join(NEEDS), **{name: str(path) for name, path in there.items()})
    done.assert_outcomes(passed=7)
    assert "Skipped for want" not in done.stdout.str()


@pytest.mark.parametrize("name", ["photographs", "captions", "references", "foils"])
def test_a_folder_without_what_it_has_to_hold_is_none(tmp_path, monkeypatch, name):
    monkeypatch.setenv(NEEDS[name].variable, str(tmp_path))
    assert NEEDS[name].found() is None


def test_chromium_is_the_one_that_is_named_else_the_one_on_the_path(tmp_path, monkeypatch):
    (tmp_path / "chromium").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VLCHECK_CHROMIUM", raising=False)
    assert NEEDS["chromium"].found() == tmp_path / "chromium"
    monkeypatch.setenv("VLCHECK_CHROMIUM", "/opt/chromium")
    assert NEEDS["chromium"].found() == Path("/opt/chromium")


def test_an_unknown_name_in_what_is_required_is_a_usage_error(run):
    done = run(VLCHECK_REQUIRE="photographs,chrome")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(
        ["*VLCHECK_REQUIRE: unknown name 'chrome'; accepted are photographs, captions, references, foils, chromium"]
    )


def test_a_marker_selects_what_is_another_test_with_it(run):
    run("-m", "photographs").assert_outcomes(passed=1, skipped=1, deselected=5)
    run("-m", "photographs or chromium").assert_outcomes(passed=1, skipped=2, deselected=4)


def test_a_need_that_is_not_an_argument_is_no_reason_to_skip(run):
    done = run(tests="def test_it(request): request.getfixturevalue('chromium')")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*take chromium as an argument*"])


def test_no_test_selected_is_no_success(run):
    assert run("-m", "chromium", "-n2", tests="def test_nothing(): pass").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_the_variables_are_passed_on_by_tox_and_explained():
    variables = {REQUIRE, *(need.variable for need in NEEDS.values())}
    tox = ConfigParser()
    tox.read(ROOT / "tox.ini")
    assert set(tox["testenv:tests"]["pass_env"].split(", ")) == variables
    for page in ("docs/explanation/proof.md", "CONTRIBUTING.md"):
        assert set(re.findall(r"VLCHECK_[A-Z]+", (ROOT / page).read_text(encoding="utf-8"))) >= variables


@pytest.mark.parametrize("need", NEEDS)
def test_vlchecks_own_tests_have_the_markers(need, monkeypatch, pytester):
    """Some of them for each need: else .ci/run would ask for what no test takes."""
    files = {
        "photographs": "datasets/coco/test_photographs.py",
        "captions": "audit/test_coco_captions.py",
        "references": "test_references.py",
        "foils": "datasets/foils/test_sugarcrepe.py",
        "chromium": "report/test_page_in_browser.py",
    }
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = pytester.runpytest_subprocess(f"tests/{files[need]}", "--collect-only", "-q", "-m", need)
    assert done.ret == pytest.ExitCode.OK, done.stdout.str()
