"""A COCO folder of drawn scenes, in COCO's own layout, for tests that any pictures serve."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlcheck.cases import Case
from vlcheck.cases.box import Box
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.scenes.scene import Scene
from vlcheck.suite.shipped import lexicons_path

EACH, OF = 16, 250  # scenes of each kind, and how many are looked through for them
SHAPES = ((320, 240), (240, 320), (320, 213), (213, 320), (280, 280))  # pixels; each scene is stretched to one of them
SPLITS = ("train2017", "val2017")


def draw_coco(root: Path) -> Path:
    """Draw a folder with captions, instances and pictures of many shapes; returns its root."""
    objects = load_lexicons(lexicons_path()).objects
    categories = {name: number for number, name in enumerate(objects, 1)}
    called = {word: categories[name] for name, entry in objects.items() for word in entry.one}
    splits = [_Split(root, name, categories) for name in SPLITS]
    for number, cases in enumerate(_of_known_things(called), 1):
        splits[number % len(splits)].add(number, cases, called)
    for split in splits:
        split.write()
    return root


def _of_known_things(called: Iterable[str]) -> Iterator[tuple[Case, ...]]:
    """The cases of each scene all of whose things are called as a category of COCO is."""
    known, taken = set(called), Counter[str]()
    for name, cases in open_source(f"scenes:{OF}").offer.cases.items():
        kind = name.split("-")[2]
        if taken[kind] < EACH and known.issuperset(thing.word for thing in cases[0].image.things):
            taken[kind] += 1
            yield cases


@dataclass
class _Split:
    """Pictures and what is said of them; `write` puts the annotation files beside them."""

    root: Path
    name: str
    categories: dict[str, int]
    images: list[dict[str, Any]] = field(default_factory=list)
    captions: list[dict[str, Any]] = field(default_factory=list)
    instances: list[dict[str, Any]] = field(default_factory=list)

    def add(self, number: int, cases: tuple[Case, ...], called: dict[str, int]) -> None:
        """Draw a scene."""
        scene: Scene = cases[0].image
        width, height = SHAPES[number % len(SHAPES)]
        path = self.root / self.name / f"{number:012d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        scene.open().resize((width, height)).save(path, quality=90)
        self.images.append({"id": number, "file_name": path.name, "width": width, "height": height, "license": 4})
        # No two pictures have the same caption, as no two photographs have.
        self.captions += [{"image_id": number, "caption": f"{case.caption} on day {number}"} for case in cases]
        for one in (*scene.people, *scene.things):
            box = _stretched(one.box, width / scene.size[0], height / scene.size[1])
            what = {"category_id": called[one.word], "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            self.instances.append({"image_id": number} | what)

    def write(self) -> None:
        """Write the annotations."""
        folder = self.root / "annotations"
        folder.mkdir(exist_ok=True)
        licences = [{"id": 4, "name": "Attribution License"}]
        categories = [{"id": number, "name": name} for name, number in self.categories.items()]
        for kind, table in (("captions", self.captions), ("instances", self.instances)):
            annotations = [{"id": number} | entry for number, entry in enumerate(table)]
            tables = {"images": self.images, "annotations": annotations, "licenses": licences, "categories": categories}
            (folder / f"{kind}_{self.name}.json").write_text(json.dumps(tables), encoding="utf-8")


def _stretched(box: Box, across: float, down: float) -> list[float]:
    return [box.x * across, box.y * down, box.width * across, box.height * down]
