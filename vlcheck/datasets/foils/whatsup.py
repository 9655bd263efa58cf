"""Reading of What's Up: captions of a picture that differ in a preposition.

Source: Kamath, Hessel, Chang, "What's 'up' with Vision-Language Models? Investigating their Struggle with Spatial
Reasoning", EMNLP 2023. The files of controlled pictures hold a list of `{"image_path", "caption_options"}`, the others
one of `[id, caption, foil]`; the first caption is the true one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from vlcheck._util.spec_grammar import Reference
from vlcheck.cases.offer import Offer
from vlcheck.datasets.foils.rows import FoilRow, rows_of_list
from vlcheck.datasets.foils.suite import FoilPair, FoilSuite, read_suite
from vlcheck.datasets.lexicons.lexicon import Lexicons

_SPATIAL = "spatial-relation"
_COCO_DIGITS = 12


def read_whatsup(path: Path, lexicons: Lexicons, *, pictures: Reference | None = None) -> Offer:
    """Read the captions of What's Up, each with all its foils.

    Args:
        path: the folder of its files, with the pictures in its folders, or the authors' repository.
        lexicons: the words for sides.
        pictures: another folder of pictures, or a COCO folder; None for those beside the files.

    Raises:
        UsageError: Under the conditions of `read_suite`.
    """
    return read_suite(WHATSUP, path, lexicons, pictures)


def _of_options(row: FoilRow, phenomenon: str) -> Iterator[FoilPair]:
    true, *false = row.texts("caption_options") or ("",)
    yield FoilPair(row.key, row.text("image_path"), true, tuple(false), phenomenon)


def _of_coco(row: FoilRow, phenomenon: str) -> Iterator[FoilPair]:
    picture = f"val2017/{row.label(0).zfill(_COCO_DIGITS)}.jpg"
    yield FoilPair(row.key, picture, row.text(1), (row.text(2),), phenomenon)


def _of_visual_genome(row: FoilRow, phenomenon: str) -> Iterator[FoilPair]:
    yield FoilPair(row.key, f"vg_images/{row.label(0)}.jpg", row.text(1), (row.text(2),), phenomenon)


_READERS: Mapping[str, Callable[[FoilRow, str], Iterator[FoilPair]]] = {
    "controlled_images_dataset.json": _of_options,
    "controlled_clevr_dataset.json": _of_options,
    "coco_qa_one_obj.json": _of_coco,
    "coco_qa_two_obj.json": _of_coco,
    "vg_qa_one_obj.json": _of_visual_genome,
    "vg_qa_two_obj.json": _of_visual_genome,
}


def _pairs(row: FoilRow, phenomenon: str) -> Iterator[FoilPair]:
    yield from _READERS[row.path.name](row, phenomenon)


WHATSUP = FoilSuite(
    scheme="whatsup",
    name="What's Up",
    address="https://github.com/amitakamath/whatsup_vlms (its code downloads the files)",
    licence="under the MIT licence",
    pictures="controlled_images.tar.gz, controlled_clevr.tar.gz and vg_images.tar.gz of the same place, and the"
    " photographs of COCO val2017",
    files=dict.fromkeys(_READERS, _SPATIAL),
    rows=rows_of_list,
    pairs=_pairs,
)
