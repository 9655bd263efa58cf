"""A data set's picture runs no program, and takes neither hours nor all memory, whatever its file says it is."""

import ast
import base64
import io
import os
import resource
import struct
import zlib

import pytest
from PIL import EpsImagePlugin, Image

from tests.conftest import ROOT
from vlcheck._util.image_files import FORMATS, opened
from vlcheck.cases import ImageFile
from vlcheck.errors import UsageError
from vlcheck.report.page.images import Album
from vlcheck.results.records import ImageRecord
from vlcheck.scoring.render import size_of_shown, thumbnail_jpeg

RED = (200, 30, 30)
ACCEPTED = "JPEG, PNG, WebP, GIF, BMP, TIFF, PPM and AVIF are accepted"
POSTSCRIPT = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 20 10
%%EndComments
(ran) (w) file closefile
{} loop
%%EOF
"""


@pytest.fixture
def only_listed_readers(monkeypatch):
    """Let every reader of Pillow's that is not in the list take any content, and fail the test."""

    def entered(*_):
        pytest.fail("a reader was entered that is not in the list", pytrace=False)

    Image.init()
    for name in set(Image.OPEN) - set(FORMATS):
        monkeypatch.setitem(Image.OPEN, name, (entered, None))


def read(path):
    """All that vlcheck reads of a picture."""
    image = ImageFile(path)
    return image.size, image.colorless, image.glance, image.open()


def test_postscript_under_the_name_of_a_photograph_starts_nothing(tmp_path, monkeypatch):
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    (tmp_path / "photo.jpg").write_bytes(POSTSCRIPT)
    with pytest.raises(UsageError, match=rf"photo\.jpg: .* holds PostScript \(EPS\); {ACCEPTED}"):
        ImageFile(tmp_path / "photo.jpg").open()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("form", ["ICO", "ICNS", "PCX", "TGA", "DDS", "JPEG2000", "SGI", "PDF", "XBM", "EPS"])
def test_a_format_that_is_not_listed_is_refused_and_its_reader_not_entered(form, tmp_path, only_listed_readers):
    Image.new("1" if form == "XBM" else "RGB", (32, 32)).save(tmp_path / "photo.jpg", form)
    with pytest.raises(UsageError, match=rf"photo\.jpg: not a picture that decodes: .*{ACCEPTED}"):
        read(tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xc5\xd0\xd3\xc6" + bytes(28) + POSTSCRIPT, "PostScript"),
        (b"\xd7\xcd\xc6\x9a" + bytes(99), "WMF"),
        (b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(99), "EMF"),
        (b"8BPS\0\1" + bytes(99), "Photoshop"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "OLE"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC"),
        (b"<!DOCTYPE html><p>404", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"GRIB" + bytes(99), ""),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), ""),
        (b"", ""),
    ],
)
def test_what_is_refused_is_named(content, said, tmp_path, only_listed_readers):
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(UsageError, match=rf"photo\.jpg: not a picture that decodes: .*{said}.*{ACCEPTED}"):
        read(tmp_path / "photo.jpg")


@pytest.mark.parametrize("form", [*FORMATS, "MPO"])
def test_a_listed_format_is_read_by_content_and_of_several_frames_the_first(form, tmp_path):
    Image.init()
    if form not in Image.SAVE:
        pytest.skip(f"needs Pillow with {form}")
    frames = [Image.new("RGB", (40, 30), color) for color in (RED, (0, 0, 250))]
    several = {"save_all": True, "append_images": frames[1:]} if form not in ("JPEG", "BMP", "PPM") else {}
    frames[0].save(tmp_path / "picture", form, **several)
    size, colorless, _, image = read(tmp_path / "picture")
    assert (size, colorless, type(image)) == ((40, 30), False, Image.Image)
    assert max(abs(one - other) for one, other in zip(image.getpixel((5, 5)), RED, strict=True)) < 9


def png(width, height, *chunks):
    parts = [(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)), *chunks, (b"IDAT", zlib.compress(bytes(4)))]
    said = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(said) + struct.pack(">I", 0) + b"IEND\xaeB`\x82"


def tiff(*, tile):
    """A TIFF of 16 x 16 pixels in one tile, which a few bytes of zeros fill."""
    content = zlib.compress(bytes(tile * tile))
    tags = {256: 16, 257: 16, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile, 324: 8, 325: len(content)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(content)) + content + directory


def scans(count):
    """A JPEG that is drawn over and over: each scan takes 42 bytes, and a pass over all pixels."""
    file = io.BytesIO()
    Image.new("L", (64, 64), 128).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    return content[:end] + content[last:end] * count + content[end:]


def jpeg_of(segments):
    """A JPEG with more segments in its header."""
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "JPEG")
    return file.getvalue()[:2] + segments + file.getvalue()[2:]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png(100_000, 100_000), "megapixels"),
        (png(10_001, 10_000), r"are 100\.01 megapixels; at most 100 are accepted"),
        (b"GIF89a" + struct.pack("<2H", 65_535, 65_535) + bytes(3) + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;", "megapixels"),
        (b"BM" + bytes(12) + struct.pack("<I2i2H6I", 40, 60_000, 60_000, 1, 24, *[0] * 6), "megapixels"),
        (b"P6 60000 60000 255\n", "megapixels"),
        (png(9, 9, (b"zTXt", b"a\0\0" + zlib.compress(bytes(2_000_000)))), "not a picture that decodes"),
        (png(9, 9, (b"iCCP", b"a\0\0" + zlib.compress(bytes(2_000_000)))), "not a picture that decodes"),
        (png(9, 9), "not a picture that decodes"),
        (tiff(tile=16_000), "in tiles of 16000 x 16000 pixels"),
        (png(9, 9, *[(b"teSt", b"")] * 200_001), "a header of more than 200000 parts"),
        (jpeg_of(b"\xff\xfe\0\2" * 200_001), "a header of more than 200000 parts"),
        (jpeg_of(b"\xff" * 200_001), "a header of more than 200000 parts"),
        (scans(10_000), "a JPEG of 10006 scans; at most 200 are accepted"),
    ],
    ids=[
        "png",
        "just over",
        "gif",
        "bmp",
        "ppm",
        "text",
        "profile",
        "cut off",
        "tiles",
        "chunks",
        "comments",
        "fill bytes",
        "scans",
    ],
)
def test_a_header_that_asks_for_too_much_is_refused_before_it_is_given(content, said, tmp_path):
    (tmp_path / "bomb").write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UsageError, match=f"bomb: .*{said}"):
        ImageFile(tmp_path / "bomb").open()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_tiles_and_scans_of_ordinary_files_are_read(tmp_path):
    for content in (tiff(tile=256), scans(20)):
        (tmp_path / "picture").write_bytes(content)
        assert ImageFile(tmp_path / "picture").open().size in ((16, 16), (64, 64))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("form", FORMATS)
def test_a_picture_of_bearable_size_is_read_where_warnings_are_errors(form, tmp_path, monkeypatch):
    """Pillow warns of what has more pixels than its own limit, a TIFF when it is decoded."""
    compressed = {"compression": "tiff_deflate"} if form == "TIFF" else {}
    Image.new("RGB", (40, 40), RED).save(tmp_path / "picture", format=form, **compressed)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    assert read(ImageFile(tmp_path / "picture").path)[0] == (40, 40)


def test_what_is_no_regular_file_of_bearable_size_is_refused_without_reading(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(2_000_000_000)
    for name, said in (
        ("pipe.jpg", "is no file"),
        ("folder.jpg", "is no file"),
        ("device.jpg", "is no file"),
        ("loop.jpg", "no such photograph"),
        ("x" * 300, "cannot be read"),
        ("huge.jpg", "has 2000 megabytes; at most 1000"),
    ):
        for reads in (lambda image: image.key, ImageFile.check, ImageFile.open):
            with pytest.raises(UsageError, match=f"{name}: {said}"):
                reads(ImageFile(tmp_path / name))


def test_memory_that_is_not_there_is_not_the_pictures_fault(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "one.png")
    with pytest.raises(MemoryError), opened(tmp_path / "one.png"):
        raise MemoryError


def jpeg(size=(30, 20), **options):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", POSTSCRIPT, png(9, 9), jpeg((1_100, 1_000)), jpeg(comment="a b"), jpeg()[:30], jpeg(comment="1 2 3")],
    ids=["nothing", "postscript", "png", "large", "words", "damaged", "numbers"],
)
def test_a_small_copy_that_is_not_one_says_no_size(content, only_listed_readers):
    assert size_of_shown(content) == []


def test_a_small_copy_says_of_what_size_it_is_one(only_listed_readers):
    assert size_of_shown(thumbnail_jpeg(Image.new("RGB", (900, 300)))) == [900, 300]


@pytest.mark.parametrize(("content", "shown"), [(jpeg(), True), (POSTSCRIPT, False), (png(9, 9), False)])
def test_a_page_shows_jpegs_alone(content, shown, only_listed_readers):
    images = {
        "one": ImageRecord(key="one", jpeg=base64.b64encode(content).decode()),
        "two": ImageRecord(key="two", jpeg=base64.b64encode(jpeg((1_100, 1_000))).decode()),
    }
    album = Album(images)
    assert (album.get("one") is not None, album.get("two")) == (shown, None)


def test_pictures_are_opened_in_one_place():
    """Whoever opens one elsewhere would let its content choose the reader."""
    files = [file for folder in ("vlcheck", "benchmarks", "behavior_tests") for file in (ROOT / folder).rglob("*.py")]
    found = {str(file.relative_to(ROOT)): count for file in files if (count := openings(file.read_text("utf-8")))}
    assert found == {"vlcheck/_util/image_files.py": 1}


OPENERS = {"Image.open", "PIL.Image.open", "read_image", "decode_image", "load_image", "imread"}
LAST = {name.rpartition(".")[2] for name in OPENERS}


def openings(source):
    """How often a module opens a picture: by Pillow, by one of its readers, or by what opens one for it."""
    tree = ast.parse(source)
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [ast.unparse(func) for func in called if getattr(func, "attr", getattr(func, "id", "")) in LAST]
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "PIL.Image"]
    taken = (ast.unparse(node.value) for node in ast.walk(tree) if isinstance(node, ast.Subscript))
    readers = [name for name in taken if name.rpartition(".")[2] == "OPEN"]
    return len(imported) + len(readers) + sum(name in OPENERS or name.rpartition(".")[2] in OPENERS for name in named)
