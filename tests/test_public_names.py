"""The public names: what `import vlcheck` offers, and that it costs nothing."""

import doctest
import json
import re
import subprocess
import sys

import pytest

import vlcheck
from tests.conftest import ROOT

PUBLIC = {
    "Attribution",
    "Case",
    "NotApplicable",
    "Results",
    "UsageError",
    "Verdict",
    "VisionLanguageModel",
    "__version__",
    "behavior",
    "check_model",
    "compare",
    "evaluate",
    "expect",
    "explain",
    "explain_score",
    "keep_answers",
    "list_models",
    "load_model",
    "open_cases",
    "parity",
    "perturb",
    "read_results",
    "with_target",
}
FACES = ("cases", "expect", "explain", "perturb")
BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs/reference/api.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)
IMPORTS = """
import json, sys
import vlcheck
ours = ("vlcheck", "numpy", "PIL", "torch", "pytest")
loaded = sorted(name for name in sys.modules if name.partition(".")[0] in ours)
print(json.dumps({"loaded": loaded, "listed": dir(vlcheck)}))
"""


def test_the_public_names_are_these():
    assert set(vlcheck.__all__) == PUBLIC
    assert set(vlcheck._HOMES) == PUBLIC - {"__version__"}
    assert vlcheck.__all__ == sorted(vlcheck.__all__)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_is_there_and_is_kept(name):
    found = getattr(vlcheck, name)
    assert found is vars(vlcheck)[name]


def test_a_star_import_brings_the_names():
    names = {}
    exec("from vlcheck import *", names)  # noqa: S102 -- what users may write in a notebook
    assert names.keys() - {"__builtins__"} == PUBLIC


def test_a_name_that_is_not_there_is_no_name():
    assert not hasattr(vlcheck, "evalute")
    with pytest.raises(ImportError, match="evalute"):
        exec("from vlcheck import evalute")  # noqa: S102


def test_importing_it_loads_nothing_else():
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["loaded"] == ["vlcheck"]
    assert set(found["listed"]) >= PUBLIC


@pytest.mark.parametrize("face", FACES)
def test_a_face_says_what_is_public_in_order(face):
    module = __import__(f"vlcheck.{face}", fromlist=["__all__"])
    constants_first = sorted(module.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert module.__all__ == constants_first
    assert all(hasattr(module, name) for name in module.__all__)


def examples(documented: object) -> str:
    """Return the code of the examples in a docstring; tests/test_docstrings.py runs it."""
    text = getattr(documented, "__doc__", None) or ""
    return "".join(one.source for one in doctest.DocTestParser().get_examples(text))


def without_example(face: str, names: list[str], page: str = "") -> list[str]:
    """Return the names of a package that no example shows: neither their docstring's, the package's nor the page's."""
    package = __import__(face, fromlist=["__all__"])
    shown = examples(package) + page
    return [name for name in names if not examples(getattr(package, name)) and not re.search(rf"\b{name}\b", shown)]


def test_each_public_name_has_an_example():
    assert not without_example("vlcheck", vlcheck.__all__, "".join(BLOCKS))
    assert not without_example("vlcheck.expect", vlcheck.expect.__all__)
    assert not without_example("vlcheck.explain", vlcheck.explain.__all__)
    assert not without_example("vlcheck.perturb", vlcheck.perturb.__all__)


def test_a_name_without_an_example_is_found(monkeypatch):
    monkeypatch.setattr(vlcheck, "unseen", object(), raising=False)
    assert without_example("vlcheck", ["unseen", "behavior"]) == ["unseen"]


def test_the_examples_of_the_reference_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for block in BLOCKS:
        exec(block, {})  # noqa: S102 -- what the page tells a reader to run
    assert capsys.readouterr().out.split() == [vlcheck.__version__, "True", "0.0", "True"]
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "results.jsonl"}
