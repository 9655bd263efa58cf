"""Where the suite's own files are: in the wheel under vlcheck/_suite, in a checkout beside the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def root() -> Path:
    """The folder of behavior_tests/ and fixtures/."""
    packed = _PACKAGE / "_suite"
    return packed if packed.is_dir() else _PACKAGE.parent


def policy_path() -> Path:
    """The shipped policy."""
    return root() / "fixtures" / "policy.toml"


def lexicons_path() -> Path:
    """The folder of the shipped lexicons."""
    return root() / "fixtures" / "lexicons"
