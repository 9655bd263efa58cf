"""Parquet files: rows by row group, cells read again, damaged files."""

import pytest

from tests.datasets.tables.samples import write_parquet
from vlcheck._util.compressed import BrokenFile
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.tables.parquet import ParquetPart, parquet_parts
from vlcheck.errors import UsageError

pyarrow = pytest.importorskip("pyarrow", reason="needs vlcheck[tables]")


def test_each_cell_is_read_again_from_its_row_group(tmp_path):
    contents = [bytes([at]) * 3 for at in range(100)]
    columns = {"image": contents, "caption": [str(at) for at in range(100)]}
    (part,) = parquet_parts(write_parquet(tmp_path / "a.parquet", columns, row_group_size=33))
    rows = [
        chunk.row(at) for chunk in part.chunks({"caption": "caption", "image": "image"}) for at in range(chunk.rows)
    ]
    assert [row.value("image") for row in rows] == contents
    assert [row.value("caption") for row in rows[30:36]] == ["30", "31", "32", "33", "34", "35"]
    assert rows[-1].where == f"{tmp_path / 'a.parquet'}: row 99"


def test_pictures_are_not_read_with_the_rows(tmp_path):
    import pyarrow as pa

    feature = pa.array([{"bytes": b"1", "path": None}], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    for kind, image in ((bytes, [b"1"]), (dict, feature)):
        path = write_parquet(tmp_path / f"{kind.__name__}.parquet", {"image": image, "caption": ["a"]})
        (chunk,) = ParquetPart(path).chunks({"caption": "caption", "image": "image"})
        assert [*chunk.fields] == ["caption"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", b"PAR1" + b"\0" * 99 + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path, content):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.parquet: is not Parquet that can be read"):
        open_source(f"parquet:{path}")


def test_damaged_pages_are_told(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"caption": [f"caption {at}" for at in range(9000)]})
    content = bytearray(path.read_bytes())
    content[40:4000] = b"\xff" * 3960
    path.write_bytes(content)
    with pytest.raises(BrokenFile, match="is not Parquet that can be read"):
        [*ParquetPart(path).chunks({"caption": "caption"})]


def test_texts_that_are_not_utf_8_do_not_end_the_reading(tmp_path):
    import pyarrow as pa

    texts = pa.array([b"a", b"\xff", b"b"], pa.binary()).view(pa.string())
    (chunk,) = ParquetPart(write_parquet(tmp_path / "a.parquet", {"caption": texts})).chunks({"caption": "caption"})
    assert chunk.fields["caption"] == ["a", b"", "b"]
