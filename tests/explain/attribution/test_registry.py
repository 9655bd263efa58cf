"""Methods of other packages, by their entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

import vlcheck
from tests.conftest import ROOT
from tests.documents import FILES
from vlcheck.errors import UsageError
from vlcheck.explain.attribution import registry
from vlcheck.explain.attribution.registry import GROUP, METHODS, SHIPPED
from vlcheck.explain.explaining import case_explainer
from vlcheck.explain.request import parse_methods, parse_request, parse_requests

pytestmark = pytest.mark.slow  # networks are run many times

OWN = "gradient-times-input"
FAULTY = """
from dataclasses import dataclass

from own_methods import GradientTimesInput
from vlcheck.explain import AttributionMethod


class Untitled(AttributionMethod):
    name = "untitled"

    def maps(self, model, inputs): ...


class Renamed(Untitled):
    title, source, meaning = "Renamed", "", ""


@dataclass
class Tuned(GradientTimesInput):  # equal by its values, so that it has no hash
    steps: int = 3


def nothing(): return 3
def broken(): raise RuntimeError("out of cheese")
"""


@pytest.fixture
def register(tmp_path, monkeypatch):
    """Register methods of the documentation and faulty ones, by name and place."""
    (tmp_path / "own_methods.py").write_text(FILES["gradient_times_input.py"], encoding="utf-8")
    (tmp_path / "faulty_methods.py").write_text(FAULTY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def registered(name, place):
        monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint(name, place, GROUP)])

    return registered


def test_a_registered_method_is_known_wherever_a_method_is_named(register):
    assert (OWN in METHODS, len(METHODS)) == (False, len(SHIPPED))
    register(OWN, "own_methods:GradientTimesInput")
    assert [*METHODS] == [*SHIPPED, OWN]
    assert len(METHODS) == len(SHIPPED) + 1
    (found,) = parse_methods(OWN)
    assert found.title == METHODS[OWN].title == "Gradient times input"


def test_it_maps_cases_and_adds_no_tests_of_maps(register):
    register(OWN, "own_methods:GradientTimesInput")
    assert [parse_request(said).tests for said in (OWN, f"{OWN}:5", "saliency", "saliency:5")] == [
        "",
        "",
        "saliency",
        "",
    ]


def test_it_is_in_the_results_of_a_run(register):
    register(OWN, "own_methods:GradientTimesInput")
    results = vlcheck.evaluate(
        "tiny",
        "scenes:3",
        suite=ROOT / "behavior_tests",
        tests="test_grayscale_preserves_objects",
        explain=f"{OWN}:2",
        images=False,
        progress=False,
    )
    (method,) = results.lines.run.explained
    assert (method.name, method.title, method.trust) == (OWN, "Gradient times input", "Trust: not measured.")
    assert len(results.lines.explanations) == 4  # two views of two cases
    assert {(one.method, one.rows, one.columns) for one in results.lines.explanations} == {(OWN, 8, 8)}


def test_no_package_replaces_a_method_of_vlcheck(register):
    register("saliency", "own_methods:GradientTimesInput")
    assert METHODS["saliency"] is SHIPPED["saliency"]
    assert [*METHODS] == [*SHIPPED]


@pytest.mark.parametrize("name", ["mmshap", "ablation"])
def test_no_package_replaces_a_group_of_tests(name, register):
    register(name, "own_methods:GradientTimesInput")
    assert [*METHODS] == [*SHIPPED]
    (request,) = parse_requests(name)
    assert request.tests == name


def test_a_method_without_a_hash_explains_cases(register):
    register(OWN, "faulty_methods:Tuned")
    explainer = case_explainer(vlcheck.load_model("tiny"), parse_requests(f"{OWN}:2,saliency:3"))
    assert [(method.name, method.count) for method in explainer.records] == [(OWN, 2), ("saliency", 3)]


@pytest.mark.parametrize(
    ("name", "place", "said"),
    [
        ("mine", "no_such_methods:Mine", "cannot be made. ModuleNotFoundError: No module named 'no_such_methods'"),
        ("mine", "faulty_methods:Mine", "cannot be made. AttributeError"),
        ("mine", "faulty_methods:broken", r"cannot be made. RuntimeError: out of cheese \(.*faulty_methods.py:"),
        ("mine", "faulty_methods:nothing", "gave 'int'; it has to be a vlcheck.explain.AttributionMethod"),
        ("untitled", "faulty_methods:Untitled", "lacks title, source, meaning"),
        ("mine", "faulty_methods:Renamed", "is called 'untitled'; its `name` has to be the registered one"),
    ],
)
def test_what_is_no_method_is_refused(name, place, said, register):
    register(name, place)
    with pytest.raises(UsageError, match=f"the attribution method '{name}', {place} of .*{said}"):
        METHODS[name]
