"""Turns errors of an image processor into NotApplicable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vlcheck._util.foreign_code import said_by
from vlcheck.errors import NotApplicable, UsageError


@contextmanager
def errors_as_refusals() -> Iterator[None]:
    """Raise NotApplicable in place of an error that a processor raises about a picture.

    A very narrow picture, for example, may be scaled to a height of 0 pixels. The processor has already read a plain
    picture without an error, so the fault is the picture's. Errors for lack of memory are passed on.
    """
    try:
        yield
    except (NotApplicable, UsageError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # foreign code raises errors of many kinds
        said = " ".join(said_by(error).split())
        raise NotApplicable(f"the model's processor refuses the picture: {said or type(error).__name__}") from error
