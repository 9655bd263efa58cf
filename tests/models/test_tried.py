"""What came of `vlcheck models check` is kept for the model as it is installed, and nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlcheck.models.tried import Tried, keep, look_up


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_last_trial_of_a_model_counts() -> None:
    assert look_up("one") == Tried(tried=False)
    keep("one", ["itm: the same asked again"])
    assert look_up("one") == Tried(tried=True, broken=("itm: the same asked again",))
    assert look_up("another") == Tried(tried=False)
    keep("one", [])
    assert look_up("one") == Tried(tried=True)


def test_under_other_versions_it_was_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep("one", [])
    (tmp_path / "peft-0.18.0.dist-info").mkdir()
    (tmp_path / "peft-0.18.0.dist-info" / "METADATA").write_text("Name: peft\nVersion: 0.18.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert look_up("one") == Tried(tried=False)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"broken": 1}', "{", "\x00"])
def test_a_file_that_is_none_of_ours_says_nothing(cache: Path, content: str) -> None:
    keep("one", [])
    (file,) = cache.rglob("*.json")
    file.write_text(content)
    assert look_up("one") == Tried(tried=False)


def test_where_nothing_can_be_kept_nothing_was_tried(cache: Path) -> None:
    cache.write_text("a file, and no folder")
    with pytest.raises(OSError, match="cache"):
        keep("one", [])
    assert look_up("one") == Tried(tried=False)


def test_unless_said_the_cache_is_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    keep("one", [])
    assert len(list((tmp_path / ".cache" / "vlcheck").rglob("*.json"))) == 1
