"""Read the shipped sentences with a gap, one file for each visual property.

Source of the task: Alper et al. 2023, "Is BERT blind?", arXiv:2303.12513. The sentences are vlcheck's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from vlcheck._util.foreign_files import read_toml
from vlcheck._util.typed import convert
from vlcheck.cases.case import MASK, filled

PROPERTIES = ("color", "shape", "size", "material")
SOURCES = ("common knowledge", "definition", "standard", "typical", "measure")
_FOLDER = Path(__file__).parent

_Word = Annotated[str, Meta(pattern=r"^\S+$", description="a word")]
_Text = Annotated[str, Meta(pattern=r"\S", description="a text")]
_Length = Annotated[float, Meta(gt=0, description="a length in centimeters")]


@dataclass(frozen=True)
class ClozeItem:
    """A sentence about a visible property of a thing, with a gap and the words that may fill it.

    Attributes:
        thing: the thing.
        text: the sentence, with "[MASK]" once.
        truth: the word that makes it true; one of the candidates.
        candidates: the words to choose from; all others make it false.
        source: the reason why it is true.

    Example:
        >>> ClozeItem("coal", "Coal is [MASK].", "black", ("black", "white"), "common knowledge").sentence("white")
        'Coal is white.'
    """

    thing: str
    text: str
    truth: str
    candidates: tuple[str, ...]
    source: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError unless there is one gap, and the truth is one of at least two different candidates."""
        if self.text.count(MASK) != 1:
            raise ValueError(f"{self.text!r} has to contain {MASK} exactly once.")
        if len({*self.candidates}) != len(self.candidates) or len(self.candidates) < 2:
            raise ValueError(f"{self.thing}: {self.candidates} have to be at least two different words.")
        if self.truth not in self.candidates:
            raise ValueError(f"{self.thing}: {self.truth!r} is not one of {self.candidates}.")

    def sentence(self, word: str) -> str:
        """Return the sentence with a word in its gap."""
        return filled(self.text, word)


class _ItemRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """An item as a file has it."""

    thing: _Text
    text: _Text
    truth: _Word
    source: _Text
    near: tuple[_Word, ...] = ()
    cm: tuple[_Length, _Length] | None = None


class _PropertyRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of items."""

    candidates: tuple[_Word, ...]
    items: tuple[_ItemRecord, ...]
    near: Mapping[str, tuple[_Word, ...]] = {}


def read_items(name: str) -> tuple[ClozeItem, ...]:
    """Return the shipped items about a property, in the order of their file.

    Words that a file lists under `near` are neither true nor clearly false of an item, and no candidates of it.

    Args:
        name: one of PROPERTIES.

    Raises:
        ValueError: the file does not fit its schema.

    Example:
        >>> read_items("color")[0].truth
        'red'
    """
    record = convert(read_toml(_FOLDER / f"{name}.toml"), _PropertyRecord)
    return tuple(_item(record, one) for one in record.items)


def _item(record: _PropertyRecord, one: _ItemRecord) -> ClozeItem:
    near = {*one.near, *record.near.get(one.truth, ())}
    candidates = tuple(word for word in record.candidates if word not in near)
    return ClozeItem(one.thing, one.text, one.truth, candidates, one.source)
