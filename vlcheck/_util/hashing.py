"""A short hash of content, the same in every process."""

from __future__ import annotations

import hashlib
from json.encoder import encode_basestring_ascii as quoted


def digest(*parts: str) -> str:
    """Hash texts to 32 hexadecimal digits; lists that differ only in where texts are split have different hashes."""
    return hashlib.sha256(f"[{', '.join(map(quoted, parts))}]".encode()).hexdigest()[:32]  # as json.dumps, and faster
