"""Turns errors of an image processor into NotApplicable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vlcheck._util.foreign_code import said_by
from vlcheck.errors import NotApplicable, UsageError


@contextmanager
def refusals() -> Iterator[None]:
    """Make NotApplicable of what a processor raises about a picture: of a strip, which it makes 0 pixels high, say.

    A processor has shown with a plain picture that it works, so it is the picture's fault. What goes beyond the
    machine is no refusal.
    """
    try:
        yield
    except (NotApplicable, UsageError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # foreign code raises errors of many kinds
        said = " ".join(said_by(error).split())
        raise NotApplicable(f"the model's processor refuses the picture: {said or type(error).__name__}") from error
