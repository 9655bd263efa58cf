"""The violated condition of a row, in which the tolerance of the policy leads to its meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vlcheck.report.glossary import TERMS
from vlcheck.report.page.escaping import ShownText, shown_text

TOLERANCES = "tolerances"  # the term that a tolerance leads to
_TOLERANCE = re.compile(r"(?<= \()(?:tolerance of the )?policy: [^()]+(?=\))")  # "policy: by" is of older versions


@dataclass(frozen=True)
class ViolatedView:
    """A violated condition.

    Attributes:
        said: the condition up to the tolerance; all of it if it names none.
        tolerance: the tolerance that its limit comes from; None if it names none.
        rest: the words after the tolerance; None if it names none.
    """

    said: ShownText
    tolerance: ShownText | None = None
    rest: ShownText | None = None

    @property
    def term(self) -> str:
        """The id of the meaning of tolerances on the page."""
        return TERMS[TOLERANCES].id


def violated_view(condition: str) -> ViolatedView:
    """Return a violated condition as the page shows it."""
    found = _TOLERANCE.search(condition)
    if found is None:
        return ViolatedView(shown_text(condition))
    pieces = condition[: found.start()], found[0], condition[found.end() :]
    return ViolatedView(*map(shown_text, pieces))
