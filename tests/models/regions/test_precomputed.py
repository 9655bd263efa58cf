from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from vlcheck.cases.case import ImageFile
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.regions import precomputed
from vlcheck.models.regions.precomputed import RegionFiles, read_regions

BOXES = np.array([[0, 0, 10, 20], [5, 2.5, 40, 30]])
FEATURES = np.arange(6).reshape(2, 3) / 7


@pytest.fixture
def photograph(tmp_path: Path) -> ImageFile:
    """40 x 30 pixels, with two regions of three features in the folder `regions`."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "000007.jpg")
    save(tmp_path)
    return ImageFile(tmp_path / "000007.jpg")


def save(folder: Path, name: str = "000007", **arrays: Any) -> Path:
    """Write the file of one photograph; an array that is None is left out."""
    (folder / "regions").mkdir(exist_ok=True)
    kept = {"boxes": BOXES, "features": FEATURES, **arrays}
    path = folder / "regions" / f"{name}.npz"
    np.savez(path, **{key: array for key, array in kept.items() if array is not None})
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_regions_are_found_by_the_photographs_name(photograph: ImageFile, dtype: type) -> None:
    folder = photograph.path.parent
    save(folder, features=FEATURES.astype(dtype), labels=np.array(["dog", "bus"]))
    files = RegionFiles(folder / "regions")
    found = files(photograph.open().copy())
    assert found.boxes.tolist() == BOXES.tolist()
    np.testing.assert_array_equal(found.features, FEATURES.astype(dtype).astype(np.float64))
    assert found.labels == ("dog", "bus")
    assert files.width == 3


@pytest.mark.parametrize("edit", [ImageOps.mirror, ImageOps.invert, lambda image: Image.fromarray(np.array(image))])
def test_an_edited_photograph_has_none(photograph: ImageFile, edit: Any) -> None:
    """Also one that is not edited, but has lost its name."""
    with pytest.raises(NotApplicable, match="for unedited photographs only; a detector"):
        RegionFiles(photograph.path.parent / "regions")(edit(photograph.open()))


def test_a_photograph_that_was_left_out_is_named(photograph: ImageFile) -> None:
    photograph.path.rename(photograph.path.with_stem("000008"))
    files = RegionFiles(photograph.path.parent / "regions")
    with pytest.raises(UsageError, match=r"000008\.npz: no such file"):
        files(ImageFile(photograph.path.with_stem("000008")).open())


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"boxes": None}, "lacks boxes; it has to hold boxes and features"),
        ({"features": None, "boxes": None}, "lacks boxes and features"),
        ({"boxes": BOXES[:1]}, r"boxes \(1, 4\) and features \(2, 3\) have to be \(n, 4\) and \(n, width\)"),
        ({"boxes": np.zeros((2, 5))}, r"boxes \(2, 5\)"),
        ({"boxes": BOXES[:0], "features": FEATURES[:0]}, "n > 0"),
        ({"features": FEATURES[0]}, r"features \(3,\)"),
        ({"features": FEATURES[:, :0]}, r"features \(2, 0\)"),
        ({"labels": np.array(["dog"])}, r"labels \(1,\) have to be \(2,\)"),
        ({"features": FEATURES * np.nan}, "features have to be finite numbers"),
        ({"boxes": BOXES.astype(str)}, "boxes have to be finite numbers"),
        ({"labels": np.array(["dog", None], dtype=object)}, "damaged, or not an .npz of numbers"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, arrays: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=rf"000007\.npz: .*{complaint}"):
        read_regions(save(tmp_path, **arrays))


@pytest.mark.parametrize(
    "boxes",
    [BOXES[:, [2, 3, 0, 1]], BOXES / [40, 30, 40, 30], BOXES + [0, 0, 9, 0], BOXES - [2, 0, 0, 0]],
    ids=["corners exchanged", "in units of the picture", "right of it", "left of it"],
)
def test_boxes_that_are_no_pixels_of_the_photograph_are_refused(photograph: ImageFile, boxes: np.ndarray) -> None:
    save(photograph.path.parent, boxes=boxes)
    with pytest.raises(UsageError, match=r"000007\.npz: boxes have to be x1, y1, x2, y2 in pixels .* 40 x 30"):
        RegionFiles(photograph.path.parent / "regions")(photograph.open())


def test_files_of_different_widths_are_refused(photograph: ImageFile) -> None:
    save(photograph.path.parent, "000001", features=np.ones((2, 4)))
    with pytest.raises(UsageError, match=r"000007\.npz: features have to be 4 a region, not 3"):
        RegionFiles(photograph.path.parent / "regions")(photograph.open())


def header(shape: tuple[int, ...], kind: str = "<f8") -> bytes:
    """The file of an array that claims a shape and holds one number."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue() + b"\0" * 8


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (header((10**12, 4)), r"boxes\.npy is said to be \(1000000000000, 4\), more than the file holds"),
        (header((10**6, 10**6, 10**6)), "more than the file holds"),
        (header((1,), "|O"), "Object arrays cannot be loaded"),
        (b"no array", "not an .npz of numbers"),
        (b"", "not an .npz of numbers"),
    ],
)
def test_an_array_is_no_larger_than_its_file(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = save(tmp_path, boxes=None)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("boxes.npy", content)
    with pytest.raises(UsageError, match=rf"000007\.npz: .*{complaint}"):
        read_regions(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precomputed, "_LARGEST", 1 << 20)
    path = save(tmp_path, boxes=None)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file, file.open("boxes.npy", "w") as entry:
        entry.write(bytes(2 << 20))
    with pytest.raises(UsageError, match=r"boxes\.npy has 2097152 bytes; at most 1048576 are accepted"):
        read_regions(path)


@pytest.mark.parametrize("keep", [0, 30, -30])
def test_a_damaged_file_is_named(tmp_path: Path, keep: int) -> None:
    path = save(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    for read in (read_regions, lambda path: RegionFiles(path.parent)):
        with pytest.raises(UsageError, match=r"000007\.npz: damaged"):
            read(path)


def test_bytes_that_changed_on_the_way_are_noticed(tmp_path: Path) -> None:
    path = save(tmp_path)
    content = bytearray(path.read_bytes())
    content[content.index(FEATURES.tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"000007\.npz: damaged.*CRC"):
        read_regions(path)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no \.npz; for each photograph NAME\.jpg"):
        RegionFiles(tmp_path)


def test_the_fingerprint_changes_with_names_and_content_alone(tmp_path: Path) -> None:
    def fingerprint() -> str:
        return RegionFiles(tmp_path / "regions").fingerprint

    save(tmp_path)
    first = fingerprint()
    save(tmp_path)
    assert fingerprint() == first
    save(tmp_path, features=FEATURES + 1e-9)
    assert fingerprint() != first
    save(tmp_path).rename(tmp_path / "regions" / "000008.npz")
    assert fingerprint() != first
