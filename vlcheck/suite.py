"""The shipped suite: the biases that it is about, and where it is, with its lexicons and its policy."""

from __future__ import annotations

from pathlib import Path

BIASES = ("modality", "color", "position", "order", "place", "robustness")


def suite_folder() -> Path:
    """The folder that holds `behavior_tests` and `fixtures`: inside an installed wheel, else the checkout."""
    package = Path(__file__).parent
    installed = package / "_suite"
    return installed if installed.is_dir() else package.parent


def lexicons_path() -> Path:
    """The shipped lexicons."""
    return suite_folder() / "fixtures" / "lexicons"


def policy_path() -> Path:
    """The shipped policy."""
    return suite_folder() / "fixtures" / "policy.toml"
