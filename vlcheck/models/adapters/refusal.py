"""Errors of an image processor are raised again as NotApplicable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vlcheck._util.foreign_code import said_by
from vlcheck._util.memory import lacks_memory
from vlcheck.errors import NotApplicable, UsageError


@contextmanager
def errors_as_refusals() -> Iterator[None]:
    """Raise NotApplicable in place of any error that a processor raises inside.

    The processor has already read a plain picture without an error at load, so the picture is at fault: for example, a
    very narrow one may be scaled to a width of 0 pixels. Errors for lack of memory are passed on.
    """
    try:
        yield
    except (NotApplicable, UsageError):
        raise
    except Exception as error:  # foreign code raises errors of many kinds
        if lacks_memory(error):
            raise
        said = " ".join(said_by(error).split())
        raise NotApplicable(f"the model's processor refuses the picture: {said or type(error).__name__}") from error
