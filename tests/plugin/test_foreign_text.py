"""A run of pytest shows text from anywhere, and none of it steers the log."""

import json
import re
from xml.etree import ElementTree

from tests.plugin.conftest import STATES
from tests.test_foreign_text import HOSTILE, steers


def test_a_run_of_pytest(project, monkeypatch):
    """A suite, cases, a model, a policy's reason and files whose names are hostile: nothing of it steers the log."""
    said = json.dumps(HOSTILE[:-1])
    (project.folder / "test_states.py").write_text(
        re.sub("(?m)^    ", "", STATES)
        .replace('BIAS = "color"', f"BIAS = {HOSTILE!r}")
        .replace("A red bus", "::error::")
    )
    lines = (project.folder / "data" / "cases.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    captions = [case | {"caption": f"{HOSTILE[:-1]} {case['caption']}"} for case in cases]
    (project.folder / "data" / "cases.jsonl").write_text("\n".join(map(json.dumps, captions)))
    (project.folder / "mine.py").write_text(
        "from tests.doubles import loves_color\n\n\ndef named(device, dtype):\n"
        f"    model = loves_color(device, dtype)\n    model.name = {HOSTILE!r}\n    return model\n"
    )
    known = f'[[known]]\nbehavior = "test_grayscale_preserves"\nmetric = "itm"\nreason = {said}\nuntil = 2999-12-31\n'
    (project.folder / "policy.toml").write_text(known)
    named = ("--vl-model=mine.py:named", "--vl-policy=policy.toml", f"--vl-report={HOSTILE[:20]}.html", "--color=no")
    summary = project.folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = project.run(*named, "-rA", "--junitxml=junit.xml", "--html=page.html", model="")
    assert "no verdict came" not in result.stdout.str()
    assert steers(result.stdout.str() + result.stderr.str()) == []
    assert steers(summary.read_text()) == []
    ElementTree.parse(project.folder / "junit.xml")  # noqa: S314 - our own
    for option in (f"--vl-baseline={HOSTILE}", f"--vl-results=absent/{HOSTILE}", f"--vl-device={HOSTILE}"):
        result = project.run(*named[:1], option, model="")
        assert result.ret == 4
        assert steers(result.stdout.str() + result.stderr.str()) == []
