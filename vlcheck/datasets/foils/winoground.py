"""Reading of Winoground: two pictures, and two captions of the same words in another order.

Source: Thrush, Jiang, Bartolo, Singh, Williams, Kiela, Ross, "Winoground: Probing Vision and Language Models for
Visio-Linguistic Compositionality", CVPR 2022. `examples.jsonl` holds `{"id", "image_0", "image_1", "caption_0",
"caption_1", "tag", "collapsed_tag"}` and more; the pictures are PNG files in `images`.

Each picture is a case, whose foil is the caption of the other one: the text score of the paper, a picture at a time.
Its image and group scores, which need both pictures at once, are not computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from vlcheck._util.spec_grammar import Reference
from vlcheck.cases.offer import Offer
from vlcheck.datasets.foils.rows import FoilRow, rows_of_lines
from vlcheck.datasets.foils.suite import FoilPair, FoilSuite, read_suite
from vlcheck.datasets.lexicons.lexicon import Lexicons


def read_winoground(path: Path, lexicons: Lexicons, *, pictures: Reference | None = None) -> Offer:
    """Read Winoground's examples, two cases each.

    Args:
        path: the folder of `examples.jsonl` and `images`, or the hub's repository.
        lexicons: the words for sides.
        pictures: another folder of pictures; None for those beside the file.

    Raises:
        UsageError: Under the conditions of `read_suite`.
    """
    return read_suite(WINOGROUND, path, lexicons, pictures)


def _pairs(row: FoilRow, phenomenon: str) -> Iterator[FoilPair]:
    phenomenon = _phenomenon(row)
    files = [_file(row.text(f"image_{one}")) for one in (0, 1)]
    captions = [row.text(f"caption_{one}") for one in (0, 1)]
    for own, other in ((0, 1), (1, 0)):
        key = f"{row.label('id')}-{own}"
        yield FoilPair(key, files[own], captions[own], (captions[other],), phenomenon, beside=(files[other],))


def _phenomenon(row: FoilRow) -> str:
    """Return what changes places: adjectives, things, or something else."""
    if row.text("tag").startswith("Adjective"):
        return "swapped-attribute"
    return "swapped-object" if row.text("collapsed_tag") == "Object" else "word-order"


def _file(name: str) -> str:
    return name if PurePosixPath(name).suffix else f"{name}.png"


WINOGROUND = FoilSuite(
    scheme="winoground",
    name="Winoground",
    address="https://huggingface.co/datasets/facebook/winoground (data/examples.jsonl)",
    licence="for research only, under a licence to be accepted there",
    pictures="Getty Images', data/images.zip of the same place, to be unzipped beside examples.jsonl",
    files={"examples.jsonl": ""},
    rows=rows_of_lines,
    pairs=_pairs,
)
