"""A digest of lexicons is of their words, and of neither their folder nor how they are written."""

import shutil

import pytest

from tests.plugin.conftest import write_cases
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError
from vlcheck.suite.shipped import lexicons_path


@pytest.fixture
def own(tmp_path):
    return shutil.copytree(lexicons_path(), tmp_path / "words")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return f"jsonl:{write_cases(tmp_path_factory.mktemp('cases'), 4)}:3"


def test_drawn_scenes_are_read_without_words(own):
    assert open_source("scenes:3", lexicons=own).words == ""


def test_a_copy_of_the_shipped_words_has_their_digest(own, data):
    (own / "nouns.toml").write_text(f"# mine\n{(own / 'nouns.toml').read_text()}")
    assert open_source(data, lexicons=own).words == open_source(data).words != ""


def test_a_word_that_changes_in_place_changes_the_digest(own, data):
    before = open_source(data, lexicons=own).words
    path = own / "colors.toml"
    path.write_text(path.read_text().replace('"red"', '"crimson"', 1))
    assert open_source(data, lexicons=own).words != before


def test_a_folder_with_one_file_has_the_digest_of_it_and_of_the_shipped_others(own, data, tmp_path):
    (tmp_path / "one").mkdir()
    shutil.copy(own / "colors.toml", tmp_path / "one")
    assert open_source(data, lexicons=tmp_path / "one").words == open_source(data).words
    with pytest.raises(UsageError, match="there is no such folder"):
        open_source(data, lexicons=tmp_path / "absent")
