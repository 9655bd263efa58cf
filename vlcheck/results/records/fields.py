"""The types of a record's fields; `description` has the words for their values in messages and in the JSON schema."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from msgspec import Meta, Struct

SCHEMA = 1
_LARGEST = sys.float_info.max  # the limit excludes NaN and infinity, which JSON does not have

Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Number = Whole | Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
Cells = dict[str, Number | None]
Box = tuple[Number, Number, Number, Number]
Scored = tuple[str, Number | None]  # a word and its score

Text = Annotated[str, Meta(description="text")]
TextOrNone = Annotated[str | None, Meta(description="text or null")]
Texts = Annotated[list[str], Meta(description="a list of texts")]
NumberOrNone = Annotated[Number | None, Meta(description="a number or null")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1, description="a whole number from 0")]
CountOrNone = Annotated[Whole | None, Meta(description="a whole number or null")]
Numbers = Annotated[list[Number | None], Meta(description="a list of numbers, or null")]
FlagOrNone = Annotated[bool | None, Meta(description="true, false or null")]
Object = Annotated[dict[str, Any], Meta(description="an object or null")]
Boxes = Annotated[list[Box] | None, Meta(description="a list of boxes of four numbers, or null")]
Words = Annotated[list[Scored] | None, Meta(description="a list of words with their scores, or null")]
Table = Annotated[Cells | None, Meta(description="an object of numbers, or null")]


class Record(Struct, frozen=True):
    """A line of a results file, or an object in one."""


class LaterRecord(Record, frozen=True):
    """A line of a kind that only a later version knows. It is counted, and read over."""
