"""Families of models whose checkpoints are in the layout of their original code."""

from typing import TYPE_CHECKING

if not TYPE_CHECKING:  # a type checker would accept any name of this module

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
