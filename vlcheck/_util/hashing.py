"""A short name for content, the same in every process."""

from __future__ import annotations

import hashlib
from json.encoder import encode_basestring_ascii as quoted


def digest(*parts: str) -> str:
    """Hash texts so that no two lists of them share a digest by concatenation."""
    return hashlib.sha256(f"[{', '.join(map(quoted, parts))}]".encode()).hexdigest()[:32]  # as json.dumps, and faster
