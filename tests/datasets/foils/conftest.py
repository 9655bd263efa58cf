"""Foil suites of a few pairs, in the layouts that their authors publish."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError

VOTES = {"caption": 3, "foil": 0, "other": 0}


@dataclass
class Published:
    """The folder of a suite; files and pictures are added one by one."""

    root: Path
    scheme: str

    def write(self, name, content, folder="."):
        """Write a JSON file, or JSON lines of a list if that is what its name says."""
        path = self.root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(map(json.dumps, content)) if path.suffix == ".jsonl" else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    def picture(self, name, size=(40, 30), color=(200, 90, 10), **saved):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, color).save(path, **saved)
        return path

    def open(self, at=""):
        return open_source(f"{self.scheme}:{self.root}{at}")

    def refused(self, at=""):
        with pytest.raises(UsageError) as raised:
            self.open(at)
        return str(raised.value)


@pytest.fixture
def published(tmp_path):
    """Make the folder of a suite by its scheme."""
    return lambda scheme: Published(tmp_path / scheme, scheme)


def sugarcrepe_pair(number=1, **more):
    pair = {"filename": f"{number:012d}.jpg", "caption": "A cat on a mat.", "negative_caption": "A dog on a mat."}
    return pair | more


def valse_pair(picture="v7w_1.jpg", **more):
    texts = {"caption": "There are no people.", "foil": "There are people.", "image_file": picture}
    return {"dataset": "visual7w", "linguistic_phenomena": "existence", "mturk": VOTES, **texts, **more}


def aro_pair(picture="1.jpg", **more):
    box = {"bbox_x": 5, "bbox_y": 4, "bbox_w": 20, "bbox_h": 10}
    texts = {"true_caption": "the horse is eating the grass", "false_caption": "the grass is eating the horse"}
    return {"image_id": "1", "image_path": picture, "relation_name": "eating", **box, **texts, **more}


def winoground_example(number=0, **more):
    pictures = {f"image_{one}": f"ex_{number}_img_{one}" for one in (0, 1)}
    captions = {"caption_0": "a dog chases a cat", "caption_1": "a cat chases a dog"}
    return {"id": number, **pictures, **captions, "tag": "Noun", "collapsed_tag": "Object", **more}
