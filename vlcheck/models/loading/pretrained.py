"""Checkpoints of transformers: a folder with config, weights and processor, or a repository of the hub."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, TypeVar, cast

import torch
from transformers import (
    AutoImageProcessor,
    AutoProcessor,
    AutoTokenizer,
    BaseImageProcessor,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    ProcessorMixin,
)
from transformers.utils import logging

from vlcheck._util.foreign_code import said_by
from vlcheck._util.foreign_files import read_json
from vlcheck._util.paths import expanded
from vlcheck._util.spec_grammar import Reference
from vlcheck.errors import UsageError, marked, parameter, printable
from vlcheck.models.loading.adapter import PeftAdapter, is_adapter
from vlcheck.models.loading.attach import attach
from vlcheck.models.loading.documents import check_documents, check_one_template
from vlcheck.models.loading.extents import check_sizes, filled_by
from vlcheck.models.loading.folder import check_files, check_no_adapter, weight_files
from vlcheck.models.loading.folder_kinds import ADAPTER_CONFIG, CONFIG, no_config
from vlcheck.models.loading.heeded import check_heeded
from vlcheck.models.loading.hub import DECIDING, Located, locate
from vlcheck.models.loading.hub import from_hub as from_hub  # of the families of original code
from vlcheck.models.loading.layout import naming
from vlcheck.models.loading.loaded import check_loaded
from vlcheck.models.loading.packages import needed
from vlcheck.models.loading.parts import combine, own_parts
from vlcheck.models.loading.quantized import (
    check_device,
    check_dtype,
    check_quantization,
    decompress,
    described,
    quantizations,
)
from vlcheck.models.loading.released import Released, mark
from vlcheck.models.loading.spec import ModelSpec
from vlcheck.models.loading.tokenizer import without_habits

_FILES = {  # files of the parts beside the weights
    "tokenizer": "tokenizer.json, tokenizer_config.json",
    "image processor": "preprocessor_config.json or processor_config.json",
    "processor": "processor_config.json, preprocessor_config.json, tokenizer.json",
}
# Settings by which a processor computes how many tokens stand for a picture.
_COUNTS = ("patch_size", "num_image_tokens", "vision_feature_select_strategy")
_PER_BYTE = 8  # the most weights in a byte: quantized to a bit each
_Network = TypeVar("_Network", bound=PreTrainedModel)
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Pretrained:
    """A checkpoint of transformers on the disk.

    Attributes:
        folder: the folder of its files.
        name: the name in reports: the folder, or the hub id with the commit.
        detector: the path after `,regions=`; "" if there is none.
        trusted: True if Python code that comes with the checkpoint may run.
        repository: the hub id if the folder is in the hub's cache; "" for a folder of the user.
        adapter: the adapter of its weights; None if there is none.
        base: the name of the folder beside an adapter: its path, or the hub id with the commit.
    """

    folder: Path
    name: str
    detector: str = ""
    trusted: bool = False
    repository: str = ""
    adapter: PeftAdapter | None = None
    base: str = ""

    options: ClassVar[tuple[str, ...]] = ("regions",)  # options that may follow it in a spec

    @classmethod
    def find(cls, parsed: ModelSpec, *, trusted: bool = False) -> Pretrained | None:
        """Find the checkpoint that a spec names by a folder or a hub id; None if it names neither.

        The folder of an adapter alone means the adapter with the base that its config names.

        Args:
            parsed: the spec.
            trusted: True if Python code that comes with the checkpoint may run.

        Raises:
            UsageError: the spec names a file; a repository is unknown, or is neither reachable nor in the cache; or
                an adapter or its base is not there.
        """
        found = locate(Reference("", parsed.path, parsed.revision), _deciding(trusted))
        if parsed.adapter:
            base, attached = _demanded(found, parsed.path), _demanded(locate(parsed.adapter, DECIDING), parsed.adapter)
        elif found and is_adapter(found.folder):
            base, attached = base_of(found, _deciding(trusted)), found
        elif found:
            name = parsed.at(found.place) if found.repository else parsed.said
            return cls(found.folder, name, parsed.regions, trusted, found.repository)
        else:
            return None
        adapter = PeftAdapter(attached.folder, str(attached.place))
        name = parsed.at(base.place, attached.place)
        return cls(base.folder, name, parsed.regions, trusted, base.repository, adapter, str(base.place))

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The content of config.json. Raises UsageError if there is none."""
        path = self.folder / CONFIG
        if not os.path.lexists(path):
            check_no_adapter(self.folder)
            raise UsageError(no_config(self.folder))
        config = read_json(path)
        if not isinstance(config, dict):
            raise UsageError(f"{path}: not a config, but {type(config).__name__}.")
        check_documents(self.folder)
        check_sizes(config, path)
        return config

    @property
    def architecture(self) -> str:
        """The class of transformers that the config names. Raises UsageError unless it names exactly one."""
        match self.config.get("architectures"):
            case [str(name)]:
                return name
            case said:
                raise UsageError(
                    f'{self.folder / CONFIG}: "architectures" is {said!r}; it has to name one, e.g. ["BlipModel"].'
                )

    def network(
        self,
        cls: type[_Network],
        *,
        device: str,
        dtype: str,
        optional: tuple[str, ...] = (),
        unread: tuple[str, ...] = (),
        **settings: object,
    ) -> tuple[_Network, set[str]]:
        """Load the network. A checkpoint that lacks a weight is refused: transformers would fill it at random.

        Args:
            cls: a class of transformers.
            device: a torch device, or "auto" for all devices.
            dtype: a torch dtype, e.g. "bfloat16".
            optional: prefixes of names of weights; a checkpoint may lack all weights with such a prefix, but not some.
            unread: prefixes of names of weights that a checkpoint may have, and that no score depends on.
            settings: settings that replace those of the checkpoint's config.

        Returns:
            The network in evaluation mode, and those prefixes in `optional` whose weights the checkpoint lacks.

        Raises:
            UsageError: weights are missing, unknown, damaged or of other shapes than the config says.
        """
        file = str(self.folder / CONFIG)
        check_quantization(self.config, file)
        check_device(self.config, file, device)
        with self._keeping_cache():
            formats = check_files(self.folder, self.config, used=(expanded(self.detector),))
        network, loading = self._filled(cls, len(formats), dtype, {**self._placed(device), **settings})
        with naming(self.folder):
            lacking = check_loaded(network, self.config, loading, formats, optional, unread)
        check_dtype(network, self.config, file, dtype)
        return self._ready(network, device), lacking

    def _filled(
        self, cls: type[_Network], weights: int, dtype: str, settings: Mapping[str, object]
    ) -> tuple[_Network, dict[str, Any]]:
        """Return the network with the weights of the files, and what transformers tells of loading them.

        Args:
            cls: a class of transformers.
            weights: number of weights in the files.
            dtype: a torch dtype.
            settings: further arguments of transformers' loading.

        Raises:
            UsageError: transformers cannot load it.
        """
        held = sum(path.stat().st_size for path in weight_files(self.folder, self.config))
        load = cast(Callable[..., tuple[_Network, dict[str, Any]]], cls.from_pretrained)
        try:
            with _quiet(), filled_by(_PER_BYTE * held, weights):
                return load(
                    self.folder,
                    dtype=getattr(torch, dtype),
                    local_files_only=True,
                    trust_remote_code=self.trusted,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,  # `check_loaded` reports them, with the missing ones
                    **settings,
                )
        except UsageError as error:
            raise UsageError(f"{self.folder / CONFIG}: {marked(error)}") from error
        except Exception as error:  # damaged files raise errors of any kind
            raise UsageError(f"{self.folder}: the weights cannot be loaded. {_first_line(error)}") from error

    def _ready(self, network: _Network, device: str) -> _Network:
        """Return a network on its device, unpacked, with its adapter, and in evaluation mode."""
        if not self._placed(device) and network.device != torch.device(device):
            network.to(torch.device(device))  # type: ignore[arg-type]  # of nn.Module.to, which transformers wraps
        decompress(network)
        if self.adapter:
            attach(network, self.adapter)
        self._mark(network)
        network.eval()  # type: ignore[no-untyped-call]
        return network.requires_grad_(requires_grad=False)

    def _placed(self, device: str) -> dict[str, object]:
        """Return how transformers places the weights; quantized ones cannot be moved after they are loaded."""
        if device == "auto":
            return {"device_map": "auto"}
        return {"device_map": {"": device}} if any(quantizations(self.config)) and device != "cpu" else {}

    def _mark(self, network: PreTrainedModel) -> None:
        """Say with the network how its weights were released."""
        adapter = self.adapter.described(self.base, self.folder, self.repository) if self.adapter else ""
        mark(network, Released(adapter, described(network, self.config)))

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Load the tokenizer, changed by `without_habits`. Raises UsageError if its files are missing or damaged."""
        with self._parts() as folder:
            loaded: PreTrainedTokenizerBase = self._part("tokenizer", AutoTokenizer.from_pretrained, folder)
            self._check_vocabulary(loaded, folder)
        return without_habits(loaded)

    def image_processor(self) -> BaseImageProcessor:
        """Load the image processor. Raises UsageError if its file is missing or damaged."""
        with self._parts() as folder:
            loaded: BaseImageProcessor = self._part("image processor", AutoImageProcessor.from_pretrained, folder)
            check_heeded(folder, loaded)
        return loaded

    def processor(self) -> ProcessorMixin:
        """Load the processor of texts and pictures. Raises UsageError if its files are missing or damaged."""
        with self._parts() as folder:
            with self._keeping_cache():
                check_one_template(folder)
            loaded = self._part("processor", AutoProcessor.from_pretrained, folder)
            if not isinstance(loaded, ProcessorMixin):  # transformers loads a part if the whole processor is missing
                raise UsageError(f"{self.folder}: no processor can be loaded, only a {type(loaded).__name__}.")
            self._check_vocabulary(loaded.tokenizer, folder)
            check_heeded(folder, loaded)
        self._check_counts(loaded)
        without_habits(loaded.tokenizer)
        return loaded

    def _check_counts(self, processor: ProcessorMixin) -> None:
        """Check that the settings are there that give the number of a picture's tokens: old folders lack them."""
        if unsaid := [name for name in _COUNTS if getattr(processor, name, "") is None]:
            vision = self.config.get("vision_config", {})
            said = {name: self.config.get(name, vision.get(name)) for name in unsaid}
            known = ", ".join(f'"{name}": {json.dumps(value)}' for name, value in said.items() if value is not None)
            raise UsageError(
                f"{self.folder / 'processor_config.json'}: has to state {', '.join(unsaid)}, which give the number of"
                f" tokens of a picture{f'; {CONFIG} has {known}' if known else ''}. State num_additional_image_tokens"
                " as well: 1 if the vision network has a class token, as CLIP's has."
            )

    def _check_vocabulary(self, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
        """Check that the tokenizer's files are there: without them, transformers makes an empty tokenizer."""
        files = sorted({"tokenizer.json", *tokenizer.vocab_files_names.values()})
        if not any((folder / name).exists() for name in files):
            raise UsageError(f"{self.folder}: no tokenizer; one of {', '.join(files)} belongs beside the weights.")

    @contextmanager
    def _parts(self) -> Iterator[Path]:
        """Yield the folder that tokenizer and processor are loaded from: a copy if an adapter has some of its own."""
        if not self.adapter or not own_parts(self.adapter.folder):
            yield self.folder
            return
        with TemporaryDirectory(prefix="vlcheck-parts-") as combined:
            combine(self.folder, self.adapter.folder, Path(combined))
            yield Path(combined)

    def _part(self, what: str, load: Callable[..., _Part], folder: Path) -> _Part:
        try:
            return load(folder, local_files_only=True, trust_remote_code=self.trusted)
        except Exception as error:  # missing and damaged files raise errors of many kinds
            raise UsageError(
                f"{self.folder}: no {what} can be loaded; its files ({_FILES[what]}) belong beside the weights."
                f" {needed(folder, said_by(error))}{_first_line(error)}"
            ) from error

    @contextmanager
    def _keeping_cache(self) -> Iterator[None]:
        """Add to an error, if the folder is in the hub's cache, how to get a copy whose files may be changed."""
        try:
            yield
        except UsageError as error:
            if not self.repository:
                raise
            raise UsageError(
                f"{marked(error)} This folder is in the hub's cache, which must not be changed: download a copy (hf"
                f" download {self.repository} --revision {self.folder.name} --local-dir DIR), change it, and name it."
            ) from error

    def fingerprint(self, *more: str) -> str:
        """Hash the content of all files that decide a score, those of an adapter among them.

        Args:
            more: further texts that decide a score, such as dtype and prompts.

        Returns:
            A SHA-256 in hexadecimal digits.
        """
        content = hashlib.sha256(repr(more).encode())
        beside = (path for pattern in _deciding(self.trusted) for path in self.folder.glob(pattern) if path.is_file())
        own = {(path, self.folder) for path in {*beside, *weight_files(self.folder, self.config)}}
        attached = {(path, self.adapter.folder) for path in self.adapter.files()} if self.adapter else set()
        for path, folder in [*sorted(own), *sorted(attached)]:
            with path.open("rb") as file:
                name, held = os.path.relpath(path, folder), hashlib.file_digest(file, "sha256").hexdigest()
                content.update(f"{name} {held}".encode())
        return content.hexdigest()


def base_of(adapter: Located, patterns: Sequence[str]) -> Located:
    """Find the base that an adapter's config names.

    Args:
        adapter: the adapter.
        patterns: patterns of the names of the base's files.

    Raises:
        UsageError: the config names none, or the base is not there.
    """
    said = PeftAdapter(adapter.folder, str(adapter.place))
    try:
        return _demanded(locate(Reference("", said.base, said.revision), patterns), said.base)
    except UsageError as error:
        raise UsageError(
            f"{adapter.folder / ADAPTER_CONFIG}: its base is not here: {marked(error)} Say BASE+{said.name}, where BASE"
            " is the folder or hub id of the model that it was trained on."
        ) from error


def _demanded(found: Located | None, said: object) -> Located:
    """Return what was found. Raises UsageError if nothing was."""
    if found is None:
        raise UsageError(
            f"{printable(str(said))}: neither a folder here nor a hub id. Say BASE+ADAPTER; a path with + is written in"
            " double quotes."
        )
    return found


def _deciding(trusted: bool) -> tuple[str, ...]:
    """Return the patterns of files that decide a score; Python files decide only if they may run."""
    return (*DECIDING, "*.py") if trusted else DECIDING


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence progress bars and warnings of transformers: problems with the weights are reported by vlcheck."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    """Return the class and the first line of an error; for code that may not run, how to allow it."""
    text = said_by(error)
    said = text.strip().splitlines()
    if "trust_remote_code" in text:
        allows = parameter("trust_remote_code")
        return f"It needs to run code of its own: read the code, and set {allows} if it may run. {said[0][:300]}"
    return f"{type(error).__name__}: {said[0][:300] if said else ''}"
