"""Annotation files are read piece by piece, and come to what `json` makes of them."""

import json
import random

import pytest

from vlcheck._util import json_pieces
from vlcheck.datasets.coco.annotation_files import read_tables
from vlcheck.errors import UsageError


def read(path, *tables, **options):
    return read_tables(path, {table: lambda entry: entry.fields for table in tables}, **options)


def some_json(rng, depth=0):
    kind = rng.randrange(4 if depth > 3 else 6)
    if kind < 4:
        return [rng.randrange(-(10**9), 10**9), rng.uniform(-1e3, 1e3), rng.choice([None, True]), 'a "é\\ ,]}'][kind]
    if kind == 4:
        return [some_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {f"k{i}": some_json(rng, depth + 1) for i in range(rng.randrange(4))}


@pytest.mark.parametrize("piece", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize("style", [{}, {"indent": 2}, {"separators": (",", ":"), "ensure_ascii": False}])
def test_pieces_of_any_size_come_to_the_same(tmp_path, monkeypatch, piece, style):
    monkeypatch.setattr(json_pieces, "PIECE", piece)
    rng = random.Random(f"{piece} {style}")
    rows = {name: [{"value": some_json(rng)} for _ in range(5)] for name in ("images", "annotations")}
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"info": some_json(rng), "year": 2017, "else": [1, 2.5], **rows}, **style), "utf-8")
    assert read(path, "images", "annotations") == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_json_are_read(tmp_path, encoding):
    path = tmp_path / "file.json"
    path.write_text('{"images": [{"file_name": "é.jpg"}]}', encoding)
    assert read(path, "images") == {"images": [{"file_name": "é.jpg"}]}


def test_what_may_be_missing_is_empty(tmp_path):
    path = tmp_path / "file.json"
    path.write_text('{"images": []}')
    assert read(path, "images", "licenses", optional="licenses") == {"images": [], "licenses": []}


@pytest.mark.parametrize("piece", [1, 1 << 20])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON (Expecting value: char 0)"),
        ('{"images": [{}', "is not JSON (Expecting , or ]: char 14)"),
        ('{"images": [{},]}', "is not JSON (Expecting value: char 15)"),
        ('{"images": [{} {}]}', "is not JSON (Expecting , or ]: char 15)"),
        ('{"images" []}', "is not JSON (Expecting :: char 10)"),
        ('{"images": []', "is not JSON (Expecting , or }: char 13)"),
        ('{"images": []} {}', "is not JSON (Extra data: char 15)"),
        ('{"images": [{"id": 1 "x": 2}]}', "is not JSON (Expecting ',' delimiter: char 21)"),
        ('{"images": {}}', "has no list 'images'"),
        ('{"images": [5]}', "images[0] is not an object"),
        ("[]", "has to hold an object with the lists images"),
        ("7", "has to hold an object with the lists images"),
    ],
)
def test_what_is_no_such_file_is_named(tmp_path, monkeypatch, piece, text, said):
    monkeypatch.setattr(json_pieces, "PIECE", piece)
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        read(path, "images")
    assert str(raised.value).startswith(f"{path}: ")
    assert said in str(raised.value)


@pytest.mark.parametrize("piece", [1, 1 << 20])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"images": [{"id": 1}, {"id": 1, "id": 2}]}', "images[1]: 'id' is there twice"),
        ('{"images": [{"id": 1, "a": [{"b": 1, "b": 1}]}]}', "images[0]: 'b' is there twice"),
        ('{"images": [], "images": []}', "is not JSON ('images' is there twice)"),
        ('{"info": {"a": 1, "a": 1}, "images": []}', "is not JSON ('a' is there twice)"),
        ('{"images": [{"id": ' + "1" * 5000 + "}]}", "is not JSON (Exceeds the limit"),
    ],
)
def test_a_key_is_there_once(tmp_path, monkeypatch, piece, text, said):
    monkeypatch.setattr(json_pieces, "PIECE", piece)
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        read(path, "images")
    assert said in str(raised.value)


def test_an_entry_without_end_is_not_read_on(tmp_path):
    path = tmp_path / "file.json"
    with path.open("w") as file:
        file.write('{"images": [{"file_name": "')
        file.truncate(1 << 40)  # a hole of a terabyte
    with pytest.raises(UsageError, match=r"is not JSON \(a value of more than 16777216 characters: char \d+\)"):
        read(path, "images")


def test_a_large_list_that_is_not_asked_for_is_passed_over(tmp_path):
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"else": ["a" * 100_000] * 200, "images": [{"id": 1}]}))
    assert read(path, "images") == {"images": [{"id": 1}]}


def test_a_large_file_leaves_only_what_was_kept(tmp_path):
    """Of an entry that is read, its outline is let go before the next one is read."""
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"annotations": [{"id": n, "segmentation": [n] * 50} for n in range(1000)]}))
    alive = []

    class Outline(list):
        def __del__(self):
            alive.remove(id(self))

    def keep(entry):
        outline = Outline(entry.fields["segmentation"])
        alive.append(id(outline))
        entry.fields["segmentation"] = outline
        assert len(alive) <= 2
        return entry.id

    assert read_tables(path, {"annotations": keep}) == {"annotations": list(range(1000))}
