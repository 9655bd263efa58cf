"""Load models: registered families, checkpoints of transformers, and factories of a user."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import cast

from vlcheck._util.foreign_code import contained, describe_error, displaced, importable
from vlcheck._util.gpus import no_gpu
from vlcheck._util.hashing import digest
from vlcheck._util.paths import expanded, there_is
from vlcheck._util.spec_grammar import Factory
from vlcheck._util.spec_secrets import refuse_secrets
from vlcheck.cases.case import MASK
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument, demand_type, marked, nearest
from vlcheck.metrics.registry import DEFAULT_KINDS, KINDS, OF_MODELS
from vlcheck.models.loading.foreign_model import ForeignModel
from vlcheck.models.loading.pair import Pair
from vlcheck.models.loading.registry import registered_families, registered_tasks, registered_wrappers
from vlcheck.models.loading.spec import ModelSpec, parse
from vlcheck.models.protocol import VisionLanguageModel, Wrapping

DTYPES = ("bfloat16", "float16", "float32", "float64")
DEVICES = "cpu, cuda, cuda:N, mps"
AUTO = "auto"  # spreads a model over all devices

_NO_ADAPTER = (
    "an adapter is attached to checkpoints of transformers alone, and {} is none. Name the model without +ADAPTER"
)
_CURE = "; a module of a package is named by it, as package.module:factory"

Loader = Callable[..., object]  # takes device and dtype by keyword, returns a model


def load_model(
    spec: str, *, device: str = "cpu", dtype: str = "float32", trust_remote_code: bool = False
) -> VisionLanguageModel:
    """Load a model by its spec.

    A spec is one of these; `vlcheck._util.spec_grammar` has the grammar:

    - a folder or a hub id of a transformers checkpoint, e.g. "Salesforce/blip-itm-base-coco";
    - `BASE+ADAPTER`, such a checkpoint and the folder or hub id of an adapter of PEFT; or the adapter's alone, which
      names its base;
    - `FAMILY:PATH`, e.g. "albef:ALBEF_4M.pth": a family that is registered under the entry-point group
      `vlcheck.models`, and the checkpoint that it loads;
    - `package.module:factory` or `path/to/file.py:factory`: a function that is called with `device` and `dtype` as
      texts and returns a model, of which `kinds` and `top` are optional;
    - `itm=SPEC,mlm=SPEC`, for a family whose heads are in two checkpoints;
    - `WRAPPER:SPEC`, e.g. "symmetrised:tiny": a wrapper that is registered under the entry-point group
      "vlcheck.wrappers", and the model that it asks.

    The spec of a model that reads regions ends with their detector, `SPEC,regions=DETECTOR`: see
    `vlcheck.models.regions.regions`.

    Args:
        spec: the spec.
        device: "cpu", "cuda", "cuda:N", "mps", or "auto" to spread a generative model over all devices.
        dtype: one of DTYPES.
        trust_remote_code: True if Python code that comes with a checkpoint may run.

    Raises:
        UsageError: there is no such model, device or dtype, or a factory cannot be called or returns no model.

    Example:
        >>> sorted(load_model("tiny").metrics)
        ['itm', 'mlm']
    """
    demand_type("model", spec, str, "a spec, e.g. 'tiny'")
    demand_type("dtype", dtype, str, f"one of {', '.join(DTYPES)}")
    demand_type("device", device, str, f"one of {DEVICES}, {AUTO}")
    refuse_secrets(spec)
    _check_dtype(dtype)
    _check_device(device)
    families = registered_families()
    parsed = parse(spec, families, registered_wrappers())
    if dtype == "float32" and device.startswith("cuda"):
        _round_nothing()
    with _no_garbage():
        load = partial(_load, families=families, device=device, dtype=dtype, trusted=trust_remote_code)
        return _load_checked(parsed, load)


def as_model(model: object) -> VisionLanguageModel:
    """Return an object as a model. Raises UsageError if it does not keep the model protocol."""
    return _checked(model, type(model).__name__)


def _load_checked(parsed: ModelSpec, load: Callable[[ModelSpec], object]) -> VisionLanguageModel:
    """Load the model of a spec, or the models that it consists of.

    Args:
        parsed: the spec.
        load: loads a model that is neither a pair nor wrapped.

    Raises:
        UsageError: a model cannot be loaded.
    """
    if not parsed.heads and not parsed.inner:
        return _checked(load(parsed), parsed.said)
    try:
        made = _wrapped(parsed.wrapper, _load_checked(parsed.inner, load)) if parsed.inner else _pair(parsed, load)
    except UsageError as error:
        raise UsageError(f"{_option(parsed.said)}: {marked(error)}") from error
    return _checked(made, parsed.said)


def _pair(parsed: ModelSpec, load: Callable[[ModelSpec], object]) -> Pair:
    return Pair({metric: _load_checked(part, load) for metric, part in parsed.heads})


def _wrapped(wrapper: str, model: VisionLanguageModel) -> object:
    """Return the model that a wrapper makes of another one.

    Raises:
        UsageError: the wrapper cannot be imported, or does not take the model.
    """
    with _foreign(f"{wrapper} cannot be imported."):
        wrap = registered_wrappers()[wrapper].load()
    with _foreign(f"{wrapper} does not take {model.name}."):
        return wrap(model)


@contextmanager
def _foreign(what: str) -> Iterator[None]:
    """Raise UsageError in place of any other error of foreign code that runs inside."""
    try:
        with contained():
            yield
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{what} {error}") from error


def _load(parsed: ModelSpec, *, families: Mapping[str, EntryPoint], device: str, dtype: str, trusted: bool) -> object:
    spec, loader = parsed.said, _loader(parsed, families, trusted)
    if loader is None:
        forms = (
            "a folder or hub id of a transformers checkpoint, BASE+ADAPTER, FAMILY:PATH (e.g. albef:ALBEF_4M.pth),"
            " package.module:factory, path/to/file.py:factory, itm=SPEC,mlm=SPEC, WRAPPER:SPEC; a name with , or @ or"
            " = or + is written in double quotes"
        )
        said = spec.partition(":")[0]
        known = nearest(said, [name for name in (*families, *registered_wrappers()) if name[0].islower()])
        what = "no such folder." if said.startswith(("/", ".", "~")) else f"no such model. {known}"
        raise UsageError(f"{_option(spec)}: {what} Accepted: {forms}.")
    if device == AUTO and not _spreads(loader):
        raise UsageError(f"{argument('device', AUTO)}: {spec!r} is not spread over devices. Accepted: {DEVICES}.")
    try:
        with contained():  # a factory is foreign code; panics of Rust libraries do not derive from Exception
            return loader(device=device, dtype=dtype)
    except UsageError as error:
        raise UsageError(f"{_option(spec)}: {marked(error)}") from error
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{_option(spec)}: cannot be loaded. {error}") from error


def _round_nothing() -> None:
    """Let float32 be float32 on a GPU: PyTorch lets convolutions round to the 10 bits of TF32 unless it is told."""
    import torch  # as in _check_device

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Switch garbage collection off during the import of a library, which makes it a third faster.

    The objects of the first imported libraries are also left out of later collections, since they live as long as the
    process.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        if enabled:
            gc.enable()


def _loader(parsed: ModelSpec, families: Mapping[str, EntryPoint], trusted: bool) -> Loader | None:
    """Return the function that loads the model of a spec; None if there is none."""
    if parsed.factory:
        _demand_options(parsed, ())
        importable(Path.cwd())
        find = _in_file if parsed.factory.in_file else _in_module
        return find(parsed.factory, parsed.said)
    return _registered(parsed, families) if parsed.family else _pretrained(parsed, families, trusted)


def _registered(parsed: ModelSpec, families: Mapping[str, EntryPoint]) -> Loader:
    """Return the loader of a registered family, bound to the path and the options of the spec."""
    spec = parsed.said
    before, adapted, _ = parsed.path.partition("+")
    if adapted and there_is(before) and not there_is(parsed.path):
        raise UsageError(f"{_option(spec)}: {_NO_ADAPTER.format(f'{parsed.family}:{before}')}.")
    if parsed.family[0].isupper():
        raise UsageError(
            f"{_option(spec)}: {parsed.family} is chosen by the config of a checkpoint: name only the folder or hub id."
        )
    with _importing(families[parsed.family].value, spec):
        load = families[parsed.family].load()
    if not any(one.kind is one.VAR_KEYWORD for one in inspect.signature(load).parameters.values()):
        _demand_options(parsed, _keywords(load))
    return partial(load, parsed.path, **dict(parsed.options))


def _keywords(load: Loader) -> list[str]:
    """Return the names of a loader's keyword parameters: options that its models take in a spec."""
    return [one.name for one in inspect.signature(load).parameters.values() if one.kind is one.KEYWORD_ONLY]


def _demand_options(parsed: ModelSpec, known: Iterable[str]) -> None:
    """Raise UsageError if the spec has an option that the model does not take."""
    names = [name for name in known if name not in ("device", "dtype")]
    for key, _ in parsed.options:
        if key not in names:
            takes = nearest(key, names) if names else "It takes no options."
            raise UsageError(
                f"{_option(parsed.said)}: {parsed.named} has no option {key!r}. {takes} A path with ,{key}= is written"
                " in double quotes."
            )


def _pretrained(parsed: ModelSpec, families: Mapping[str, EntryPoint], trusted: bool) -> Loader | None:
    """Return the loader of the architecture that the config of a checkpoint names; None if there is no checkpoint."""
    from vlcheck.models.loading.other_layouts import family_of  # imports torch
    from vlcheck.models.loading.pretrained import Pretrained  # imports transformers
    from vlcheck.models.loading.tasks import check_type, mapped_loader  # imports transformers

    spec = parsed.said
    if parsed.path.endswith(".py"):
        raise UsageError(f"{_option(spec)}: is a Python file: name a function or class in it, {parsed.path}:NAME.")
    try:
        if parsed.adapter and parsed.path in families and not there_is(parsed.path):
            raise UsageError(f"{_NO_ADAPTER.format(parsed.path)}.")
        checkpoint = Pretrained.find(parsed, trusted=trusted)
        if checkpoint is None:
            return None
        if family := family_of(checkpoint.folder):
            if checkpoint.adapter:
                what = f"{checkpoint.base}, a folder of {family},"
                raise UsageError(f"{checkpoint.adapter.name}: {_NO_ADAPTER.format(what)}.")
            path = str(checkpoint.folder) if parsed.revision else parsed.path
            return _registered(replace(parsed, family=family, path=path), families)
        architecture = checkpoint.architecture
        check_type(checkpoint.config)
        entry = families.get(architecture) or mapped_loader(checkpoint.config, registered_tasks(), families)
    except (UsageError, OSError) as error:  # OSError: the folder may not be read
        raise UsageError(f"{_option(spec)}: {marked(error)}") from error
    load = entry.load()
    own = _keywords(load)
    _demand_options(parsed, (*Pretrained.options, *own))
    return partial(load, checkpoint, **{key: value for key, value in parsed.options if key in own})


def _in_file(factory: Factory, spec: str) -> Loader:
    try:
        path = expanded(factory.where)
    except UsageError as error:
        raise UsageError(f"{_option(spec)}: {marked(error)}") from error
    if not there_is(factory.where) or not path.is_file():
        raise UsageError(f"{_option(spec)}: {path}: no such file.")
    return _factory(_import_file(path, spec), factory.name, spec)


def _in_module(factory: Factory, spec: str) -> Loader | None:
    with _importing(factory.where, spec):
        try:
            module = importlib.import_module(factory.where)
        except ModuleNotFoundError as error:
            if error.name and (factory.where == error.name or factory.where.startswith(f"{error.name}.")):
                return None  # there is no such module
            raise
    return _factory(module, factory.name, spec)


def _import_file(path: Path, spec: str) -> ModuleType:
    name = f"vlcheck_factory_{digest(str(path.resolve()))}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise UsageError(f"{_option(spec)}: {path}: not a Python file.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and pickle look up the module of a class there
    importable(path.resolve().parent)
    with _importing(path, spec):
        found.loader.exec_module(module)
    for own, other in displaced(module, path.resolve().parent):
        raise UsageError(
            f"{_option(spec)}: {path} imports {own}, and got {other}, which was imported before. Give one of them"
            " another name."
        )
    return module


@contextmanager
def _importing(what: object, spec: str) -> Iterator[None]:
    """Raise UsageError in place of any error while foreign code is imported inside."""
    try:
        with contained():
            yield
    except (ForeignFault, NotApplicable, UsageError) as error:
        why = str(error) if isinstance(error, ForeignFault) else describe_error(error)
        cure = _CURE if "relative import" in why else ""
        raise UsageError(f"{_option(spec)}: {what} cannot be imported. {why}{cure}") from error


def _factory(module: ModuleType, name: str, spec: str) -> Loader:
    factory = getattr(module, name, None)
    if factory is None:
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise UsageError(f"{_option(spec)}: {module.__file__} has no {name!r}. {nearest(name, known)}")
    try:
        inspect.signature(factory).bind(device="cpu", dtype="float32")
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{_option(spec)}: {name} has to be a function that takes device and dtype ({error})."
        ) from error
    return cast(Loader, factory)


def _checked(loaded: object, spec: str) -> VisionLanguageModel:
    """Check that an object keeps the model protocol, and return it as a model. Raises UsageError if it does not."""
    try:
        with contained():  # attributes may be properties, which are foreign code
            return _complete(loaded, spec)
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{_option(spec)}: gave {type(loaded).__name__!r}, which fails. {error}") from error


def _complete(loaded: object, spec: str) -> VisionLanguageModel:
    """Check each attribute, and wrap a model of foreign code."""
    _demand(loaded, ("name", "fingerprint", "metrics", "mask", "encode"), spec)
    metrics = getattr(loaded, "metrics", None)
    known: tuple[str, ...] = OF_MODELS
    if not isinstance(metrics, Set | list | tuple) or not metrics or not all(metric in known for metric in metrics):
        raise UsageError(f"{_option(spec)}: metrics {metrics!r} have to be some of {', '.join(known)}.")
    _demand(loaded, metrics, spec)
    model = cast(VisionLanguageModel, loaded)
    if model.mask != MASK:
        raise UsageError(f"{_option(spec)}: mask has to be {MASK!r}, not {model.mask!r}.")
    if not isinstance(model.fingerprint, str) or not model.fingerprint:
        raise UsageError(
            f"{_option(spec)}: fingerprint has to be a text: a hash of the weights and all else that decides a score."
        )
    said = getattr(model, "kinds", None)
    kinds: dict[str, str] = {
        metric: str((DEFAULT_KINDS if said is None else said).get(metric)) for metric in known if metric in metrics
    }
    if unknown := {metric: kind for metric, kind in kinds.items() if kind not in KINDS}:
        raise UsageError(f"{_option(spec)}: kinds {unknown!r}: each metric has to have one of {', '.join(KINDS)}.")
    _check_wrappings(loaded, spec)
    ours = type(loaded).__module__.startswith("vlcheck.")
    return model if ours else cast(VisionLanguageModel, ForeignModel(loaded, kinds))


def _check_wrappings(loaded: object, spec: str) -> None:
    """Raise UsageError if an object's `wrappings` are not what the model protocol says."""
    said = getattr(loaded, "wrappings", ())
    whole = isinstance(said, list | tuple) and all(
        isinstance(one, tuple) and len(one) == len(Wrapping._fields) for one in said
    )
    if not whole or not all(isinstance(text, str) for one in said for text in one):
        fields = ", ".join(Wrapping._fields)
        raise UsageError(
            f"{_option(spec)}: wrappings {said!r:.80} have to be a sequence of Wrapping({fields}), all texts."
        )


def _demand(loaded: object, names: Iterable[str], spec: str) -> None:
    """Raise UsageError if an object lacks an attribute."""
    if missing := [name for name in names if not hasattr(loaded, name)]:
        raise UsageError(f"{_option(spec)}: gave {type(loaded).__name__!r} without {', '.join(missing)}.")


def _check_dtype(dtype: str) -> None:
    if dtype not in DTYPES:
        raise UsageError(f"{argument('dtype', repr(dtype))}: no such dtype. {nearest(dtype, DTYPES)}")


def _check_device(device: str) -> None:
    if device == AUTO:
        _check_accelerate()
        return
    kind, _, number = device.partition(":")
    if not re.fullmatch(r"(cpu|cuda|mps)(:[0-9]{1,4})?", device):
        raise UsageError(f"{argument('device', repr(device))}: no such device. Accepted: {DEVICES}, {AUTO}.")
    if device == "cpu":
        return
    import torch  # not at the top: specs are checked, and models without torch loaded, without importing it

    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": torch.mps.device_count()}[kind]
    if kind == "cuda" and not there:
        raise no_gpu(device)
    if int(number or 0) >= there:
        raise UsageError(
            f"{argument('device', repr(device))}: this machine has {there} such devices; cpu is always accepted."
        )


def _check_accelerate() -> None:
    if importlib.util.find_spec("accelerate") is None:
        raise UsageError(
            f"{argument('device', AUTO)}: needs the package accelerate. Install it, or name one of {DEVICES}."
        )


def _spreads(loader: Loader) -> bool:
    """Return True if a family can be spread over several devices."""
    family = getattr(getattr(loader, "func", loader), "__self__", None)
    return bool(getattr(family, "spreads", False))


def _option(spec: str) -> str:
    return argument("model", repr(spec))
