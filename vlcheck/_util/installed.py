"""The installed versions of the packages that influence scores.

The same weights can give another score under another release of transformers, or beside a package that transformers
uses if it is installed. The versions are therefore part of every stored score's key, and of a run's results.
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
    # Packages that transformers uses whenever they are installed: adapters, quantized weights, faster kernels.
    "peft", "accelerate", "bitsandbytes", "compressed-tensors", "torchao", "kernels", "flash-attn",
    "flash-linear-attention", "causal-conv1d", "mamba-ssm", "gptqmodel", "hqq", "optimum", "optimum-quanto",
    # Texts: tokenizers, the formats of their files, and templates of questions.
    "tokenizers", "sentencepiece", "tiktoken", "protobuf", "mistral-common", "jinja2",
    # Pictures.
    "pillow", "numpy",
)  # fmt: skip
_CODE = "vlcheck's code"
# The rooms whose code stands between a case and its score.
_OF_OURS = ("cases", "datasets", "metrics", "models", "perturb", "scoring")


def versions() -> dict[str, str]:
    """Return everything that influences a score beside the model: package versions, and a hash of vlcheck's own code.

    Versions are compared in full: a patch release may change a tokenizer, and a local label names another build.
    """
    named = dict.fromkeys(["vlcheck", *_bring_families(), *DECIDING])
    return {_CODE: _own_code()} | {name: _version(name) for name in named}


def versions_key(installed: Mapping[str, str]) -> str:
    """Return a hash of versions that does not depend on their order."""
    return digest(*(f"{name} {found}" for name, found in sorted(installed.items())))


def version_changes(before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    """Yield the differences in names that both have, e.g. "transformers 5.23.0 before, 5.24.0 now".

    Args:
        before: versions by name.
        now: versions by name.
    """
    for name, found in now.items():
        if name in before and before[name] != found:
            yield f"{name} {before[name]} before, {found} now"


def _bring_families() -> list[str]:
    """Return the packages that register models, vlcheck among them."""
    return sorted({entry.dist.name for entry in entry_points(group="vlcheck.models") if entry.dist})


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        found = find_spec(name.replace("-", "_"))  # a package that was never installed is imported all the same
        return "of unknown version" if found and found.origin else ABSENT


def _own_code() -> str:
    """Hash the code between a case and its score; the version number stays the same between two releases."""
    content = hashlib.sha256()
    house = Path(__file__).parents[1]
    for path in sorted(path for room in _OF_OURS for path in (house / room).rglob("*.py")):
        content.update(f"{path.relative_to(house).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return content.hexdigest()[:12]
