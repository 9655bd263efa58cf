"""The recipes for CI, run as far as a machine without a GPU can: each shell step, with an embedded model."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.conftest import ROOT
from tests.warm_python import warm_python
from vlcheck import __version__
from vlcheck.results.run_id import CI
from vlcheck.suite import install

DOCS = ROOT / "docs"
RECIPES = [*sorted(DOCS.glob("ci/*.yml")), ROOT / "action.yml", *sorted(ROOT.glob(".github/workflows/*.yml"))]
GITHUB, GITLAB = (yaml.safe_load((DOCS / "ci" / f"{name}.yml").read_text()) for name in ("github", "gitlab"))
INSTALL = 'python -m pip install "$VLCHECK"'
GATE = "vlcheck gate vlcheck-results.jsonl"
NAMES = {"github": ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"), "gitlab": ("CI_PIPELINE_ID", "CI_JOB_ID")}
OUTPUTS = {"report.html", "vlcheck-results.jsonl", "junit.xml"}
FAILS = "tiny-mirror", "mirror_swaps"
PASSES = "tiny", "achromatic"


def steps():
    return GITHUB["jobs"]["vlcheck"]["steps"]


def scripts():
    """The shell steps of each recipe's gate, without the one that installs."""
    github = [step["run"] for step in steps() if "run" in step]
    gitlab = [*GITLAB["vlcheck"]["before_script"], *GITLAB["vlcheck"]["script"]]
    assert INSTALL in github
    assert INSTALL in gitlab
    return {
        "github": [script for script in github if script != INSTALL],
        "gitlab": [script for script in gitlab if script != INSTALL],
    }


@pytest.fixture
def checkout(tmp_path):
    """A team's repository, as it is checked out."""
    install.write_copy(tmp_path, install.read_copy(tmp_path))
    return tmp_path


def gate(recipe, checkout, model, tests, **changes):
    """Run a recipe's steps as its runner does, until one fails; return the last. No run finds another's outputs."""
    for name in OUTPUTS:
        (checkout / name).unlink(missing_ok=True)
    programs = [warm_python().bin, Path(sys.executable).parent, os.environ["PATH"]]
    here = {"PATH": os.pathsep.join(map(str, programs)), "PYTHONPATH": str(ROOT)}
    here |= {"MODEL": model, "DATA": "scenes:30", "DEVICE": "cpu", "BASELINE": "", "PYTEST_ADDOPTS": f"-k {tests}"}
    here |= dict.fromkeys(CI, "") | dict(zip(NAMES[recipe], ("77", "1"), strict=True))
    here |= (
        {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(checkout / "summary.md")} if recipe == "github" else {}
    )
    for script in scripts()[recipe]:
        script = script.replace(GATE, f"{GATE} --part")  # as the page has it of a pipeline that says -k
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        environment = os.environ | here | changes
        done = subprocess.run(shell, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            break
    return done


def outputs(checkout):
    """Which of its outputs a gate has left."""
    return {name for name in OUTPUTS if (checkout / name).is_file()}


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_the_page_quotes_the_files(name):
    text = (DOCS / "ci.md").read_text(encoding="utf-8")
    (quoted,) = re.findall(rf"<!-- file: ci/{name}.yml -->\n```yaml\n(.*?)```", text, re.DOTALL)
    assert quoted == (DOCS / "ci" / f"{name}.yml").read_text(encoding="utf-8")


def test_the_page_links_every_recipe():
    text = (DOCS / "ci.md").read_text(encoding="utf-8")
    assert [path.name for path in DOCS.glob("ci/*.yml") if f"](ci/{path.name})" not in text] == []


def test_github_releases_only_what_was_checked():
    release = GITHUB["jobs"]["release"]
    assert release["needs"] == "vlcheck"
    assert "always" not in release["if"]
    assert not [step for step in steps() if "continue-on-error" in step]


def test_gitlab_releases_only_what_was_checked():
    assert GITLAB["stages"].index(GITLAB["vlcheck"]["stage"]) < GITLAB["stages"].index(GITLAB["release"]["stage"])
    assert not {"allow_failure", "when"} & (GITLAB["vlcheck"].keys() | GITLAB["release"].keys())


def test_both_rest_on_the_results_once_the_tests_have_run():
    for recipe, (check, gate) in scripts().items():
        assert "pytest behavior_tests" in check, recipe
        assert gate == GATE, recipe
    (step,) = [step for step in steps() if step.get("run") == GATE]
    assert "if" not in step


def test_what_a_failing_run_leaves_is_kept():
    (upload,) = [step for step in steps() if step.get("uses", "").startswith("actions/upload-artifact")]
    assert upload["if"] == "always()"
    assert set(upload["with"]["path"].split()) == OUTPUTS
    kept = GITLAB["vlcheck"]["artifacts"]
    assert kept["when"] == "always"
    assert {*kept["paths"], kept["reports"]["junit"]} == OUTPUTS


def test_scores_are_kept_of_a_failing_run_as_well():
    (save,) = [step for step in steps() if step.get("uses", "").startswith("actions/cache/save")]
    (restore,) = [step for step in steps() if step.get("uses", "").startswith("actions/cache/restore")]
    assert save["if"] == "always()"
    assert save["with"]["key"] == restore["with"]["key"]
    assert restore["with"]["key"].startswith(restore["with"]["restore-keys"])
    assert GITLAB["vlcheck"]["cache"]["when"] == "always"


def test_the_version_is_pinned_and_both_recipes_ask_the_same():
    names = ("VLCHECK", "MODEL", "DATA", "DEVICE", "BASELINE")
    github, gitlab = GITHUB["env"], GITLAB["variables"]
    assert [github[name] for name in names] == [gitlab[name] for name in names]
    assert Path(github["VLCHECK"]).name == f"vlcheck-{__version__}-py3-none-any.whl"
    asked = [" ".join(scripts()[name][0].split()) for name in ("github", "gitlab")]
    assert asked[0] == asked[1]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path):
    """A tag can be moved to other code; the comment says which version the commit is."""
    used = re.findall(r"uses: *(.*)", path.read_text(encoding="utf-8"))
    assert bool(used) == ("gitlab" not in path.name)
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_one_action_is_one_commit():
    used = {one for path in RECIPES for one in re.findall(r"uses: *(.*)", path.read_text())}
    repositories = {tuple(one.split("@")[0].split("/")[:2]) for one in used}
    assert len({one.split("@")[1] for one in used}) == len(repositories)


def test_what_a_gate_installs_is_audited_every_night():
    github, gitlab = (yaml.safe_load((DOCS / "ci" / f"audit.{name}.yml").read_text()) for name in ("github", "gitlab"))
    (trigger,) = github[True]["schedule"]  # YAML 1.1 reads `on` as true
    assert re.fullmatch(r"\d+ \d+ \* \* \*", trigger["cron"])
    assert github["env"]["VLCHECK"] == GITHUB["env"]["VLCHECK"]
    assert "schedule" in gitlab["vlcheck-audit"]["rules"][0]["if"]
    for script in (github["jobs"]["audit"]["steps"][-1]["run"], "\n".join(gitlab["vlcheck-audit"]["script"])):
        assert re.search(r'pip install "\$VLCHECK" pip-audit==[\d.]+\n.*-m pip_audit --local\n?$', script, re.DOTALL)
        assert "|| true" not in script


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["github", "gitlab"])
def test_the_exit_status_gates(recipe, checkout):
    good = gate(recipe, checkout, *PASSES)
    assert good.returncode == 0, good.stdout + good.stderr
    assert good.stdout.startswith("accepted: vlcheck-results.jsonl: run 77-1 of ")
    assert outputs(checkout) == OUTPUTS
    assert (checkout / ".vlcheck" / "scores.sqlite").is_file()
    assert len(ElementTree.parse(checkout / "junit.xml").findall(".//testcase")) == 2  # noqa: S314 - pytest's own
    bad = gate(recipe, checkout, *FAILS)
    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert outputs(checkout) == OUTPUTS
    run = json.loads((checkout / "vlcheck-results.jsonl").read_text().splitlines()[0])
    assert (run["name"], run["exit_status"]) == ("tiny-mirror", 1)
    if recipe == "github":
        assert "| position |" in (checkout / "summary.md").read_text()
        assert "::error title=position%3A test_mirror_swaps_sides [" in bad.stdout


@pytest.mark.slow
def test_the_release_before_is_held_against_and_a_missing_one_is_no_first_release(checkout):
    baseline = checkout / "released.jsonl"
    missing = gate("github", checkout, *PASSES, BASELINE=str(baseline))
    assert missing.returncode == 4
    assert f"--vl-baseline {baseline}" in missing.stderr
    assert gate("github", checkout, *PASSES).returncode == 0
    (checkout / "vlcheck-results.jsonl").rename(baseline)
    assert gate("github", checkout, *PASSES, BASELINE=str(baseline)).returncode == 0
    assert "Compared with the baseline" in (checkout / "summary.md").read_text()
