from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vlcheck.errors import UsageError
from vlcheck.models.loading.layout import check_size, check_weights, find_checkpoint, read_needed_json


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
    with pytest.raises(UsageError, match="gone: no such folder; name the one that the checkpoint is in"):
        find_checkpoint(tmp_path / "gone")


def test_all_that_is_wrong_with_weights_is_said_at_once_and_shortly() -> None:
    expected = {**dict.fromkeys("abcd", (2,)), "kept": (3, 1), "bent": (3, 1)}
    found = {"kept": torch.zeros(3, 1), "bent": torch.zeros(1, 3), "more": torch.zeros(1)}
    with pytest.raises(UsageError) as raised:
        check_weights("a Mine", expected, found)
    assert str(raised.value) == (
        "not a Mine checkpoint of these sizes: it lacks 4 weights (a, b, c, ...); it has unknown more;"
        " bent has shape (1, 3) in place of (3, 1)."
    )


def test_weights_that_fit_are_let_pass() -> None:
    assert check_weights("a Mine", {"kept": (3, 1)}, {"kept": torch.zeros(3, 1)}) is None


@pytest.mark.parametrize("value", [0, -1, 2.0, "2", True, None])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match=f"width has to be a whole number from 1 up, not {value!r}"):
        check_size("width", value)


def test_a_config_that_is_needed_says_what_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"sizes\.json: no such file; widths are read from it\."):
        read_needed_json(tmp_path / "sizes.json", "widths are read from it")
