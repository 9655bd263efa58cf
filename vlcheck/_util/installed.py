"""The packages that decide a score, as they are installed here.

The same weights give another number under another release of transformers, or beside a package that transformers takes
up where it finds it. So these versions are part of every kept score's key, and of a run's results.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path

from vlcheck._util.hashing import digest

ABSENT = "not installed"
DECIDING = (
    # Networks.
    "torch", "torchvision", "transformers", "timm",
    # What transformers takes up where it is there, without being asked: adapters, quantised weights, faster kernels.
    "peft", "accelerate", "bitsandbytes", "compressed-tensors", "torchao", "kernels", "flash-attn",
    "flash-linear-attention", "causal-conv1d", "mamba-ssm",
    # Texts: tokenizers, the files that they are made of, and the templates that a question is put into.
    "tokenizers", "sentencepiece", "tiktoken", "protobuf", "mistral-common", "jinja2",
    # Pictures.
    "pillow", "numpy",
)  # fmt: skip
_CODE = "vlcheck's code"
# The rooms whose code stands between a case and its score.
_OF_OURS = ("cases", "datasets", "metrics", "models", "perturb", "scoring")


def versions() -> dict[str, str]:
    """Return all that decides a score beside the model: the version of each package, whole, and our own code's digest.

    A version counts with all its parts: a patch release may mend a tokenizer, and a local label names another build.
    """
    named = dict.fromkeys(["vlcheck", *_bring_families(), *DECIDING])
    return {_CODE: _own_code()} | {name: _version(name) for name in named}


def key_of(installed: Mapping[str, str]) -> str:
    """Return the digest of versions, whatever order they are in."""
    return digest(*(f"{name} {found}" for name, found in sorted(installed.items())))


def differences(before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    """Yield what differs of the names that are in both, e.g. "transformers 5.23.0 before, 5.24.0 now"."""
    for name, found in now.items():
        if name in before and before[name] != found:
            yield f"{name} {before[name]} before, {found} now"


def _bring_families() -> list[str]:
    """The packages that register models, ours among them."""
    return sorted({entry.dist.name for entry in entry_points(group="vlcheck.models") if entry.dist})


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        found = find_spec(name.replace("-", "_"))  # a package that was never installed is imported all the same
        return "of unknown version" if found and found.origin else ABSENT


def _own_code() -> str:
    """Hash the code between a case and its score: between two releases the version stays as it is."""
    content = hashlib.sha256()
    house = Path(__file__).parents[1]
    for path in sorted(path for room in _OF_OURS for path in (house / room).rglob("*.py")):
        content.update(f"{path.relative_to(house).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return content.hexdigest()[:12]
