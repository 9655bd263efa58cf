"""Corpora: the same captions from each layout, flat memory, and nothing that is lost without being counted."""

import bz2
import gzip
import json
import lzma
import tracemalloc

import pytest

from tests.datasets.tables.samples import pictures, png, samples, write_parquet, write_shard
from vlcheck.audit.corpora import line_files
from vlcheck.audit.corpus import open_corpus
from vlcheck.errors import UsageError

CAPTIONS = [f"A red bus number {at} é" for at in range(2500)]


def read(spec, **options):
    corpus = open_corpus(spec, **options)
    return [caption for chunk in corpus for caption in chunk], corpus.unread


def texts(spec, **options):
    captions, unread = read(spec, **options)
    assert not [*unread.lines()]
    return [one.text for one in captions]


def coco(folder, captions, name="captions.json", **more):
    path = folder / name
    annotations = [{"id": at, "image_id": at // 5, "caption": text} for at, text in enumerate(captions)]
    path.write_text(json.dumps({"info": {"a": [1]}, "annotations": annotations, **more}))
    return path


def json_lines(folder, rows, name="captions.jsonl"):
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def small_blocks(content):
    return bz2.compress(content, 1)  # of 100 kB, each of which is read whole


def layouts(folder):
    (folder / "a.txt").write_text("\n".join(CAPTIONS), "utf-8")
    yield folder / "a.txt"
    yield json_lines(folder, [{"image": f"{at}.jpg", "caption": text} for at, text in enumerate(CAPTIONS)])
    yield coco(folder, CAPTIONS)
    (folder / "list.json").write_text(json.dumps([{"text": text} for text in CAPTIONS]))
    yield folder / "list.json"
    yield write_shard(folder / "a.tar", [(f"{at}", {"txt": text}) for at, text in enumerate(CAPTIONS)])


def test_each_layout_gives_the_same_captions(tmp_path):
    for path in layouts(tmp_path):
        assert texts(path) == CAPTIONS, path
    pytest.importorskip("pyarrow", reason="needs vlcheck[tables]")
    assert texts(write_parquet(tmp_path / "a.parquet", {"caption": CAPTIONS})) == CAPTIONS
    assert texts(f"parquet:{tmp_path}") == CAPTIONS


def test_lines_of_json_are_known_whatever_the_suffix(tmp_path):
    path = json_lines(tmp_path, [{"caption": text} for text in CAPTIONS], "captions.json")
    assert open_corpus(path).kind == "jsonl"
    assert texts(path) == CAPTIONS
    assert texts(f"jsonl:{path.rename(tmp_path / 'captions')}") == CAPTIONS


@pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip.compress), ("bz2", small_blocks), ("xz", lzma.compress)])
def test_compressed_files_are_read_and_a_truncated_one_is_told(tmp_path, suffix, compress):
    for path in (*layouts(tmp_path),)[:3]:
        packed = path.with_name(f"{path.name}.{suffix}")
        packed.write_bytes(compress(path.read_bytes()))
        assert texts(packed) == CAPTIONS
    content = compress("\n".join(f"{at} {at * 7919 % 1000003}" for at in range(30_000)).encode())
    packed.with_name(f"b.txt.{suffix}").write_bytes(content[: len(content) // 2])
    captions, unread = read(packed.with_name(f"b.txt.{suffix}"))
    assert 1000 < len(captions) < 30_000
    (told,) = unread.unfinished
    assert "its content is damaged or ends too early" in told
    assert "read up to line " in told


def test_zstandard_is_read(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="needs vlcheck[tables]")
    for path in (*layouts(tmp_path),)[:3]:
        with pyarrow.output_stream(f"{path}.zst", compression="zstd") as file:
            file.write(path.read_bytes())
        assert texts(f"{path}.zst") == CAPTIONS


def test_memory_is_flat(tmp_path):
    """A file of 9 MB takes no more than one of 3 MB."""
    caption = "a man with a red hat beside a bus " * 3
    rows = [{"image_id": at, "caption": f"{at} {caption}"} for at in range(60_000)]
    for name in ("a.json", "a.jsonl", "a.txt"):
        peaks = []
        for number in (20_000, 60_000):
            some = rows[:number]
            written = {
                "a.json": lambda some=some: json.dumps({"annotations": some}),
                "a.jsonl": lambda some=some: "\n".join(map(json.dumps, some)),
                "a.txt": lambda some=some: "\n".join(row["caption"] for row in some),
            }[name]
            (tmp_path / name).write_text(written())
            tracemalloc.start()
            assert sum(len(chunk) for chunk in open_corpus(tmp_path / name)) == number
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 1.25 * peaks[0], (name, peaks)


def test_lines_that_are_not_utf_8_are_counted_with_the_first_place(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a bus\nein gr\xfcner Bus\n\n  \nna\xefve\na NUL \0 here\na car\r\n")
    captions, unread = read(path)
    assert [one.text for one in captions] == ["a bus", "a car"]
    assert unread.skipped == {"the line is not UTF-8": 2, "the caption holds a NUL character": 1}
    assert unread.places["the line is not UTF-8"] == f"{path}:2"
    assert unread.places["the caption holds a NUL character"] == f"{path}:6"


def test_entries_that_are_not_utf_8_are_counted_in_coco_too(tmp_path):
    path = coco(tmp_path, CAPTIONS[:50])
    path.write_bytes(path.read_bytes().replace(b"number 7 ", b"gr\xfcn 7 "))
    captions, unread = read(path)
    assert len(captions) == 49
    assert unread.places == {"the entry is no object in UTF-8": f"{path}: annotations[7]"}


def test_lines_that_are_no_caption_are_counted(tmp_path):
    rows = [{"caption": "a bus"}, {"caption": None}, {"image": "x"}, {"caption": 3}, {"caption": " "}]
    path = json_lines(tmp_path, [*rows, {"caption": ["one", "two", 4]}, {"caption": "x\0"}])
    path.write_text("\n" + path.read_text())
    with path.open("ab") as file:
        file.write(b'[1]\n{"caption": "cut\n{"caption": "\xff"}\n{"caption": "last"}')
    captions, unread = read(path)
    assert [one.text for one in captions] == ["a bus", "one", "two", "last"]
    assert unread.skipped == {
        "the caption is missing": 2,
        "the caption is no text": 2,
        "the caption is empty": 1,
        "the caption holds a NUL character": 1,
        "the line is no JSON object": 2,
        "the line is not UTF-8": 1,
    }
    assert unread.places["the line is not UTF-8"] == f"{path}:11"
    assert unread.places["the caption is empty"] == f"{path}:6"


def test_huge_captions_are_counted_and_the_rest_is_read(tmp_path):
    huge = "bus " * 2_500_000
    (tmp_path / "a.txt").write_text(f"one\n{huge}\ntwo\n")
    json_lines(tmp_path, [{"caption": "one"}, {"caption": huge}, {"caption": "two"}])
    for path in (tmp_path / "a.txt", tmp_path / "captions.jsonl", coco(tmp_path, ["one", huge, "two"])):
        captions, unread = read(path)
        assert [one.text for one in captions] == ["one", "two"]
        assert unread.skipped == {"the caption has more than 100000 characters": 1}


def test_a_line_without_end_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(line_files, "BLOCK", 1000)
    monkeypatch.setattr(line_files, "LONGEST_LINE", 5000)
    path = tmp_path / "a.txt"
    path.write_text("one\n" + "x" * 50_000 + "\ntwo\n" + "y" * 20_000)
    captions, unread = read(path)
    assert [one.text for one in captions] == ["one", "two"]
    assert sum(unread.skipped.values()) == 2
    assert [*unread.places.values()] == [f"{path}:2"]


@pytest.mark.parametrize(
    ("name", "content", "amiss"),
    [
        ("a.txt", b"", "has no caption."),
        ("a.txt", b"\n \n", "has no caption."),
        ("a.txt", b"\x89PNG\xff\0\n\xfe\xff", "has no caption.\n2 left out: the line is not UTF-8, first "),
        ("a.txt", b"\xff\xfea\0", "is UTF-16; a file in UTF-8 is accepted"),
        ("a.json", b"{", "is not JSON"),
        ("a.json", b"[]", "has no caption."),
        ("a.json", b"3", "holds no captions; an object as COCO's, or a list of objects, is accepted"),
        (
            "a.json",
            b'{"images": [], "type": 1}',
            "has no list 'annotations', as COCO's captions have; it has: images, type",
        ),
        (
            "a.json",
            b'[{"url": 1}]',
            "has no column of captions (caption or captions or text or txt); its columns: url.",
        ),
        ("a.jsonl", b'{"url": 1, "alt": "a bus"}', "its columns: url, alt. Name one, columns=caption=NAME."),
        ("a.json.gz", b"plain", "its content is damaged or ends too early"),
        ("a.tar", b"x" * 600, "is truncated or damaged"),
    ],
)
def test_a_corpus_of_nothing_is_refused(tmp_path, name, content, amiss):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError) as refused:
        read(tmp_path / name)
    assert amiss in str(refused.value)
    assert str(tmp_path / name) in str(refused.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r": is a folder; .*parquet:FOLDER and webdataset:FOLDER take all files"):
        open_corpus(tmp_path)
    with pytest.raises(UsageError, match=r"absent\.txt: cannot be read \(No such file"):
        open_corpus(tmp_path / "absent.txt")


def test_json_that_ends_early_is_told(tmp_path):
    path = coco(tmp_path, [f"{text} {'x' * 800}" for text in CAPTIONS])
    path.write_bytes(path.read_bytes()[:-2000])
    captions, unread = read(path)
    assert len(captions) > 1000
    (told,) = unread.unfinished
    assert told.startswith(f"{path}: is not JSON (")
    assert told.endswith(f"; read up to entry {len(captions)}")


def test_a_truncated_shard_is_told_and_the_next_one_is_read(tmp_path):
    one, _ = write_shard(tmp_path / "1.tar", samples()), write_shard(tmp_path / "2.tar", samples())
    content = one.read_bytes()
    one.write_bytes(content[: content.rindex(b"0002.png") + 600])
    captions, unread = read(f"webdataset:{tmp_path}")
    assert len(captions) == 5
    (told,) = unread.unfinished
    assert told.startswith(f"{one}: is truncated or damaged")
    assert told.endswith("after sample 0001; read 2 rows of it")


def test_a_second_loop_reads_and_counts_anew(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n\xff\n")
    corpus = open_corpus(path)
    assert [len(chunk) for chunk in corpus] == [len(chunk) for chunk in corpus] == [1]
    assert corpus.unread.skipped.total() == 1


def test_pictures_and_boxes_of_coco_are_found_beside(tmp_path):
    images = [{"id": at, "file_name": f"{at}.png", "width": 40, "height": 30} for at in range(2)]
    instances = tmp_path / "instances.json"
    boxes = [{"image_id": 0, "category_id": 3, "bbox": [10, 15, 20, 3], "segmentation": [{"a": [1]}]}]
    listed = {"images": images, "categories": [{"id": 3, "name": "bus"}], "annotations": boxes}
    instances.write_text(json.dumps(listed))
    (tmp_path / "0.png").write_bytes(png("green"))
    path = coco(tmp_path, CAPTIONS[:10], images=images)
    captions, _ = read(path, pictures=tmp_path, instances=instances)
    assert (captions[0].image, captions[0].boxes) == ("0.png", (("bus", 0.25, 0.5, 0.5, 0.1),))
    assert captions[0].picture().size == (40, 30)
    assert captions[5].boxes == ()
    with pytest.raises(UsageError, match=r"1\.png: no such photograph"):
        captions[5].picture()


def test_pictures_of_tables_are_read_when_they_are_asked_for(tmp_path):
    shard = write_shard(tmp_path / "a.tar", samples())
    assert {one.picture().size for one in read(shard)[0]} == {(40, 30)}
    pytest.importorskip("pyarrow", reason="needs vlcheck[tables]")
    columns = {"image": [*pictures(2), None], "caption": [["one", "two"], ["three"], ["four"]]}
    captions, _ = read(write_parquet(tmp_path / "a.parquet", columns))
    assert [one.image for one in captions] == ["a.parquet-0", "a.parquet-0", "a.parquet-1", "a.parquet-2"]
    assert captions[2].picture().size == (40, 30)
    with pytest.raises(UsageError, match=r"row 2: column 'image' holds no picture"):
        captions[3].picture()
