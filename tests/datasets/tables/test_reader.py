"""Cases from tables: the same from each layout, pictures read again, and what is wrong said by row."""

import io
import pickle
import tracemalloc
from collections import Counter

import pytest
from PIL import Image

from tests.datasets.tables.samples import CAPTIONS, pictures, png, samples, write_parquet, write_shard
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.tables.columns import Columns
from vlcheck.datasets.tables.parquet import parquet_parts
from vlcheck.datasets.tables.pictured import read_pictured
from vlcheck.errors import UsageError

pyarrow = pytest.importorskip("pyarrow", reason="needs vlcheck[tables]")

MOST_OF_A_ROW = 1_600  # bytes of a row that names a file: docs/reference/tables.md


def told(source):
    return sorted((case.caption, case.target, *sorted(case.tags), *case.candidates) for case in source.cases)


def decoded(source):
    return [case.image.open().tobytes() for case in source.cases]


def saved(folder, columns):
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset.from_dict(columns).cast_column("image", datasets.Image()).save_to_disk(folder)
    return folder


def test_each_layout_gives_the_same_cases_and_pictures(tmp_path):
    images = [members["png"] for _, members in samples()]
    parquet = write_parquet(tmp_path / "a.parquet", {"image": images, "caption": CAPTIONS}, row_group_size=2)
    shard = write_shard(tmp_path / "a.tar", samples())
    folder = saved(tmp_path / "saved", {"image": [{"bytes": one, "path": None} for one in images], "text": CAPTIONS})
    sources = [open_source(f"{spec}:5") for spec in (f"parquet:{parquet}", f"webdataset:{shard}", f"hf:{folder}")]
    assert [case.target for case in sources[0].cases] == ["red", "green", "red", "green", "blue", "white"]
    assert told(sources[0]) == told(sources[1]) == told(sources[2])
    assert decoded(sources[0]) == decoded(sources[1]) == decoded(sources[2])
    assert [len(source.fitting) for source in sources] == [6, 6, 6]


def test_pictures_may_be_files_beside_the_table(tmp_path):
    (tmp_path / "pictures").mkdir()
    for at, content in enumerate(pictures()):
        (tmp_path / "pictures" / f"{at}.png").write_bytes(content)
    paths = [f"pictures/{at % 3}.png" for at in range(4)]
    path = write_parquet(tmp_path / "a.parquet", {"file": paths, "caption": [*CAPTIONS, "A red bus by a tree"]})
    source = open_source(f"parquet:{path}", columns="image=file")
    assert [*source.offer.cases] == ["pictures/0.png", "pictures/1.png", "pictures/2.png"]
    assert {word for case in source.cases for word in case.present} >= {"bench", "tree"}
    assert decoded(source)[0] == Image.open(io.BytesIO(pictures()[0])).tobytes()


def test_a_picture_of_a_row_can_be_pickled_and_has_its_own_key(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"image": pictures(), "caption": CAPTIONS})
    images = {case.image for case in open_source(f"parquet:{path}").cases}
    assert len({image.key for image in images}) == len(images) == 3
    assert pickle.loads(pickle.dumps([*images]))[0].size == (40, 30)


def test_rows_with_a_target_are_cases_as_those_of_json_lines(tmp_path):
    columns = {
        "image": pictures(2),
        "caption": ["A dog on the left of a cat", "A cat"],
        "target": ["left", "cat"],
        "tags": [["side", "names-side"], ["object"]],
        "candidates": [None, ["dog", "bird"]],
        "region": [None, [[1.0, 2.0, 10.0, 10.0]]],
        "licence": ["CC BY 4.0", None],
    }
    one, other = open_source(f"parquet:{write_parquet(tmp_path / 'a.parquet', columns)}").fitting
    assert (one.target, one.tags, one.licence) == ("left", frozenset({"side", "names-side"}), "CC BY 4.0")
    assert (other.candidates, [*other.region[0]], other.id) == (("dog", "bird"), [1, 2, 10, 10], "a.parquet-1")


def test_rows_with_foils_are_cases_of_a_foil_suite(tmp_path):
    columns = {
        "image": pictures(2),
        "caption": ["Two dogs play", "A cat sleeps"],
        "foils": [["Three dogs play"], ["A cat runs"]],
        "tags": [["counting"], ["object"]],
    }
    source = open_source(f"parquet:{write_parquet(tmp_path / 'a.parquet', columns)}")
    (case,) = source.cases
    assert (case.target, case.foils, case.tags) == ("two", ("Three dogs play",), frozenset({"foil", "counting"}))
    assert source.left_out["foil: row needs one caption, and one phenomenon among its tags"] == 1


def test_wrong_rows_are_all_named(tmp_path):
    columns = {
        "image": pictures(3),
        "caption": ["A dog", "A cat", "A bird"],
        "target": ["cat", "cat", "bird"],
        "tags": [["object"], [], ["object"]],
        "id": ["a", "b", "c d"],
    }
    path = write_parquet(tmp_path / "a.parquet", columns)
    with pytest.raises(UsageError) as refused:
        open_source(f"parquet:{path}")
    lines = str(refused.value).splitlines()
    assert lines[0].startswith(f"{path}: row 0: case a: the target 'cat' is not a word of the caption")
    assert lines[1].startswith(f"{path}: row 1: tags: is empty")
    assert lines[2].startswith(f"{path}: row 2: id: is 'c d'")


def test_two_rows_of_one_id_are_refused(tmp_path):
    columns = {"image": pictures(2), "caption": ["A dog"] * 2, "target": ["dog"] * 2, "tags": [["object"]] * 2}
    path = write_parquet(tmp_path / "a.parquet", columns | {"id": ["x", "x"]})
    with pytest.raises(UsageError, match="row 1: id: 'x' is that of another row, too"):
        open_source(f"parquet:{path}")


@pytest.mark.parametrize(
    ("columns", "amiss"),
    [
        ({"image": ["https://a.org/1.jpg"], "caption": ["a red bus"]}, "is an address, and vlcheck fetches none"),
        ({"image": ["../1.jpg"], "caption": ["a red bus"]}, "is no path of a file below"),
        ({"image": [3], "caption": ["a red bus"]}, "column 'image' is int64; pictures are accepted as bytes"),
        ({"url": ["1.jpg"], "caption": ["a red bus"]}, "has no column of pictures"),
        ({"image": [b"1"], "url": ["a red bus"]}, "has no column of captions"),
        ({"image": [""], "caption": ["a red bus"]}, "has no row with a picture; 1 times: row names no picture"),
        ({"image": [b"1"], "caption": [3]}, "'caption' is int64, and caption is to be read from it; captions are"),
        ({"image": [b"1"], "caption": [b"\xff" * 9]}, "'caption' is binary, and caption is to be read from it"),
        ({"image": [b"1"], "caption": ["a"], "target": [b"1"]}, "'target' is binary, and target is to be read from it"),
        ({"image": [b"1"], "caption": ["a"], "tags": [[b"1"]]}, "and tags is to be read from it; texts are accepted"),
        ({"image": [b"1"], "caption": [""]}, "gives no case, of 1 row; 1 times: caption cannot be used"),
        ({"image": [b"1"], "caption": ["a dog"]}, "gives no case, of 1 row.\nA row gives a case by a caption"),
        (
            {"image": [b"1"], "caption": ["a dog"], "foils": ["a cat"]},
            "gives no case, of 1 row; 1 times: foil: row needs one caption, and one phenomenon among its tags",
        ),
    ],
)
def test_tables_that_cannot_be_used_say_why(tmp_path, columns, amiss):
    path = write_parquet(tmp_path / "a.parquet", columns)
    with pytest.raises(UsageError) as refused:
        open_source(f"parquet:{path}")
    assert str(refused.value).startswith(str(path))
    assert amiss in str(refused.value)


@pytest.mark.parametrize("said", ["caption=png", "foils=txt"])
def test_a_shard_whose_members_are_named_wrongly_gives_no_case(tmp_path, said):
    shard = write_shard(tmp_path / "a.tar", samples())
    with pytest.raises(UsageError, match=r"a\.tar: gives no case, of 3 rows; 3 times: "):
        open_source(f"webdataset:{shard}", columns=said)


def test_a_column_that_holds_no_pictures_is_told(tmp_path):
    shard = write_shard(tmp_path / "a.tar", samples())
    with pytest.raises(UsageError, match=r"first pictures can be read, columns=image=NAME\?\n.*0000: not a picture"):
        open_source(f"webdataset:{shard}", columns="image=txt")


def test_a_compressed_shard_has_no_pictures_for_cases(tmp_path):
    shard = write_shard(tmp_path / "a.tar.gz", samples(), mode="w:gz")
    for spec in (shard, shard.parent):
        with pytest.raises(UsageError, match=r"a\.tar\.gz: is compressed, so that pictures cannot be read again"):
            open_source(f"webdataset:{spec}")


def test_a_long_value_is_cut_in_messages(tmp_path):
    columns = {"image": pictures(1), "caption": ["A dog"], "target": [["word"] * 9_999], "tags": [["object"]]}
    path = write_parquet(tmp_path / "a.parquet", columns)
    with pytest.raises(UsageError, match=r"target: is \['word', .* \.\.\.; it has to be a text") as refused:
        open_source(f"parquet:{path}")
    assert len(str(refused.value)) < len(str(path)) + 200


def peak_of_reading(path, **columns):
    """The most bytes that the reading of a table holds, while its pictures pass by."""
    parts = parquet_parts(write_parquet(path, columns, row_group_size=100))
    tracemalloc.start()
    try:
        count = sum(len(one.rows) for one in read_pictured(parts, Columns(), Counter()))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_with_rows_that_name_files_and_with_no_others(tmp_path):
    captions = [f"A man number {at} walks along a road" for at in range(3000)]
    peaks = {}
    for kind, image in (("within", [b"1"] * 3000), ("named", [f"{at}.jpg" for at in range(3000)])):
        for number in (1000, 3000):
            path = tmp_path / f"{kind}-{number}.parquet"
            count, peaks[kind, number] = peak_of_reading(path, image=image[:number], caption=captions[:number])
            assert count == number
    assert peaks["within", 3000] < peaks["within", 1000] + 50_000
    assert 300 < (peaks["named", 3000] - peaks["named", 1000]) / 2000 < MOST_OF_A_ROW


def test_pictures_that_do_not_load_are_left_out_and_counted(tmp_path):
    images = [png("green"), png("green")[:60], b"", None]
    path = write_parquet(tmp_path / "a.parquet", {"image": images, "caption": ["A red bus on a street"] * 4})
    source = open_source(f"parquet:{path}")
    assert len(source.fitting) == 1
    assert [count for reason, count in source.left_out.items() if "picture cannot be read" in reason] == [3]


def test_columns_are_for_tables_alone():
    with pytest.raises(UsageError, match=r"^columns=caption=a: scenes has no columns; parquet, webdataset and hf have"):
        open_source("scenes:2", columns="caption=a")
