"""Limits of data, whatever its format."""

LONGEST_CAPTION = 2_000  # characters
LARGEST_NUMBER = 1e9  # pixels, of a coordinate


def is_text(value: str) -> bool:
    """Return True if a text can be encoded; JSON accepts single surrogates, which are halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_number(value: object) -> bool:
    """Return True for a number, no flag, that is below LARGEST_NUMBER in size."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER
