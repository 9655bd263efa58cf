"""Folders of the disk, and repositories of the hub, which are downloaded into its cache."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import list_repo_files, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from vlcheck._util.paths import expanded, there_is
from vlcheck._util.spec_grammar import Reference
from vlcheck.errors import UsageError
from vlcheck.models.loading.folder_kinds import ADAPTER_CONFIG, CONFIG, GGUF, NO_GGUF, not_a_folder

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
DECIDING = (  # files that decide a score
    *("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors", "*.bin"),
    *("qformer_tokenizer/*.json", "qformer_tokenizer/*.txt"),  # InstructBLIP's second tokenizer
)


@dataclass(frozen=True)
class Located:
    """A folder that a spec names.

    Attributes:
        folder: the folder; for a repository of the hub, that in its cache.
        place: the folder as it was written, or the hub id with the commit.
        repository: the hub id; "" for a folder of the user.
    """

    folder: Path
    place: Reference
    repository: str = ""


def locate(place: Reference, patterns: Sequence[str]) -> Located | None:
    """Find the folder that a place names; None if it is neither a folder nor a hub id.

    Args:
        place: a folder or a hub id, perhaps with its revision.
        patterns: patterns of the names of files that are downloaded.

    Raises:
        UsageError: the place is a file; the repository is unknown, or neither reachable nor in the cache; or it holds
            nothing but files of GGUF.
    """
    revision, folder = str(place.at), expanded(place.path)
    if not revision and there_is(place.path):
        if not folder.is_dir():
            raise UsageError(not_a_folder(folder))
        return Located(folder, place)
    if not _HUB_ID.fullmatch(place.path):
        return None
    folder = from_hub(place.path, revision or None, patterns)
    commit = folder.name  # the cache names a snapshot after its commit
    if not any((folder / name).is_file() for name in (CONFIG, ADAPTER_CONFIG)):
        _check_no_gguf(place.path, commit)
    return Located(folder, Reference("", place.path, commit), place.path)


def _check_no_gguf(repository: str, commit: str) -> None:
    """Refuse a repository whose weights are files of GGUF, which were not downloaded. Raises UsageError."""
    try:
        names = list_repo_files(repository, revision=commit)
    except Exception:  # noqa: BLE001 - without the hub, the folder's own message says what is missing
        return
    if found := [name for name in names if name.endswith(GGUF)]:
        raise UsageError(f"{repository}: holds {', '.join(sorted(found)[:3])}. {NO_GGUF}")


def from_hub(repository: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """Return the folder of a repository in the hub's cache; download its files if needed.

    Args:
        repository: OWNER/NAME.
        revision: branch, tag or commit; None for the newest.
        patterns: patterns of the files' names.

    Raises:
        UsageError: the hub has no such repository or does not give it, or it cannot be reached.
    """
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=[*patterns]))
    except GatedRepoError as error:
        raise UsageError(
            f"{repository}: the hub gives it only to users who accepted its terms: accept them on its page, then log in"
            " with `hf auth login` or HF_TOKEN."
        ) from error
    except RevisionNotFoundError as error:
        raise UsageError(f"{repository}: has no revision {revision!r} on the hub.") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UsageError(f"{repository}: neither a folder here nor a repository of the hub.") from error
    except (LocalEntryNotFoundError, OSError) as error:
        raise UsageError(
            f"{repository}: no folder of that name, not in the hub's cache, and the hub cannot be reached."
            " Name a folder with config, weights and processor files."
        ) from error
