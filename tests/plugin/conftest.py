"""A small project of a user: photographs, cases, a model and a test file, in a folder of its own."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# pytester forgets what a run imports, and neither torch nor numpy can be imported twice
import vlcheck.models.loading.pretrained
import vlcheck.plugin.workbench
import vlcheck.results.places  # noqa: F401
from tests.warm_python import warm_python
from vlcheck.results.run_id import CI

ROOT = Path(__file__).parents[2]
WORDS = ("dog", "cat", "bus", "cow")
STATES = """
    from vlcheck.cases import with_target
    from vlcheck.expect import Drops, Preserved
    from vlcheck.perturb import Block, Grayscale, Mirror, OtherImage
    from vlcheck import behavior

    BIAS = "color"

    @behavior(cases=with_target("object"), perturb=Grayscale(), expect=Preserved(), metrics=("mlm", "itm"))
    def test_grayscale_preserves(verdict):
        '''A red bus is still a bus.'''
        assert verdict.passed

    @behavior(cases=with_target("object"), perturb=OtherImage(), expect=Drops(), metrics=("mlm", "itm"))
    def test_another_image_drops(verdict):
        assert verdict.passed
"""


@dataclass
class Project:
    """A folder to run pytest in."""

    pytester: pytest.Pytester
    data: str

    @property
    def folder(self) -> Path:
        return self.pytester.path

    def run(self, *arguments: str, model: str = "competent", subprocess: bool = False) -> pytest.RunResult:
        """Run pytest with one of the doubles as the model; its exit status is in `.ret`."""
        said = [f"--vl-model={self.spec(model)}"] if model else []
        said += [f"--vl-data={self.data}"] if self.data else []
        said += ["-p", "no:cacheprovider", *arguments]
        if not subprocess:
            return self.pytester.runpytest_inprocess(*said)
        own = self.pytester.mkdir(f"runpytest-{len([*self.folder.glob('runpytest-*')])}")
        return self.pytester.run(warm_python().command, "-mpytest", f"--basetemp={own}", *said)

    def spec(self, model: str) -> str:
        """One of the doubles, as --vl-model names it."""
        return f"{ROOT}/tests/doubles.py:{model}"

    def results(self, kind: str, path: str = "vlcheck-results.jsonl") -> list[dict]:
        """The lines of one kind in the results file."""
        lines = (json.loads(line) for line in (self.folder / path).read_text().splitlines())
        return [line for line in lines if line["kind"] == kind]


def write_cases(folder: Path, n: int, **changes) -> Path:
    """Write n photographs, all different, and a case for each."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for i in range(n):
        coarse = np.random.default_rng(i).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
        word = WORDS[i % len(WORDS)]
        line = {
            "image": f"{i}.png",
            "caption": f"number {i}, a {word} on the grass",
            "target": word,
            "tags": ["object"],
            "candidates": [other for other in WORDS if other != word],
            "present": [word],
            "bare": "a photo of a [MASK]",
        }
        lines.append(json.dumps(line | changes))
    path = folder / "cases.jsonl"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def project(pytester, monkeypatch):
    cases = write_cases(pytester.path / "data", 40)
    data = f"jsonl:{cases}"
    monkeypatch.setenv("VLCHECK_TEST_DATA", data)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", *CI):  # these runs are none of a workflow's steps
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(test_states=STATES)
    return Project(pytester, data)


@pytest.fixture
def log(project, monkeypatch):
    """Where doubles that count write what they are asked."""
    path = project.folder / "asked.log"
    monkeypatch.setenv("VLCHECK_TEST_LOG", str(path))
    return path


def lines(log):
    return log.read_text().splitlines()


def encoded(log):
    return [line for line in lines(log) if line.startswith("encode")]
