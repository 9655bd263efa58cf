"""The Containerfile: what its steps may do, and, at night where a tree of Debian can be made, that they run."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / ".ci" / "containerfile.py"
FILE = ROOT / "docs" / "ci" / "Containerfile"
FOLLOWED = runpy.run_path(str(SCRIPT))
STEPS = list(FOLLOWED["instructions"](FILE.read_text(encoding="utf-8")))


def given(name):
    """The arguments of all instructions of a name."""
    return [rest for instruction, rest in STEPS if instruction == name]


def test_the_base_is_pinned_and_the_image_runs_as_a_user_who_is_not_root():
    assert given("FROM") == [FOLLOWED["BASE"]]
    assert re.fullmatch(r"[\w./]+:[a-z]+-slim", FOLLOWED["BASE"])
    (user,) = given("USER")
    assert f"useradd --create-home --uid 1000 {user}" in given("RUN")[0]
    assert [name for name, _ in STEPS[STEPS.index(("USER", user)) :]] == ["USER", "WORKDIR", "RUN", "CMD"]


def test_steps_leave_no_lists_and_caches_and_fetch_nothing_but_packages():
    assert "rm -rf /var/lib/apt/lists/*" in given("RUN")[0]
    installed = re.findall(r"pip install (\S+)", " ".join(given("RUN")))
    assert {*installed} == {"--no-cache-dir"}
    assert not re.search(r"curl|wget|git |http:|--trusted", FILE.read_text(encoding="utf-8"))
    assert given("ADD") == []


def test_a_continued_line_is_one_instruction_and_one_that_is_not_known_is_an_error(tmp_path):
    text = '# a remark\nRUN a \\\n    # between\n    && b\n\nCMD ["c"]\n'
    assert [*FOLLOWED["instructions"](text)] == [("RUN", "a      && b"), ("CMD", '["c"]')]
    assert json.loads(given("CMD")[0]) == ["vlcheck", "--help"]
    tree = FOLLOWED["Tree"](tmp_path, {"A": "mine"}, {})
    for step in (("ARG", "A=1"), ("ARG", "B=2"), ("ENV", "C=3 D='4 5'"), ("USER", "somebody"), ("WORKDIR", "/work")):
        tree.follow(*step)
    assert tree.variables | {"PATH": ""} == {"PATH": "", "A": "mine", "B": "2", "C": "3", "D": "4 5"}
    assert (tree.user, tree.folder) == ("somebody", "/work")
    for unknown in (("HEALTHCHECK", "NONE"), ("FROM", "scratch")):
        with pytest.raises(ValueError, match="not known here"):
            tree.follow(*unknown)


@pytest.mark.nightly
@pytest.mark.skipif(
    not shutil.which("debootstrap") or os.geteuid() != 0, reason="needs debootstrap and root, to make a tree of Debian"
)
def test_its_steps_run_in_a_clean_tree_of_debian(wheel_path, tmp_path):
    """With the network of this machine; VLCHECK_TORCH_INDEX and PIP_CERT say where it differs from the usual one."""
    shutil.copytree(ROOT, tmp_path / "checkout", ignore=shutil.ignore_patterns(".git", "dist", "build", "shared"))
    (tmp_path / "checkout" / "dist").mkdir()
    shutil.copy(wheel_path, tmp_path / "checkout" / "dist")
    tree = tmp_path / "tree"
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", tree], check=True, capture_output=True)  # noqa: S607
    options = [f"--arg=TORCH_INDEX={index}"] if (index := os.environ.get("VLCHECK_TORCH_INDEX")) else []
    if certificates := os.environ.get("PIP_CERT"):
        shutil.copy(certificates, tree / "opt" / "certificates")
        options.append("--env=PIP_CERT=/opt/certificates")
    script = tmp_path / "checkout" / ".ci" / "containerfile.py"
    done = subprocess.run([sys.executable, script, tree, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"== vlcheck: .*-k achromatic", done.stdout)
    assert "Usage: vlcheck" in done.stdout
    shutil.rmtree(tree)
