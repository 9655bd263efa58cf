"""The augmentations that a training recipe may have, as far as they decide which captions stay true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from vlcheck.errors import UsageError, argument, nearest

AUGMENTATIONS: Mapping[str, str] = MappingProxyType(
    {
        "flip": "mirrors pictures, captions stay as they are",
        "flip-words": "mirrors pictures, and exchanges left and right in their captions",
        "vertical-flip": "turns pictures upside down, captions stay as they are",
        "colorjitter": "changes the hues of pictures, captions stay as they are",
        "grayscale": "takes the colors out of pictures, captions stay as they are",
        "crop": "cuts pictures, captions stay as they are",
        "rotate": "rotates pictures by a few degrees",
        "erase": "paints over parts of pictures",
        "blur": "blurs pictures",
    }
)


def read_augmentations(names: Iterable[str]) -> frozenset[str]:
    """Return the augmentations of a recipe.

    Args:
        names: their names, keys of AUGMENTATIONS.

    Raises:
        UsageError: a name is unknown.

    Example:
        >>> sorted(read_augmentations(["flip", "colorjitter"]))
        ['colorjitter', 'flip']
    """
    found = frozenset(names)
    for name in sorted(found):
        if name not in AUGMENTATIONS:
            raise UsageError(f"{argument('augment', name)}: no such augmentation. {nearest(name, AUGMENTATIONS)}")
    return found
