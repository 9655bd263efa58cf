"""What pytest imports on vlcheck's behalf, where nothing of it is asked of a model."""

import json
import sys

import pytest

from benchmarks import cases

TELLS = """
import json, pathlib, sys

def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        heavy = {"torch", "transformers", "timm", "numpy", "scipy", "PIL", "jinja2", "rich", "typer"}
        pathlib.Path("imported.json").write_text(json.dumps(sorted(heavy & set(sys.modules))))
"""


def test_another_project_pays_nothing(pytester):
    pytester.makeconftest(TELLS)
    pytester.makepyfile(test_it="def test_it():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:html", "--collect-only"]
    assert pytester.run(*command).ret == 0
    assert json.loads((pytester.path / "imported.json").read_text()) == []


def test_a_model_that_needs_no_pytorch_has_none_loaded(pytester):
    """A second of each process, and pytest looks at each of PyTorch's loggers in every test."""
    pytester.makeconftest(TELLS)
    pytester.makepyfile(test_side=cases.SUITE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:html", "--vl-data=scenes:6"]
    done = pytester.run(*command, f"--vl-model={cases.__file__}:cheap", "--vl-cases", "--vl-no-images")
    assert "xfailed" in done.stdout.str()
    imported = json.loads((pytester.path / "imported.json").read_text())
    assert "numpy" in imported
    assert "torch" not in imported


@pytest.mark.slow
def test_the_controller_of_a_run_has_no_network(project):
    """It puts together what its workers found, and draws the page."""
    project.pytester.makeconftest(TELLS)
    asked = (f"--vl-model={project.spec('competent')}", f"--vl-data={project.data}", "--vl-report=report.html")
    assert project.pytester.runpytest_subprocess("-n1", *asked).ret == 0
    imported = json.loads((project.folder / "imported.json").read_text())
    assert not {"torch", "transformers", "timm"} & set(imported)
