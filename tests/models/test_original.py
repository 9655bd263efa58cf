from __future__ import annotations

from pathlib import Path

import pytest

from vlcheck.errors import UsageError
from vlcheck.models.original import find_checkpoint


@pytest.mark.parametrize("name", ["4m_base_model_state_step_199999.th", "a.pth", "b.pt", "c.safetensors"])
def test_a_checkpoint_is_found_by_its_suffix_among_other_files(name: str, tmp_path: Path) -> None:
    for other in (name, "config.json", "inputs.npz", "README.md"):
        (tmp_path / other).touch()
    (tmp_path / "older.pth").mkdir()
    assert find_checkpoint(tmp_path) == tmp_path / name


def test_a_folder_without_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    with pytest.raises(UsageError, match=rf"{tmp_path.name}: has to hold one checkpoint .*\.safetensors\).*: none"):
        find_checkpoint(tmp_path)


def test_several_checkpoints_are_named_and_none_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "b.th").touch()
    (tmp_path / "a.safetensors").touch()
    with pytest.raises(UsageError, match=r"holds: a\.safetensors, b\.th"):
        find_checkpoint(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gone: no such folder"):
        find_checkpoint(tmp_path / "gone")
