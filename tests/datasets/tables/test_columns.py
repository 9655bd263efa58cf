"""Columns are found by their usual names, or as the user says."""

import pytest

from vlcheck.datasets.tables.columns import Columns, parse_columns
from vlcheck.errors import UsageError


def test_columns_of_usual_names_are_found():
    found = Columns().found_in(["png", "url", "txt", "license"], "a.tar")
    assert found == {"caption": "txt", "image": "png", "licence": "license"}


def test_a_named_column_goes_before_a_usual_one():
    found = parse_columns("caption=text, image=jpg").found_in(["caption", "text", "jpg"], "a.parquet")
    assert found == {"caption": "text", "image": "jpg"}


@pytest.mark.parametrize("name", ["columns.toml", "columns.TOML"])
def test_a_file_names_columns(tmp_path, name):
    path = tmp_path / name
    path.write_text('caption = "json.caption"\n')
    assert parse_columns(str(path)).named == {"caption": "json.caption"}


def test_a_table_without_captions_names_the_columns_that_there_are():
    with pytest.raises(
        UsageError, match=r"^a\.parquet: has no column of captions .*; its columns: url, sha\. Name one"
    ):
        Columns().found_in(["url", "sha"], "a.parquet")


def test_a_missing_column_names_the_nearest():
    with pytest.raises(UsageError, match=r"^a: has no column 'capton' for caption\. Did you mean 'caption'\?"):
        parse_columns({"caption": "capton"}).found_in(["caption"], "a")


@pytest.mark.parametrize(
    ("said", "amiss"),
    [
        ("caption", "'caption' is no pair"),
        ("caption=", "'caption=' is no pair"),
        ("caption=a,caption=b", "caption is named twice"),
        ("capton=a", "'capton' is no field of a case. Did you mean 'caption'"),
        ({"caption": 3}, "caption is 3; it has to be the name of a column"),
        ("absent.toml", "absent.toml: cannot be read"),
    ],
)
def test_what_is_no_mapping_is_refused(said, amiss):
    with pytest.raises(UsageError) as refused:
        parse_columns(said)
    assert amiss in str(refused.value)
