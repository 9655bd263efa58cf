"""A checkpoint as transformers keeps it: a folder with config, weights and processor, or a repository of the hub."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
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
from vlcheck._util.paths import expanded, there_is
from vlcheck._util.spec_grammar import Reference, Single
from vlcheck.errors import UsageError, parameter
from vlcheck.models.loading.extents import check_sizes, filled_by
from vlcheck.models.loading.folder import (
    CONFIG,
    check_documents,
    check_files,
    check_no_adapter,
    check_one_template,
    no_config,
    not_a_folder,
    weight_files,
)
from vlcheck.models.loading.layout import naming
from vlcheck.models.loading.loaded import check_loaded, check_quantization
from vlcheck.models.loading.packages import needed
from vlcheck.models.loading.tokenizer import without_habits

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_DECIDING = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors", "*.bin")  # files that decide a score
_FILES = {  # of the parts beside the weights
    "tokenizer": "tokenizer.json, tokenizer_config.json",
    "image processor": "preprocessor_config.json or processor_config.json",
    "processor": "processor_config.json, preprocessor_config.json, tokenizer.json",
}
# What a processor has to be told to know how many tokens stand for a picture.
_COUNTS = ("patch_size", "num_image_tokens", "vision_feature_select_strategy")
_PER_BYTE = 8  # weights, where they are quantized to a bit each
_Network = TypeVar("_Network", bound=PreTrainedModel)
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Pretrained:
    """A checkpoint on the disk.

    Attributes:
        folder: where its files are.
        name: how reports call it: the folder, or the hub's id with the commit that was read.
        detector: the path that `,regions=` says, for a model that reads regions.
        trusted: whether Python code that comes with the checkpoint may run.
        repository: of the hub, in whose cache the folder is; "" where the folder is the user's.
    """

    folder: Path
    name: str
    detector: str = ""
    trusted: bool = False
    repository: str = ""

    options: ClassVar[tuple[str, ...]] = ("regions",)  # that may be said after it

    @classmethod
    def find(cls, parsed: Single, *, trusted: bool = False) -> Pretrained | None:
        """The checkpoint of a folder, or of a hub id with or without `@REVISION`; None where a spec is neither.

        Args:
            parsed: the folder or id, and the options.
            trusted: whether Python code that comes with the checkpoint may run.

        Raises:
            UsageError: it is a file; the repository is unknown, or cannot be reached and is not in the cache.
        """
        what, detector = parsed.what, dict(parsed.options).get("regions", "")
        if not isinstance(what, Reference):
            return None
        folder = expanded(what.path)
        if not what.at and there_is(what.path):
            if not folder.is_dir():
                raise UsageError(not_a_folder(folder))
            return cls(folder, parsed.said, detector, trusted)
        if not _HUB_ID.fullmatch(what.path):
            return None
        folder = _from_hub(what.path, str(what.at) or None, _deciding(trusted))
        commit = folder.name  # the cache calls a snapshot after its commit
        return cls(folder, str(Single(Reference("", what.path, commit), parsed.options)), detector, trusted, what.path)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What config.json says. Raises UsageError where there is none."""
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
        """The name of the class whose weights these are. Raises UsageError where the config does not say."""
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
        """Load the weights, all of them: one that the file lacks would be drawn by lot.

        Args:
            cls: of transformers.
            device: a torch device, or "auto", all that there are.
            dtype: a torch dtype.
            optional: how names of weights begin that a checkpoint may lack, all of them or none.
            unread: how names of weights begin that a checkpoint may have, and no score depends on.
            settings: of the config, in place of the checkpoint's.

        Returns:
            The network, in evaluation mode, and those of `optional` that it lacks.

        Raises:
            UsageError: weights are missing, damaged or of other shapes than the config says, or there are others.
        """
        check_quantization(self.config, str(self.folder / CONFIG))
        with self._keeping_cache():
            formats = check_files(self.folder, self.config, used=(expanded(self.detector),))
        held = sum(path.stat().st_size for path in weight_files(self.folder, self.config))
        placed = {"device_map": "auto"} if device == "auto" else {}
        try:
            load = cast(Callable[..., tuple[_Network, dict[str, Any]]], cls.from_pretrained)
            with _quiet(), filled_by(_PER_BYTE * held, len(formats)):
                network, loading = load(
                    self.folder,
                    dtype=getattr(torch, dtype),
                    local_files_only=True,
                    trust_remote_code=self.trusted,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,  # so that they are told below, with those that are missing
                    **placed,
                    **settings,
                )
        except UsageError as error:
            raise UsageError(f"{self.folder / CONFIG}: {error}") from error
        except Exception as error:  # what damaged files raise is of any kind
            raise UsageError(f"{self.folder}: the weights cannot be loaded. {_first_line(error)}") from error
        with naming(self.folder):
            lacking = check_loaded(network, self.config, loading, formats, optional, unread)
        if not placed:
            network.to(torch.device(device))  # type: ignore[arg-type]  # of nn.Module.to, which transformers wraps
        network.eval()  # type: ignore[no-untyped-call]
        return network.requires_grad_(requires_grad=False), lacking

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Load the tokenizer, without its habits. Raises UsageError where its files are missing or damaged."""
        loaded: PreTrainedTokenizerBase = self._part("tokenizer", AutoTokenizer.from_pretrained)
        self._check_vocabulary(loaded)
        return without_habits(loaded)

    def image_processor(self) -> BaseImageProcessor:
        """Load what turns pictures to pixels. Raises UsageError where its file is missing or damaged."""
        loaded: BaseImageProcessor = self._part("image processor", AutoImageProcessor.from_pretrained)
        return loaded

    def processor(self) -> ProcessorMixin:
        """Load what reads text and pictures together. Raises UsageError where its files are missing or damaged."""
        with self._keeping_cache():
            check_one_template(self.folder)
        loaded = self._part("processor", AutoProcessor.from_pretrained)
        if not isinstance(loaded, ProcessorMixin):  # transformers takes a part of it where the whole is not there
            raise UsageError(f"{self.folder}: no processor can be loaded, but a {type(loaded).__name__} alone.")
        self._check_vocabulary(loaded.tokenizer)
        self._check_counts(loaded)
        without_habits(loaded.tokenizer)
        return loaded

    def _check_counts(self, processor: ProcessorMixin) -> None:
        """Folders of before 2025 leave to the network how many tokens stand for a picture; transformers 5 does not."""
        if unsaid := [name for name in _COUNTS if getattr(processor, name, "") is None]:
            vision = self.config.get("vision_config", {})
            said = {name: self.config.get(name, vision.get(name)) for name in unsaid}
            known = ", ".join(f'"{name}": {json.dumps(value)}' for name, value in said.items() if value is not None)
            raise UsageError(
                f"{self.folder / 'processor_config.json'}: has to say {', '.join(unsaid)}, by which the tokens of a"
                f" picture are counted{f'; {CONFIG} has {known}' if known else ''}. Say num_additional_image_tokens"
                " as well: 1 where the vision network has a class token, as CLIP's."
            )

    def _check_vocabulary(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Transformers makes an empty tokenizer where its files are missing, to which all words are one."""
        files = sorted({"tokenizer.json", *tokenizer.vocab_files_names.values()})
        if not any((self.folder / name).exists() for name in files):
            raise UsageError(f"{self.folder}: no tokenizer; one of {', '.join(files)} belongs beside the weights.")

    def _part(self, what: str, load: Callable[..., _Part]) -> _Part:
        try:
            return load(self.folder, local_files_only=True, trust_remote_code=self.trusted)
        except Exception as error:  # missing and damaged files raise errors of many kinds
            raise UsageError(
                f"{self.folder}: no {what} can be loaded; its files ({_FILES[what]}) belong beside the weights."
                f" {needed(self.folder, said_by(error))}{_first_line(error)}"
            ) from error

    @contextmanager
    def _keeping_cache(self) -> Iterator[None]:
        """Say where files can be changed: the hub's cache is not for that."""
        try:
            yield
        except UsageError as error:
            if not self.repository:
                raise
            raise UsageError(
                f"{error} This folder is the hub's cache, which no file is taken from: download it to a folder (hf"
                f" download {self.repository} --revision {self.folder.name} --local-dir DIR), change that, and name it."
            ) from error

    def fingerprint(self, *more: str) -> str:
        """Hash the content of all files that decide a score, and what else does."""
        content = hashlib.sha256(repr(more).encode())
        beside = (path for pattern in _deciding(self.trusted) for path in self.folder.glob(pattern) if path.is_file())
        for path in sorted({*beside, *weight_files(self.folder, self.config)}):
            with path.open("rb") as file:
                content.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}".encode())
        return content.hexdigest()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bars and its advice to train: what is wrong with the weights is told here."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _from_hub(repository: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """The folder of the hub's cache that holds a repository's files."""
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=[*patterns]))
    except GatedRepoError as error:
        raise UsageError(
            f"{repository}: the hub gives it to those alone who accepted its terms: do so on its page, then say who you"
            " are with `hf auth login` or HF_TOKEN."
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


def _deciding(trusted: bool) -> tuple[str, ...]:
    """The files that decide a score; code is one of them only where it may run."""
    return (*_DECIDING, "*.py") if trusted else _DECIDING


def _first_line(error: Exception) -> str:
    text = said_by(error)
    said = text.strip().splitlines()
    if "trust_remote_code" in text:
        allows = parameter("trust_remote_code")
        return f"It wants to run code of its own: read it, and say {allows} where it may. {said[0][:300]}"
    return f"{type(error).__name__}: {said[0][:300] if said else ''}"
