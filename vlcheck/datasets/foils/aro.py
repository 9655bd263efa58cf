"""Reading of ARO's VG-Relation and VG-Attribution: two things, or their attributes, that change places.

Source: Yuksekgonul, Bianchi, Kalluri, Jurafsky, Zou, "When and Why Vision-Language Models Behave like Bags-of-Words,
and What to Do About It?", ICLR 2023. Each file holds a list of pairs, `{"image_path", "bbox_x", "bbox_y", "bbox_w",
"bbox_h", "true_caption", "false_caption"}` and more; a caption is about the part of the picture in the box, which the
authors cut out.

COCO-Order and Flickr30k-Order are not read: their foils are published nowhere, but drawn anew on every run of the
authors' code, with the parser of another library.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from vlcheck._util.foreign_files import read_toml
from vlcheck._util.spec_grammar import Reference
from vlcheck.cases.box import Box
from vlcheck.cases.offer import Offer
from vlcheck.datasets.foils.rows import FoilRow, rows_of_list
from vlcheck.datasets.foils.suite import FoilPair, FoilSuite, read_suite
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.errors import NotApplicable

RELATIONS = "visual_genome_relation.json"
LEFT_OUT = "relation is one that the authors leave out of their accuracy"


def read_aro(path: Path, lexicons: Lexicons, *, pictures: Reference | None = None) -> Offer:
    """Read the pairs of VG-Relation and VG-Attribution.

    Args:
        path: the folder of the files, with the pictures in `images`.
        lexicons: the words for sides.
        pictures: another folder of pictures; None for those beside the files.

    Raises:
        UsageError: Under the conditions of `read_suite`.
    """
    return read_suite(ARO, path, lexicons, pictures)


def _pairs(row: FoilRow, phenomenon: str) -> Iterator[FoilPair]:
    if row.path.name == RELATIONS and row.text("relation_name") in _left_out():
        raise NotApplicable(LEFT_OUT)
    box = Box(*(row.number(f"bbox_{side}") for side in "xywh"))
    foils = (row.text("false_caption"),)
    yield FoilPair(row.key, row.text("image_path"), row.text("true_caption"), foils, phenomenon, box)


@cache
def _left_out() -> frozenset[str]:
    return frozenset(read_toml(Path(__file__).with_name("aro.toml"))["left_out"])


ARO = FoilSuite(
    scheme="aro",
    name="ARO",
    address="https://github.com/mertyg/vision-language-models-are-bows (its code downloads the files)",
    licence="under the MIT licence",
    pictures="a part of GQA's, which are Visual Genome's (vgr_vga_images.zip, which the authors' code downloads)",
    files={RELATIONS: "swapped-object", "visual_genome_attribution.json": "swapped-attribute"},
    rows=rows_of_list,
    pairs=_pairs,
)
