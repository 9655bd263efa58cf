"""Reading of VALSE: foils for six linguistic phenomena, with the votes of annotators.

Source: Parcalabescu, Cafagna, Muradjan, Frank, Calixto, Gatt, "VALSE: A Task-Independent Benchmark for Vision and
Language Models Centered on Linguistic Phenomena", ACL 2022. Each file holds an object of pairs, `{"actions_test_0":
{"dataset", "image_file", "caption", "foil", "mturk": {"caption", "foil", "other"}}}` and more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vlcheck._util.spec_grammar import Reference
from vlcheck.cases.offer import Offer
from vlcheck.datasets.foils.rows import FoilRow, rows_of_object
from vlcheck.datasets.foils.suite import FoilPair, FoilSuite, read_suite
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.errors import NotApplicable

VOTES = 2  # of three annotators who say that the caption, and not the foil, describes the picture
INVALID = f"fewer than {VOTES} annotators say that the caption alone describes the picture"


def read_valse(path: Path, lexicons: Lexicons, *, pictures: Reference | None = None) -> Offer:
    """Read VALSE's pairs whose foils are valid by the authors' rule.

    Args:
        path: the folder of its files, or the authors' repository.
        lexicons: the words for sides.
        pictures: the pictures: a folder that has those of all data sets in its folders, or a COCO folder.

    Raises:
        UsageError: Under the conditions of `read_suite`.
    """
    return read_suite(VALSE, path, lexicons, pictures)


def _pairs(row: FoilRow, phenomenon: str) -> Iterator[FoilPair]:
    if row.inner("mturk").number("caption") < VOTES:
        raise NotApplicable(INVALID)
    yield FoilPair(row.key, row.text("image_file"), row.text("caption"), (row.text("foil"),), phenomenon)


VALSE = FoilSuite(
    scheme="valse",
    name="VALSE",
    address="https://github.com/Heidelberg-NLP/VALSE (data/)",
    licence="whose README states no licence",
    pictures="those of Visual7W, COCO 2014 and 2017, SWiG and VisDial, each to be had from its authors",
    files={
        "existence.json": "existence",
        "plurals.json": "plurality",
        "counting-adversarial.json": "counting",
        "counting-hard.json": "counting",
        "counting-small-quant.json": "counting",
        "relations.json": "spatial-relation",
        "action-replacement.json": "action",
        "actant-swap.json": "swapped-object",
        "coreference-hard.json": "coreference",
        "coreference-standard.json": "coreference",
        "foil-it.json": "replaced-object",
    },
    rows=rows_of_object,
    pairs=_pairs,
)
