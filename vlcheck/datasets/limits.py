"""What data may hold, whatever format it comes in."""

LONGEST_CAPTION = 2_000  # characters
LARGEST_NUMBER = 1e9  # of pixels, in a box


def is_text(value: str) -> bool:
    """Return True if a text can be written down again: JSON lets through halves of characters."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
