"""Samples of WebDataset shards, whole and damaged."""

import gzip

import pytest

from tests.datasets.tables.samples import CAPTIONS, samples, write_shard
from vlcheck._util.compressed import BrokenFile
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.tables.shards import ShardPart, shard_parts
from vlcheck.errors import UsageError


def captions(path, **columns):
    return [text for chunk in ShardPart(path).chunks(columns or {"caption": "txt"}) for text in chunk.fields["caption"]]


def test_members_of_one_name_are_a_sample(tmp_path):
    folders = [("a/1.x", {"jpg": b"1", "txt": "one"}), ("b/1", {"txt": "two", "seg.png": b"2"}), ("b/2", {"jpg": b"3"})]
    part = ShardPart(write_shard(tmp_path / "a.tar", folders))
    assert [*part.columns()] == ["x.jpg", "x.txt", "txt", "seg.png", "jpg"]
    (chunk,) = part.chunks({"caption": "txt"})
    assert [chunk.row(at).name for at in range(chunk.rows)] == ["a.tar-a/1", "a.tar-b/1", "a.tar-b/2"]
    assert chunk.fields["caption"] == [None, "two", None]
    assert chunk.row(1).value("seg.png") == b"2"


def test_keys_of_a_json_member_are_columns(tmp_path):
    path = write_shard(tmp_path / "a.tar", [("1", {"json": {"caption": "a bus", "tags": ["x"]}}), ("2", {"json": [1]})])
    assert [*ShardPart(path).columns()] == ["json", "json.caption", "json.tags"]
    assert captions(path, caption="json.caption") == ["a bus", None]


def test_a_member_is_read_again_by_its_offset(tmp_path):
    whole = samples()
    (chunk,) = ShardPart(write_shard(tmp_path / "a.tar", whole)).chunks({"caption": "txt"})
    assert [chunk.row(at).value("png") for at in range(3)] == [members["png"] for _, members in whole]


@pytest.mark.parametrize("cut", [512 + 200, 1024 + 3])
def test_a_truncated_shard_names_the_last_whole_sample(tmp_path, cut):
    """Cut within the picture of the last sample, and within the header of its text."""
    path = write_shard(tmp_path / "a.tar", samples())
    content = path.read_bytes().rstrip(b"\0")
    last = content.rindex(b"0002.png")
    path.write_bytes(content[: last + cut])
    chunks = ShardPart(path).chunks({"caption": "txt"})
    assert next(chunks).fields["caption"] == [*CAPTIONS[:2]]
    with pytest.raises(BrokenFile, match=r"a\.tar: is truncated or damaged .*, after sample 0001$"):
        next(chunks)
    with pytest.raises(UsageError, match="after sample 0001"):
        open_source(f"webdataset:{path}")


def test_a_shard_without_its_end_is_truncated(tmp_path):
    path = write_shard(tmp_path / "a.tar", samples())
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content + b"\0" * (-len(content) % 512))
    with pytest.raises(BrokenFile, match="no end at byte"):
        captions(path)


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path):
    path = write_shard(tmp_path / "a.tar", samples())
    content = bytearray(path.read_bytes())
    content[content.rindex(b"0002.png") + 120] ^= 255
    path.write_bytes(content)
    with pytest.raises(BrokenFile, match="after sample 0000"):
        captions(path)


def test_compressed_shards_give_captions_and_no_pictures(tmp_path):
    path = write_shard(tmp_path / "a.tar.gz", samples(), mode="w:gz")
    assert len(captions(path)) == 3
    with pytest.raises(UsageError, match="is compressed, so that pictures cannot be read again; decompress it"):
        next(ShardPart(path).chunks({"caption": "txt"})).row(0).value("png")


def test_a_series_and_a_pattern_name_shards(tmp_path):
    for at in range(8, 12):
        write_shard(tmp_path / f"s-{at:03}.tar", samples())
    assert len(shard_parts(tmp_path / "s-{008..011}.tar")) == len(shard_parts(tmp_path / "s-*.tar")) == 4
    write_shard(tmp_path / "S-012.TAR", samples())
    assert len(shard_parts(tmp_path)) == 5
    with pytest.raises(UsageError, match=r"s-012\.tar: there is no such file; 1 of 5 in the series are missing"):
        shard_parts(tmp_path / "s-{008..012}.tar")


def test_what_is_no_shard_is_refused(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(gzip.compress(b"nothing of the kind" * 99))
    with pytest.raises(UsageError, match=r"a\.tar: is truncated or damaged"):
        open_source(f"webdataset:{path}")
    with pytest.raises(UsageError, match=r"the folder holds no file that ends with \.tar"):
        shard_parts((tmp_path / "empty").mkdir() or tmp_path / "empty")
