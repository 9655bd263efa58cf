"""Adapters of a checkpoint's weights, as PEFT saves them: a folder with adapter_config.json and adapter_model.*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from vlcheck._util.paths import expanded, there_is
from vlcheck.errors import UsageError, nearest, printable
from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.documents import check_documents
from vlcheck.models.loading.extents import check_sizes
from vlcheck.models.loading.folder import check_links, holds_model
from vlcheck.models.loading.folder_kinds import ADAPTER_CONFIG
from vlcheck.models.loading.layout import read_needed_json
from vlcheck.models.loading.parts import own_parts, part_files
from vlcheck.models.loading.weight_copies import check_copies

_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")  # the first that is there is read, as PEFT does
# Kinds that change layers of the network and nothing else, so that its inputs and caches mean what they meant.
KINDS = (
    *("ADALORA", "BOFT", "HRA", "IA3", "LN_TUNING", "LOHA", "LOKR", "LORA", "OFT", "RANDLORA", "TRAINABLE_TOKENS"),
    "VERA",
)
# Kinds that put vectors of their own before the texts, or into each attention.
_PROMPTS = (
    *("ADAPTION_PROMPT", "CARTRIDGE", "CPT", "MULTITASK_PROMPT_TUNING", "PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING"),
)
# Settings of LoRA that are no change of layers alone.
_UNUSUAL = {
    "alora_invocation_tokens": "it begins to act in the middle of a text",
    "arrow_config": "it chooses between adapters while it runs",
    "layer_replication": "it gives the network other layers than the config says",
}
# Beginnings of `init_lora_weights` by which PEFT changes the base's own weights when it attaches the adapter.
_CHANGES_BASE = ("corda", "loftq", "lora_ga", "olora", "pissa")
_SHORT_COMMIT = 7  # digits
_FEW = 2  # names that a description shows
_SAID = {  # settings that the description names -> their words
    "r": "r {}",
    "lora_alpha": "alpha {}",
    "rank_pattern": "with another r for {}",
    "alpha_pattern": "with another alpha for {}",
    "use_rslora": "rank-stabilised",
    "use_dora": "DoRA",
    "modules_to_save": "with {} saved whole",
    "trainable_token_indices": "with tokens of its own",
}


@dataclass(frozen=True)
class PeftAdapter:
    """An adapter on the disk.

    Attributes:
        folder: the folder of its files.
        name: the name in reports: the folder, or the hub id with the commit.
    """

    folder: Path
    name: str

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The content of adapter_config.json. Raises UsageError if it is missing, damaged, or not of a known kind."""
        path = self.folder / ADAPTER_CONFIG
        said = read_needed_json(path, "an adapter of PEFT has one")
        check_sizes(said, path)
        check_documents(self.folder)
        _check_kind(said, path)
        return said

    @property
    def kind(self) -> str:
        """The kind of adapter as PEFT names it, e.g. "LORA"."""
        return str(self.config["peft_type"])

    @property
    def base(self) -> str:
        """The folder or hub id that it was trained on. Raises UsageError if it names none."""
        said = self.config.get("base_model_name_or_path")
        if not isinstance(said, str) or not said:
            raise UsageError(
                f'{self.folder / ADAPTER_CONFIG}: names no base ("base_model_name_or_path" is {said!r}): say'
                f" BASE+{self.name}."
            )
        return said

    @property
    def revision(self) -> str:
        """The revision of the base that it was trained on; "" if it names none."""
        return str(self.config.get("revision") or "")

    @cached_property
    def file(self) -> Path:
        """The file of its weights. Raises UsageError if there is none."""
        if found := next((self.folder / name for name in _WEIGHTS if (self.folder / name).is_file()), None):
            return found
        raise UsageError(f"{self.folder}: no weights of an adapter; accepted: {', '.join(_WEIGHTS)}.")

    def weights(self) -> Mapping[str, Tensor]:
        """Read the weights.

        Raises:
            UsageError: they are damaged, or another file in the folder holds weights that PEFT does not read.
        """
        check_links(self.folder)
        if holds_model(self.folder):
            raise UsageError(
                f"{self.folder}: holds an adapter and a whole model, which would not be read: move the adapter's files"
                " to a folder of their own."
            )
        checkpoint = read_checkpoint(self.file)
        if checkpoint.wrapper:
            raise UsageError(f"{self.file}: its weights are under {checkpoint.wrapper!r}, where PEFT does not look.")
        check_copies(self.folder, self.file.name, checkpoint.weights, {self.file}, reader="PEFT")
        return checkpoint.weights

    def files(self) -> list[Path]:
        """Return the files that decide a score: config, weights, and parts of a processor."""
        return sorted({self.folder / ADAPTER_CONFIG, self.file, *part_files(self.folder)})

    def described(self, base: str, folder: Path, repository: str) -> str:
        """Describe the adapter in one line.

        Args:
            base: the name of the base that it is attached to.
            folder: the folder of the base.
            repository: the hub id of the base if the folder is in the hub's cache; "" for a folder of the user.

        Returns:
            Its kind, settings, name and base, the parts of a processor that its folder has, and the base or revision of
            its training if that is another one.
        """
        settings = " ".join([self.kind, *self._settings()])
        parts = own_parts(self.folder)
        beside = f", with its own {', '.join(parts)}" if parts else ""
        return f"{settings} of {self.name} on {base}, not merged{beside}{self._trained_on(folder, repository)}"

    def _settings(self) -> Iterator[str]:
        for key, words in _SAID.items():
            if value := self.config.get(key):
                yield printable(words.format(_named(value)), 80)

    def _trained_on(self, folder: Path, repository: str) -> str:
        """Return the base that it was trained on, if that is not the one that it is attached to; "" else."""
        trained = str(self.config.get("base_model_name_or_path") or "")
        here = there_is(trained) and expanded(trained).resolve() == folder.resolve()
        if trained and trained != repository and not here:
            return f"; trained on {printable(trained, 120)}"
        if repository and self.revision and not _names_commit(self.revision, folder):
            return f"; trained on revision {printable(self.revision, 80)}"
        return ""


def _names_commit(revision: str, snapshot: Path) -> bool:
    """Return True if a revision is that of a folder in the hub's cache: its commit, or a branch or tag that names it.

    Args:
        revision: a commit, the beginning of one, a branch or a tag.
        snapshot: the folder, REPOSITORY/snapshots/COMMIT; REPOSITORY/refs/BRANCH holds a commit.
    """
    named = snapshot.parent.parent / "refs" / revision
    short = len(revision) >= _SHORT_COMMIT and snapshot.name.startswith(revision)
    return short or (named.is_file() and named.read_text(errors="replace").strip() == snapshot.name)


def _named(value: object) -> object:
    """Return a setting as words; of settings of several layers, their number if they are many."""
    if not isinstance(value, list | dict):
        return value
    each = [f"{name} ({one})" for name, one in value.items()] if isinstance(value, dict) else [*map(str, value)]
    return " and ".join(each) if len(each) <= _FEW else f"{len(each)}, {each[0]} the first"


def is_adapter(folder: Path) -> bool:
    """Return True if a folder holds an adapter and no whole model."""
    return (folder / ADAPTER_CONFIG).is_file() and not holds_model(folder)


def _check_kind(config: Mapping[str, object], path: Path) -> None:
    """Refuse an adapter that changes more than layers. Raises UsageError."""
    kind = config.get("peft_type")
    merge = "merge it into its base (merge_and_unload) and name the merged model"
    if kind in _PROMPTS:
        raise UsageError(
            f"{path}: {kind} puts vectors of its own before the texts, and a model is asked with texts alone; accepted:"
            f" adapters that change layers ({', '.join(KINDS)})."
        )
    if not isinstance(kind, str) or kind not in KINDS:
        raise UsageError(f'{path}: "peft_type" is {kind!r}. {nearest(str(kind), KINDS)} Of any other kind, {merge}.')
    if unusual := next((key for key in _UNUSUAL if config.get(key)), ""):
        raise UsageError(f'{path}: has "{unusual}": {_UNUSUAL[unusual]}. Accepted: an adapter without it.')
    start = config.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(_CHANGES_BASE):
        raise UsageError(
            f'{path}: "init_lora_weights" is {start!r}, by which the base\'s own weights change: save it as a plain'
            f" LoRA (path_initial_model_for_weight_conversion of save_pretrained), or {merge}."
        )
