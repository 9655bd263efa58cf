"""A digest of lexicons is of their words, and of neither their folder nor how they are written."""

import shutil

import pytest

from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError
from vlcheck.suite.shipped import lexicons_path


@pytest.fixture
def own(tmp_path):
    return shutil.copytree(lexicons_path(), tmp_path / "words")


def test_a_copy_of_the_shipped_words_has_their_digest(own):
    (own / "nouns.toml").write_text(f"# mine\n{(own / 'nouns.toml').read_text()}")
    assert open_source("scenes:3", lexicons=own).words == open_source("scenes:3").words != ""


def test_a_word_that_changes_in_place_changes_the_digest(own):
    before = open_source("scenes:3", lexicons=own).words
    path = own / "colors.toml"
    path.write_text(path.read_text().replace('"red"', '"crimson"', 1))
    assert open_source("scenes:3", lexicons=own).words != before


def test_a_folder_with_one_file_has_the_digest_of_it_and_of_the_shipped_others(own, tmp_path):
    (tmp_path / "one").mkdir()
    shutil.copy(own / "colors.toml", tmp_path / "one")
    assert open_source("scenes:3", lexicons=tmp_path / "one").words == open_source("scenes:3").words
    with pytest.raises(UsageError, match="there is no such folder"):
        open_source("scenes:3", lexicons=tmp_path / "absent")
