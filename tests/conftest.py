"""What vlcheck's own tests share."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs, tiers
from tests.warm_python import ALLOCATED

if "PYTEST_XDIST_WORKER" in os.environ:  # the other worker has the other core
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by torch when it is imported, here and in the tests' processes

ROOT = Path(__file__).parents[1]
collect_ignore = ["data"]  # among it a suite of an earlier release
# processors of transformers that read tensors with numpy 2
OLD_ARRAYS = "ignore:__array__ implementation:DeprecationWarning"
PATIENCE = 60_000  # ms: machines that run tests may be busy
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def wheel_path(tmp_path_factory) -> Path:
    """What pip installs."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return folder / built.stdout.split()[-1]


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    """Keep what `vlcheck models check` finds here out of the user's cache, and what is there out of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _forgotten_suites(tmp_path_factory):
    """Forget the modules of a suite that a test imported here: those of the next test's may have their names."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and any(map(Path(file).is_relative_to, (tmp_path_factory.getbasetemp(), ROOT / "behavior_tests"))):
            del sys.modules[name]


@pytest.fixture(scope="module")
def browser(chromium):
    """Chromium, started."""
    from playwright.sync_api import Error, sync_playwright  # few tests need it

    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=chromium, args=_FLAGS, timeout=PATIENCE)
        except Error as error:
            pytest.fail(f"{chromium} does not start; VLCHECK_CHROMIUM says which Chromium: {error}", pytrace=False)
        yield started
        started.close()


def pytest_configure(config: pytest.Config) -> None:
    """Bring the fixtures and markers of what not every machine has, and the tiers."""
    config.pluginmanager.register(needs, "vlcheck-needs")
    config.pluginmanager.register(tiers, "vlcheck-tiers")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look for garbage more seldom, and never among modules and tests, which stay: it took a tenth of the time."""
    gc.freeze()
    gc.set_threshold(ALLOCATED)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Make errors of warnings in vlcheck's own tests; in a run of the suite they are the model's."""
    item.add_marker(pytest.mark.filterwarnings("error", OLD_ARRAYS), append=False)
