"""The shipped suite: its biases, and the folders of its tests, lexicons and policy."""

from __future__ import annotations

from pathlib import Path

BIASES = ("modality", "color", "position", "order", "place", "robustness", "grounding")
OF_FOILS = ("grounding",)  # of which only data with foils asks
FIXTURES = "fixtures.model"  # module that the suite's conftest.py loads; lexicons and policy are beside it
_TESTS, _LEXICONS, _POLICY = "behavior_tests", "lexicons", "policy.toml"


def suite_folder() -> Path:
    """Return the folder that holds `behavior_tests` and `fixtures`: inside an installed wheel, else the checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_suite"
    return installed if installed.is_dir() else package.parent


def suite_files() -> dict[str, bytes]:
    """Return the content of every file of the suite, by its path below the suite's folder, with slashes."""
    root = suite_folder()
    below = sorted(path for part in (_TESTS, "fixtures") for path in (root / part).rglob("*"))
    paths = [path for path in below if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in (*paths, root / "conftest.py")}


def tests_here() -> Path | None:
    """Return the suite's tests in the current folder, or None if there are none."""
    folder = Path(_TESTS)
    return folder if folder.is_dir() else None


def lexicons_path() -> Path:
    """Return the folder of the shipped lexicons."""
    return suite_folder() / "fixtures" / _LEXICONS


def policy_path() -> Path:
    """Return the path of the shipped policy."""
    return suite_folder() / "fixtures" / _POLICY


def tests_beside(fixtures: Path) -> Path | None:
    """Return the suite's tests beside a folder of fixtures, or None if there are none."""
    folder = fixtures.parent / _TESTS
    return folder if folder.is_dir() else None


def lexicons_in(fixtures: Path) -> Path | None:
    """Return the lexicons of a folder of fixtures, or None if it has none."""
    folder = fixtures / _LEXICONS
    return folder if folder.is_dir() else None


def fixtures_above(path: Path) -> Path | None:
    """Return the nearest folder of fixtures with a policy or lexicons, at a path or above it; None if there is none."""
    for folder in (path, *path.parents):
        fixtures = folder / "fixtures"
        if policy_in(fixtures) or lexicons_in(fixtures):
            return fixtures
    return None


def policy_in(fixtures: Path) -> Path | None:
    """Return the policy of a folder of fixtures, or None if it has none."""
    path = fixtures / _POLICY
    return path if path.is_file() else None
