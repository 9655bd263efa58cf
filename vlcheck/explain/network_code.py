"""The code of a network that a user's own model gives for explanations: kept answers are of this code alone."""

from __future__ import annotations

from pathlib import Path

from vlcheck._util.hashing import digest

_OWN = Path(__file__).parents[1]


def network_code(network: object) -> str:
    """Return a digest of the files that define a network's class; "" for classes of vlcheck, whose version is kept.

    Functions of other files that the class calls are not seen: the model's `fingerprint` has to tell of them.
    """
    defined = [part for kind in type(network).__mro__ for part in vars(kind).values()]
    names = {part.__code__.co_filename for part in defined if hasattr(part, "__code__")}
    files = [path for path in map(Path, sorted(names)) if path.is_file() and not path.is_relative_to(_OWN)]
    return digest(*(path.read_bytes().hex() for path in files)) if files else ""
