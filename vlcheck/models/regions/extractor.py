"""Chooses the extractor of regions that a spec names after `regions=`."""

from __future__ import annotations

from vlcheck._util.paths import expanded, there_is
from vlcheck.errors import UsageError
from vlcheck.models.regions.detector import FasterRcnn
from vlcheck.models.regions.precomputed import RegionFiles
from vlcheck.models.regions.regions import SAID_BY, RegionExtractor

HOW_TO_SAY = (
    f"name one with {SAID_BY}DETECTOR after the model; DETECTOR is a file with weights of torchvision's Faster R-CNN,"
    " or a folder of regions that were computed beforehand, with NAME.npz for each photograph NAME.jpg: boxes (n, 4)"
    " and features (n, width)"
)


def find_extractor(said: str, *, device: str, width: int) -> RegionExtractor:
    """Load a detector, or open a folder of precomputed regions.

    Args:
        said: path of the detector's weights or of the folder.
        device: a torch device for the detector.
        width: number of features of a region that the model reads.

    Raises:
        UsageError: `said` is empty, there is nothing at the path, or its regions have another width.
    """
    if not said:
        raise UsageError(f"it reads regions of a detector: {HOW_TO_SAY}.")
    path = expanded(said)
    if not there_is(said):
        raise UsageError(f"{path}: no such file or folder; {HOW_TO_SAY}.")
    extractor: RegionExtractor = RegionFiles(path) if path.is_dir() else FasterRcnn.load(path, device=device)
    if extractor.width != width:
        raise UsageError(f"{path}: its regions have {extractor.width} features; the model reads {width}.")
    return extractor
