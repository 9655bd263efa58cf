"""Reading of SugarCrepe: foils of COCO's captions that read as well as these.

Source: Hsieh, Zhang, Ma, Kembhavi, Krishna, "SugarCrepe: Fixing Hackable Benchmarks for Vision-Language
Compositionality", NeurIPS 2023. Each file holds an object of pairs, `{"0": {"filename", "caption",
"negative_caption"}}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vlcheck._util.spec_grammar import Reference
from vlcheck.cases.offer import Offer
from vlcheck.datasets.foils.rows import FoilRow, rows_of_object
from vlcheck.datasets.foils.suite import FoilPair, FoilSuite, read_suite
from vlcheck.datasets.lexicons.lexicon import Lexicons


def read_sugarcrepe(path: Path, lexicons: Lexicons, *, pictures: Reference | None = None) -> Offer:
    """Read SugarCrepe's pairs.

    Args:
        path: the folder of its files, or the authors' repository.
        lexicons: the words for sides.
        pictures: the photographs of COCO val2017.

    Raises:
        UsageError: Under the conditions of `read_suite`.
    """
    return read_suite(SUGARCREPE, path, lexicons, pictures)


def _pairs(row: FoilRow, phenomenon: str) -> Iterator[FoilPair]:
    foils = (row.text("negative_caption"),)
    yield FoilPair(row.key, row.text("filename"), row.text("caption"), foils, phenomenon)


SUGARCREPE = FoilSuite(
    scheme="sugarcrepe",
    name="SugarCrepe",
    address="https://github.com/RAIVNLab/sugar-crepe (data/)",
    licence="under the MIT licence",
    pictures="the photographs of COCO val2017 (https://cocodataset.org/#download)",
    files={
        "add_att.json": "added-attribute",
        "add_obj.json": "added-object",
        "replace_att.json": "replaced-attribute",
        "replace_obj.json": "replaced-object",
        "replace_rel.json": "replaced-relation",
        "swap_att.json": "swapped-attribute",
        "swap_obj.json": "swapped-object",
    },
    rows=rows_of_object,
    pairs=_pairs,
)
