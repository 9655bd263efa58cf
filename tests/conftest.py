"""What vlcheck's own tests share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BESIDE = ROOT.parent / "shared"
PATIENCE = 60_000  # ms: machines that run tests may be busy
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def coco_root() -> Path:
    """A COCO folder: VLCHECK_COCO, else shared/coco beside the checkout."""
    root = Path(os.environ.get("VLCHECK_COCO", BESIDE / "coco"))
    if not (root / "annotations").is_dir():
        pytest.fail(f"{root}: no COCO folder; set VLCHECK_COCO to one with annotations/ and photographs", pytrace=False)
    return root


@pytest.fixture(scope="session")
def wheel_path(tmp_path_factory) -> Path:
    """What pip installs."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return folder / built.stdout.split()[-1]


@pytest.fixture(scope="module")
def browser():
    """Chromium: that of VLCHECK_CHROMIUM, else `chromium` on PATH."""
    from playwright.sync_api import Error, sync_playwright  # few tests need it

    path = os.environ.get("VLCHECK_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail("no Chromium: install it (apt-get install chromium), or say where it is in VLCHECK_CHROMIUM")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=path, args=_FLAGS, timeout=PATIENCE)
        except Error as error:
            pytest.fail(f"{path} does not start as Chromium (VLCHECK_CHROMIUM says which one): {error}", pytrace=False)
        yield started
        started.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make errors of warnings in vlcheck's own tests; in a run of the suite they are the model's."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("error"), append=False)
