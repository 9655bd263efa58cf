"""A small COCO folder of one's own making."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from vlcheck.datasets.registry import open_source

SIZE = (200, 100)
CATEGORIES = (
    "person",
    "dog",
    "cat",
    "bus",
    "bowl",
    "orange",
    "hot dog",
    "laptop",
    "keyboard",
    "stop sign",
    "book",
    "umbrella",
    "frisbee",
    "cup",
    "sports ball",
    "clock",
    "bird",
)
JOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee"),
    *("left_ankle", "right_ankle"),
)


@dataclass
class Folder:
    """Photographs are added one by one; `write` puts the annotation files and the photographs in place."""

    root: Path
    split: str = "val2017"
    tables: dict = field(default_factory=lambda: {"captions": _empty(), "instances": _empty()})

    def photograph(self, *captions, instances=(), annotated=True):
        """Add one: captions, and (category, x, y, width, height) for each instance. Returns its id."""
        number = len(self.tables["captions"]["images"]) + 1
        listed = {"id": number, "file_name": f"{number:012d}.jpg", "width": SIZE[0], "height": SIZE[1], "license": 4}
        self.tables["captions"]["images"].append(listed)
        for caption in captions:
            self.tables["captions"]["annotations"].append({"image_id": number, "caption": caption})
        if annotated:
            self.tables["instances"]["images"].append({"id": number})
        for category, *box in instances:
            what = {"image_id": number, "category_id": CATEGORIES.index(category), "bbox": box}
            self.tables["instances"]["annotations"].append(what)
        return number

    def person(self, number, visible=2, **joints):
        """Mark a person's joints in a photograph: (x, y) by name."""
        table = self.tables.setdefault("person_keypoints", _keypoints())
        if {"id": number} not in table["images"]:
            table["images"].append({"id": number})
        marked = [value for name in JOINTS for value in ((*joints[name], visible) if name in joints else (0, 0, 0))]
        table["annotations"].append({"image_id": number, "category_id": 0, "keypoints": marked})

    def write(self):
        """Returns the spec's root."""
        self.write_annotations()
        for listed in self.tables["captions"]["images"]:
            path = self.path(listed["id"])
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", SIZE, (10 * listed["id"] % 256, 90, 90)).save(path)
        return self.root

    def write_annotations(self):
        """Write no photograph. Returns the spec's root."""
        (self.root / "annotations").mkdir(exist_ok=True)
        for name in self.tables:
            self.annotations(name).write_text(json.dumps(self.tables[name]))
        return self.root

    def offered(self, kind):
        """The cases of a kind, and how many things were left out of it, by reason."""
        source = open_source(f"coco:{self.write()}")
        found = [case for case in source.cases if kind in case.tags]
        parts = (reason.partition(": ")[::2] for reason in source.left_out)
        return found, {reason: source.left_out[f"{of}: {reason}"] for of, reason in parts if of == kind}

    def annotations(self, name):
        return self.root / "annotations" / f"{name}_{self.split}.json"

    def path(self, number):
        return self.root / self.split / f"{number:012d}.jpg"


def _empty():
    categories = [{"id": number, "name": name} for number, name in enumerate(CATEGORIES)]
    licences = [{"id": 4, "name": "Attribution License"}]
    return {"images": [], "annotations": [], "categories": categories, "licenses": licences}


def _keypoints():
    return {"images": [], "annotations": [], "categories": [{"id": 0, "name": "person", "keypoints": list(JOINTS)}]}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
