"""What runs when: at night alone, before a merge, in the inner loop; heavy files first."""

import re
from configparser import ConfigParser

import pytest
import yaml

from tests import tiers
from tests.conftest import ROOT
from tests.models.families import FAMILIES, REPRESENTATIVE
from tests.tiers import MARKERS, VARIABLE

FILES = {
    "test_a": "import pytest\ndef test_light(): pass\n@pytest.mark.nightly\ndef test_at_night(): pass",
    "test_b": "import pytest\ndef test_first(): pass\n@pytest.mark.slow\ndef test_slow(): pass",
    "test_c": "import pytest\n@pytest.mark.power\ndef test_power(): pass",
    "test_d": "import pytest\n@pytest.fixture\ndef browser(): pass\ndef test_page(browser): pass",
}


@pytest.fixture
def run(pytester, monkeypatch):
    """Run tests of several tiers."""
    pytester.makepyfile(**FILES)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return lambda *arguments: pytester.runpytest("-p", "tests.tiers", "-p", "no:cacheprovider", "-v", *arguments)


@pytest.mark.parametrize(("nightly", "passed", "deselected"), [(False, 5, 1), (True, 6, 0)])
def test_what_is_nightly_runs_at_night_alone_and_is_counted(run, monkeypatch, nightly, passed, deselected):
    monkeypatch.setattr(tiers, "NIGHTLY", nightly)
    run().assert_outcomes(passed=passed, deselected=deselected)


def test_files_with_heavy_tests_come_first_and_stay_in_order(run):
    order = re.findall(r"::(test_\w+)", run().stdout.str())
    assert order == ["test_power", "test_first", "test_slow", "test_page", "test_light"]


def test_the_inner_loop_leaves_out_what_takes_minutes(run):
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    (selected,) = re.findall(r'-m "(.*)"', tox["testenv:inner"]["commands"])
    assert set(re.findall(r"not (\w+)", selected)) == MARKERS.keys() - {"nightly"}
    run("-m", selected).assert_outcomes(passed=2, deselected=4)
    assert selected in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_representative_families_are_families():
    assert set(FAMILIES) > REPRESENTATIVE
    assert len(REPRESENTATIVE) == 3


def test_every_night_everything_runs_at_its_full_size():
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    assert tox["testenv:nightly"]["set_env"] == f"{VARIABLE} = 1"
    recipes = {name: ROOT / "docs" / "ci" / f"nightly.{name}.yml" for name in ("github", "gitlab")}
    github, gitlab = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in recipes.values())
    (trigger,) = github[True]["schedule"]  # YAML 1.1 reads `on` as true
    assert re.fullmatch(r"\d+ \d+ \* \* \*", trigger["cron"])
    assert "schedule" in gitlab["vlcheck-nightly"]["rules"][0]["if"]
    for script in (github["jobs"]["nightly"]["steps"][-1]["run"], "\n".join(gitlab["vlcheck-nightly"]["script"])):
        assert "tox -e nightly" in script
        assert "|| true" not in script
