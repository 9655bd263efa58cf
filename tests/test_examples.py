"""Every file in examples/ runs, in an empty folder; one that nothing would run is an error."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
SCRIPTS = [path for path in EXAMPLES if path.suffix == ".py"]


def test_every_example_is_a_script_that_is_run():
    assert SCRIPTS
    assert [path.name for path in EXAMPLES if path not in SCRIPTS and path.name != "README.md"] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_an_example_runs_to_its_end(script, tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
