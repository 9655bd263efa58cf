"""The references in data/ are those that the models' original code left."""

import filecmp

import pytest

from tests.conftest import ROOT

DATA = ROOT / "tests" / "data"


@pytest.mark.parametrize("family", sorted(path.parent.name for path in DATA.glob("*/README.md")))
def test_what_is_kept_is_what_the_original_code_computed(family, references_root):
    kept = {path.name for path in (DATA / family).iterdir()} - {"README.md"}
    same, other, absent = filecmp.cmpfiles(DATA / family, references_root / family, kept, shallow=False)
    assert (set(same), other, absent) == (kept, [], [])
