"""Precomputed regions, for models whose own detector is not available."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vlcheck._util.foreign_files import demand_file, fault
from vlcheck._util.hashing import digest
from vlcheck.cases.case import ImageFile
from vlcheck.cases.image_notes import noted_file, pixel_sha256
from vlcheck.errors import NotApplicable, UsageError, printable
from vlcheck.models.regions.regions import Regions

_ARRAYS = ("boxes", "features", "labels")
_LARGEST = 1 << 28  # bytes of the largest accepted array of one photograph


class RegionFiles:
    """A folder with a file NAME.npz for each photograph NAME.jpg (or .png, ...).

    Each file holds the arrays `boxes` (n, 4): x1, y1, x2, y2 in pixels of the upright photograph; `features` (n,
    width); and optionally `labels` (n,). An edited photograph has no precomputed regions: the pixels of an image are
    compared with those of the file that it was read from.

    Args:
        folder: the folder.

    Raises:
        UsageError: the folder has no .npz file, or one that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        paths = sorted(folder.glob("*.npz"))
        if not paths:
            raise UsageError(f"{folder}: holds no .npz; for each photograph NAME.jpg it has to hold NAME.npz.")
        self.folder = folder
        self.fingerprint = digest("region files", *map(_checksums, paths))
        self.width = read_regions(paths[0]).features.shape[1]

    def __call__(self, image: Image.Image) -> Regions:
        """Return the regions of an unedited photograph.

        Raises:
            NotApplicable: the image is edited, or was not read from a file.
            UsageError: the file of its regions is missing or damaged, or does not fit the photograph.
        """
        photograph = noted_file(image)
        if photograph is None or pixel_sha256(image) != pixel_sha256(ImageFile(photograph).open()):
            raise NotApplicable(
                "regions were computed beforehand, for unedited photographs only; a detector reads edited ones, too"
            )
        path = self.folder / f"{photograph.stem}.npz"
        regions = read_regions(path)
        if regions.features.shape[1] != self.width:
            raise UsageError(f"{path}: features have to be {self.width} a region, not {regions.features.shape[1]}.")
        _check_inside(path, regions, image.size)
        return regions


def read_regions(path: Path) -> Regions:
    """Read the regions of one file.

    Raises:
        UsageError: the file is missing or damaged, or its arrays have a wrong type or shape.
    """
    if why := fault(path):
        raise UsageError(f"{path}: no such file ({why}); the regions of a photograph are in a file of its name.")
    try:
        with zipfile.ZipFile(path) as file:
            arrays = {name: array for name in _ARRAYS if (array := _array(file, f"{name}.npy")) is not None}
    except Exception as error:  # damaged files raise errors of any kind
        said = printable(str(error), 120)
        raise UsageError(f"{path}: damaged, or not an .npz of numbers ({said}).") from error
    if missing := {"boxes", "features"} - arrays.keys():
        raise UsageError(f"{path}: lacks {' and '.join(sorted(missing))}; it has to hold boxes and features.")
    return _checked(path, **arrays)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray | None:
    """Return an array of an archive; None if there is none of that name.

    Raises:
        ValueError: the array is larger than its file, or does not hold numbers or texts.
    """
    if name not in archive.namelist():
        return None
    entry = archive.getinfo(name)
    if entry.file_size > _LARGEST:
        raise ValueError(f"{name} has {entry.file_size} bytes; at most {_LARGEST} are accepted")
    content = io.BytesIO(archive.read(entry))
    version = np.lib.format.read_magic(content)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(content)
    if math.prod(shape) * kind.itemsize > entry.file_size:
        raise ValueError(f"{name} is said to be {shape}, more than the file holds")
    content.seek(0)
    array: np.ndarray = np.lib.format.read_array(content, allow_pickle=False)
    return array


def _checked(path: Path, boxes: np.ndarray, features: np.ndarray, labels: np.ndarray | None = None) -> Regions:
    n = len(features) if features.ndim == 2 else 0
    if not n or not features.shape[1] or boxes.shape != (n, 4):
        raise UsageError(
            f"{path}: boxes {boxes.shape} and features {features.shape} have to be (n, 4) and (n, width), n > 0."
        )
    if labels is not None and labels.shape != (n,):
        raise UsageError(f"{path}: labels {labels.shape} have to be ({n},), one for each box.")
    for name, array in (("boxes", boxes), ("features", features)):
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise UsageError(f"{path}: {name} have to be finite numbers.")
    return Regions(
        torch.from_numpy(boxes.astype(np.float64)),
        torch.from_numpy(features.astype(np.float64)),
        None if labels is None else tuple(map(str, labels.tolist())),
    )


def _check_inside(path: Path, regions: Regions, size: tuple[int, int]) -> None:
    """Check that boxes lie inside their picture, up to a pixel of rounding; else their unit is not pixels."""
    low, high = regions.boxes[:, :2], regions.boxes[:, 2:]
    if (high <= low).any() or (low < -1).any() or (high > high.new_tensor(size) + 1).any() or high.max() <= 1:
        raise UsageError(f"{path}: boxes have to be x1, y1, x2, y2 in pixels of a photograph of {size[0]} x {size[1]}.")


def _checksums(path: Path) -> str:
    """Return a file's name and its arrays' stored checksums, so that gigabytes of features need not be read."""
    demand_file(path)
    try:
        with zipfile.ZipFile(path) as file:
            return f"{path.name} {[(entry.filename, entry.CRC, entry.file_size) for entry in file.infolist()]}"
    except Exception as error:  # damaged files raise errors of any kind
        raise UsageError(f"{path}: damaged, or not an .npz ({printable(str(error), 120)}).") from error
