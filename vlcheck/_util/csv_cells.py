"""Cells of tables in CSV."""

from __future__ import annotations

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that spreadsheets take for a formula
_MARK = "'"


def csv_cell(value: object) -> object:
    """Return a value as a cell of a table that may be opened in a spreadsheet, where no text is to be a formula.

    A text that would be one, or that begins with an apostrophe, gets an apostrophe before it: without it, each cell is
    the text that it was. A number is unchanged.

    Source: OWASP, CSV Injection.

    Example:
        >>> csv_cell("=1+1"), csv_cell("a dog"), csv_cell(-0.5)
        ("'=1+1", 'a dog', -0.5)
    """
    return f"{_MARK}{value}" if isinstance(value, str) and value.startswith((*_FORMULAS, _MARK)) else value
