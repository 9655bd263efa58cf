"""Regions of a detector, which some models read instead of pixels."""

from typing import TYPE_CHECKING

if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
