"""What is installed decides the number: which packages count, and that another version is another key."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT
from vlcheck._util.installed import ABSENT, version_changes, versions, versions_key


def installed(folder: Path, name: str, version: str) -> Path:
    """A folder as pip leaves one."""
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("peft", "0.18.0"),
        ("transformers", "5.99.1"),
        ("tokenizers", "0.99.0"),
        ("torch", "2.99.0+cu130"),
        ("sentencepiece", "0.2.1"),
        ("pillow", "99.0"),
        ("torchvision", "0.99.0"),
        ("timm", "1.0.99"),
        ("mistral-common", "1.9.0"),
    ],
)
def test_another_version_is_another_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, version: str
) -> None:
    before = versions()
    monkeypatch.syspath_prepend(installed(tmp_path, name, version))
    assert versions() == before | {name: version}
    assert versions_key(versions()) != versions_key(before)


def test_a_package_that_was_never_installed_counts_where_it_can_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    assert versions()["hqq"] == ABSENT
    (tmp_path / "hqq").mkdir()
    assert versions()["hqq"] == ABSENT  # any folder is a namespace
    (tmp_path / "hqq" / "__init__.py").touch()
    importlib.invalidate_caches()
    assert versions()["hqq"] == "of unknown version"


def test_a_package_that_registers_models_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = versions()
    installed(tmp_path, "my-models", "1.2")
    (tmp_path / "my_models-1.2.dist-info" / "entry_points.txt").write_text("[vlcheck.models]\nmine = my_models:load\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert versions() == before | {"my-models": "1.2"}


def copied(folder: Path) -> ModuleType:
    """The module as it stands in another copy of vlcheck."""
    spec = importlib.util.spec_from_file_location("copied_installed", folder / "vlcheck" / "_util" / "installed.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("file", "counts"),
    [("models/adapters/tokenizing.py", True), ("cases/case.py", True), ("report/markdown/model_card.py", False)],
)
def test_our_own_code_counts_where_it_makes_a_score(tmp_path: Path, file: str, counts: bool) -> None:
    shutil.copytree(ROOT / "vlcheck", tmp_path / "vlcheck", ignore=shutil.ignore_patterns("weights", "__pycache__"))
    assert copied(tmp_path).versions() == versions()
    with (tmp_path / "vlcheck" / file).open("a") as code:
        code.write("# mended\n")
    assert (copied(tmp_path).versions() != versions()) == counts


def test_the_order_of_versions_is_no_part_of_the_key() -> None:
    assert (
        versions_key({"a": "1", "b": "2"}) == versions_key({"b": "2", "a": "1"}) != versions_key({"a": "2", "b": "1"})
    )


def test_what_differs_is_named_and_what_one_side_does_not_name_is_not() -> None:
    before = {"transformers": "5.23.0", "peft": ABSENT, "torch": "2.9.0", "gone": "1"}
    now = {"torch": "2.9.0", "transformers": "5.24.0", "peft": "0.18.0", "new": "1"}
    assert list(version_changes(before, now)) == [
        "transformers 5.23.0 before, 5.24.0 now",
        "peft not installed before, 0.18.0 now",
    ]
