"""The suite that the selected tests belong to; its policy and lexicons apply wherever pytest is started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck.errors import UsageError
from vlcheck.plugin.case_item import CaseItem
from vlcheck.plugin.mark import stated
from vlcheck.suite.shipped import FIXTURES, fixtures_above, suite_folder

if TYPE_CHECKING:
    from vlcheck.plugin.settings import Settings

COLLECTED = pytest.StashKey[tuple[pytest.Item, ...]]()  # before any of them is deselected


def fixtures_folder(config: pytest.Config) -> Path | None:
    """Return the fixtures of the tests' suite, else those that their conftest.py loads, else None."""
    return next(iter(_suites(config)), None) or _loaded(config)


def judging_fixtures(config: pytest.Config) -> Path | None:
    """Return the same folder as `fixtures_folder`, after a check that it is the only one that could apply.

    Raises:
        UsageError: the tests belong to several suites, or the loaded fixtures are those of another suite.
    """
    own, loaded = _suites(config), _loaded(config)
    if len(own) > 1:
        raise UsageError(
            f"the tests are of {len(own)} suites, each with a policy or lexicons of its own:"
            f" {', '.join(map(str, own))}. Run them one at a time, or name what holds for all: --vl-policy and"
            " --vl-lexicons."
        )
    if own and loaded and not _same(own[0], loaded):
        raise UsageError(
            f"the tests are of the suite with {own[0]}, and {FIXTURES} was loaded from {loaded}: another suite's. Run"
            " the tests of one suite alone; where an --import-mode, a plugin or PYTHONPATH brings the other one, put"
            f" {own[0].parent} before it on the path."
        )
    return own[0] if own else loaded


def from_elsewhere(config: pytest.Config, settings: Settings) -> Iterator[str]:
    """Yield a line if there is no fixtures/ beside the tests, and another folder's policy and lexicons apply.

    Args:
        config: pytest's configuration of the run.
        settings: values of the options.
    """
    loaded = _loaded(config)
    if loaded is None or (settings.policy and settings.lexicons) or _same(loaded, suite_folder() / "fixtures"):
        return
    if not _suites(config) and fixtures_above(loaded.parent) == loaded:
        yield f"vlcheck: there is no fixtures/ beside the tests; policy and lexicons are those of {loaded}"


def _loaded(config: pytest.Config) -> Path | None:
    """Return the folder of the fixtures that the tests' conftest.py loads, if it loads any."""
    file = getattr(config.pluginmanager.get_plugin(FIXTURES), "__file__", None)
    return Path(file).parent if file else None


def _suites(config: pytest.Config) -> list[Path]:
    """Return the fixtures of each suite that the collected tests belong to; before collection, of the named paths."""
    collected = config.stash.get(COLLECTED, None)
    paths = _named(config) if collected is None else _judged(collected)
    found = filter(None, map(fixtures_above, dict.fromkeys(paths)))
    return list({fixtures.resolve(): fixtures for fixtures in found}.values())


def _judged(items: Sequence[pytest.Item]) -> list[Path]:
    """Return the files of the tests of behaviors; if there is none, of all tests, since any may ask for a verdict."""
    own = [item.path for item in items if stated(item) or isinstance(item, CaseItem)]
    return own or [item.path for item in items]


def _named(config: pytest.Config) -> list[Path]:
    paths = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    return [path for path in paths if path.exists()]


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
