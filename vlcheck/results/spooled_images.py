"""The pictures of results, which are kept outside of memory: a run may have a hundred thousand of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import cast

from vlcheck.results.records import ImageRecord
from vlcheck.results.schema import encoded, record_of
from vlcheck.results.spooled import Spool


class SpooledImages(MutableMapping[str, ImageRecord]):
    """Pictures by their keys, each read when it is asked for; 200 bytes of memory for each."""

    def __init__(self) -> None:
        self._lines = Spool().lines()
        self._places: dict[str, int] = {}

    def lines(self) -> Iterator[str]:
        """Yield the pictures as lines of JSON, in the order in which their keys came."""
        return map(self._lines.__getitem__, self._places.values())

    def add(self, record: ImageRecord) -> None:
        """Add a picture; of several lines of one picture, one with a larger copy stays."""
        if record.large or record.key not in self:
            self[record.key] = record

    def __setitem__(self, key: str, record: ImageRecord) -> None:
        self._places[key] = len(self._lines)
        self._lines.append(encoded(record))

    def __getitem__(self, key: str) -> ImageRecord:
        return cast(ImageRecord, record_of(json.loads(self._lines[self._places[key]])))

    def __delitem__(self, key: str) -> None:
        del self._places[key]

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
