"""Python code of others: what it raises is contained, and told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vlcheck.errors import ForeignFault, NotApplicable, UsageError, printable


@contextmanager
def contained() -> Iterator[None]:
    """Raise ForeignFault for whatever foreign code raises, so that its fault is one verdict's and not the run's.

    Ctrl-C, and the exceptions of vlcheck.errors, pass. pytest.skip, pytest.exit and SystemExit do not.
    """
    try:
        yield
    except (UsageError, NotApplicable, ForeignFault, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise ForeignFault(told(error)) from error


def told(error: BaseException) -> str:
    """Return an exception's type and message; to give the message may raise, too."""
    try:
        message = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - foreign code, as above
        message = "its message cannot be read"
    return printable(f"{type(error).__name__}: {message}")
