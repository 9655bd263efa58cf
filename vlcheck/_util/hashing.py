"""A short hash of content, the same in every process."""

from __future__ import annotations

import hashlib
from json.encoder import encode_basestring_ascii as quoted

_SHOWN = 12  # digits of a digest


def digest(*parts: str) -> str:
    """Hash texts to 32 hexadecimal digits; lists that differ only in where texts are split have different hashes."""
    return hashlib.sha256(f"[{', '.join(map(quoted, parts))}]".encode()).hexdigest()[:32]  # as json.dumps, but faster


def brief_digest(digits: str) -> str:
    """Return the beginning of a digest, as people are shown it: 12 digits.

    Args:
        digits: the digest, in hexadecimal.
    """
    return digits[:_SHOWN]
