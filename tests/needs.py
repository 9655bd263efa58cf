"""What some of vlcheck's own tests take and not every machine has: photographs, captions, foil suites, Chromium, ...

Each has a fixture. A test that takes it as an argument is skipped where the thing is not there, and fails there instead
where VLCHECK_REQUIRE names the need. `coco_root` is for a test that any pictures serve: where there are no photographs,
it draws some. A test that takes any of these has the need's name as its marker, so that `-m photographs` selects all
that photographs make another test of. Those that drawn pictures serve as well are marked `drawn`, too.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from tests.drawn_coco import draw_coco

BESIDE = Path(__file__).parents[2] / "shared"
REQUIRE = "VLCHECK_REQUIRE"
REQUIRED = pytest.StashKey[frozenset[str]]()


class Find(Protocol):
    def __call__(self, said: str | None) -> Path | None: ...


def _folder(said: str | None, *, beside: str, holds: str) -> Path | None:
    """The folder that is named, else one beside the checkout, if it holds what it has to."""
    root = BESIDE / beside if said is None else Path(said).absolute()
    return root if (root / holds).is_dir() else None


def _file(said: str | None, *, beside: str, name: str) -> Path | None:
    """A file in the folder that is named, else in one beside the checkout, if it is there."""
    path = (BESIDE / beside if said is None else Path(said).absolute()) / name
    return path if path.is_file() else None


def _program(said: str | None, *, name: str) -> Path | None:
    """The program that is named, else one on the path; a wrong name is for the test to stumble over."""
    path = shutil.which(name) if said is None else said
    return Path(path) if path else None


@dataclass(frozen=True)
class Need:
    """Something that tests take.

    Attributes:
        fixture: that gives it.
        variable: of the environment, says where it is; set to nothing, it is as if it were nowhere.
        find: where it is by the variable's value, None where it is not there.
        remedy: how to have it.
        stand_in: a fixture that gives it, or something in its place.
    """

    fixture: str
    variable: str
    find: Find
    remedy: str
    stand_in: str = ""

    def found(self) -> Path | None:
        """Where it is."""
        said = os.environ.get(self.variable)
        return None if said == "" else self.find(said)

    def there(self) -> Path:
        """Where it is, for its fixture: a test is not begun where it is not there."""
        found = self.found()
        assert found, f"take {self.fixture} as an argument, so that the test is skipped: {self.remedy}"
        return found

    def taken_by(self, item: pytest.Item) -> bool:
        """Whether a test is another one where it is there."""
        return not {self.fixture, self.stand_in}.isdisjoint(_fixtures(item))


NEEDS: Mapping[str, Need] = {
    "photographs": Need(
        "photographs_root",
        "VLCHECK_COCO",
        partial(_folder, beside="coco", holds="annotations"),
        "set VLCHECK_COCO to a COCO folder, with annotations/ and photographs",
        stand_in="coco_root",
    ),
    "captions": Need(
        "captions_path",
        "VLCHECK_CAPTIONS",
        partial(_file, beside="captions", name="captions_val2017.json"),
        "set VLCHECK_CAPTIONS to a folder with COCO's captions_val2017.json",
    ),
    "references": Need(
        "references_root",
        "VLCHECK_REFERENCES",
        partial(_folder, beside="references", holds="albef"),
        "set VLCHECK_REFERENCES to a folder of what the models' original code computed",
    ),
    "foils": Need(
        "foils_root",
        "VLCHECK_FOILS",
        partial(_folder, beside="foils", holds="sugar_crepe"),
        "set VLCHECK_FOILS to a folder that has SugarCrepe's files in sugar_crepe/",
    ),
    "chromium": Need(
        "chromium",
        "VLCHECK_CHROMIUM",
        partial(_program, name="chromium"),
        "apt-get install chromium, or set VLCHECK_CHROMIUM to one",
    ),
}


@pytest.fixture(scope="session")
def photographs_root() -> Path:
    """A COCO folder with photographs: VLCHECK_COCO, else shared/coco beside the checkout."""
    return NEEDS["photographs"].there()


@pytest.fixture(scope="session")
def captions_path() -> Path:
    """COCO's captions_val2017.json, in VLCHECK_CAPTIONS, else in shared/captions beside the checkout."""
    return NEEDS["captions"].there()


@pytest.fixture(scope="session")
def coco_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COCO folder: that with photographs, else one of drawn scenes."""
    return NEEDS["photographs"].found() or draw_coco(tmp_path_factory.mktemp("coco"))


@pytest.fixture(scope="session")
def references_root() -> Path:
    """What the models' original code computed: VLCHECK_REFERENCES, else shared/references beside the checkout."""
    return NEEDS["references"].there()


@pytest.fixture(scope="session")
def foils_root() -> Path:
    """Foil suites by name: VLCHECK_FOILS, else shared/foils beside the checkout."""
    return NEEDS["foils"].there()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Chromium: that of VLCHECK_CHROMIUM, else `chromium` on the path."""
    return NEEDS["chromium"].there()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; read what is required."""
    for name in NEEDS:
        config.addinivalue_line("markers", f"{name}: another test where there is {name}; see tests/needs.py")
    config.addinivalue_line("markers", "drawn: drawn pictures serve as well; see tests/needs.py")
    required = {name.strip() for name in os.environ.get(REQUIRE, "").split(",")} - {""}
    if unknown := sorted(required - NEEDS.keys()):
        raise pytest.UsageError(f"{REQUIRE}: unknown name {unknown[0]!r}; accepted are {', '.join(NEEDS)}")
    config.stash[REQUIRED] = frozenset(required)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test with what it takes."""
    for name, need in NEEDS.items():
        if need.taken_by(item):
            item.add_marker(name)
        if need.stand_in in _fixtures(item) and need.fixture not in _fixtures(item):
            item.add_marker("drawn")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose need is not there, unless it is required."""
    for name, need in NEEDS.items():
        if not need.taken_by(item) or need.found():
            continue
        if name in item.config.stash[REQUIRED]:
            pytest.fail(f"{REQUIRE} names {name}, and there is none: {need.remedy}", pytrace=False)
        if need.fixture in _fixtures(item):
            pytest.skip(_reason(name))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the tests that were skipped for want of something, in one line."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.getreports("skipped"))
    counts = {name: reasons[f"Skipped: {_reason(name)}"] for name in NEEDS}
    if any(counts.values()):
        said = [f"{name}: {count} ({NEEDS[name].remedy})" for name, count in counts.items() if count]
        terminalreporter.write_line(f"Skipped for want of {', '.join(said)}.")


def _fixtures(item: pytest.Item) -> Collection[str]:
    return getattr(item, "fixturenames", ())


def _reason(name: str) -> str:
    return f"needs {name}: {NEEDS[name].remedy}"
