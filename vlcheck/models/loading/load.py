"""From a spec to a model."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import cast, get_args

from vlcheck._util.foreign_code import contained, describe_error, displaced, importable
from vlcheck._util.hashing import digest
from vlcheck._util.paths import expanded, there_is
from vlcheck._util.spec_grammar import Factory
from vlcheck.cases.case import MASK
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument, marked, nearest
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.registry import DEFAULT_KINDS, KINDS
from vlcheck.models.loading.foreign_model import ForeignModel
from vlcheck.models.loading.pair import Pair
from vlcheck.models.loading.registry import registered_families
from vlcheck.models.loading.spec import ModelSpec, parse
from vlcheck.models.protocol import VisionLanguageModel

DTYPES = ("bfloat16", "float16", "float32", "float64")
DEVICES = "cpu, cuda, cuda:N, mps"
AUTO = "auto"  # spreads a model over all devices

_CURE = "; a module of a package is named by it, as package.module:factory"

Loader = Callable[..., object]  # takes device and dtype by keyword, returns a model


def load_model(
    spec: str, *, device: str = "cpu", dtype: str = "float32", trust_remote_code: bool = False
) -> VisionLanguageModel:
    """Load a model by its spec.

    Args:
        spec: `FAMILY:PATH`, e.g. "albef:ALBEF_4M.pth": a family that is registered under the entry-point group
            `vlcheck.models`, and the checkpoint that it loads. Or a factory, `package.module:factory` or
            `path/to/file.py:factory`, which is called with `device` and `dtype` as texts and returns a model (`kinds`
            and `top` are optional). Or `itm=SPEC,mlm=SPEC`, for a family with its heads in two checkpoints. The spec of
            a model that reads regions ends with their extractor, `SPEC,regions=DETECTOR`: see
            `vlcheck.models.regions.regions`. `vlcheck._util.spec_grammar` has the grammar.
        device: "cpu", "cuda", "cuda:N", "mps", or "auto", which spreads a generative model over all devices.
        dtype: one of DTYPES.
        trust_remote_code: True if Python code that comes with a checkpoint may run.

    Raises:
        UsageError: there is no such model, device or dtype, or a factory cannot be called or returns no model.

    Example:
        >>> sorted(load_model("tiny").metrics)
        ['itm', 'mlm']
    """
    _check_dtype(dtype)
    _check_device(device)
    families = registered_families()
    parsed = parse(spec, families)
    with _no_garbage():
        load = partial(_load, families=families, device=device, dtype=dtype, trusted=trust_remote_code)
        return _checked(_load_each(parsed, load) if parsed.heads else load(parsed), spec)


def as_model(model: object) -> VisionLanguageModel:
    """Return an object as a model that was loaded. Raises UsageError if it does not keep the protocol."""
    return _checked(model, type(model).__name__)


def _load_each(parsed: ModelSpec, load: Callable[[ModelSpec], object]) -> Pair:
    try:
        return Pair({metric: _checked(load(part), part.said) for metric, part in parsed.heads})
    except UsageError as error:
        raise UsageError(f"{_option(parsed.said)}: {marked(error)}") from error


def _load(parsed: ModelSpec, *, families: Mapping[str, EntryPoint], device: str, dtype: str, trusted: bool) -> object:
    spec, loader = parsed.said, _loader(parsed, families, trusted)
    if loader is None:
        forms = (
            "a folder or hub id of a transformers checkpoint, FAMILY:PATH (e.g. albef:ALBEF_4M.pth),"
            " package.module:factory, path/to/file.py:factory, itm=SPEC,mlm=SPEC; a name that holds , or @ or = stands"
            " in double quotes"
        )
        said = spec.partition(":")[0]
        known = nearest(said, [name for name in families if name[0].islower()])
        what = "no such folder." if said.startswith(("/", ".", "~")) else f"no such model. {known}"
        raise UsageError(f"{_option(spec)}: {what} Accepted: {forms}.")
    if device == AUTO and not _spreads(loader):
        raise UsageError(f"{argument('device', AUTO)}: {spec!r} is not spread over devices. Accepted: {DEVICES}.")
    try:
        with contained():  # a factory is foreign code, and panics of Rust's libraries are no Exception
            return loader(device=device, dtype=dtype)
    except UsageError as error:
        raise UsageError(f"{_option(spec)}: {marked(error)}") from error
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{_option(spec)}: cannot be loaded. {error}") from error


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Switch garbage collection off while a library is imported, which makes the import a third faster.

    The objects of the first model's libraries are also left out of later collections; they live as long as the process.
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
    if parsed.factory:
        _demand_options(parsed, ())
        importable(Path.cwd())
        find = _in_file if parsed.factory.in_file else _in_module
        return find(parsed.factory, parsed.said)
    return _registered(parsed, families) if parsed.family else _pretrained(parsed, families, trusted)


def _registered(parsed: ModelSpec, families: Mapping[str, EntryPoint]) -> Loader:
    """Return a family's loader by its name, with the options of the spec as keyword arguments."""
    spec = parsed.said
    if parsed.family[0].isupper():
        raise UsageError(
            f"{_option(spec)}: {parsed.family} is found by a checkpoint's config: name its folder or hub id alone."
        )
    with _importing(families[parsed.family].value, spec):
        load = families[parsed.family].load()
    takes = inspect.signature(load).parameters.values()
    if not any(one.kind is one.VAR_KEYWORD for one in takes):
        _demand_options(parsed, [one.name for one in takes if one.kind is one.KEYWORD_ONLY])
    return partial(load, parsed.path, **dict(parsed.options))


def _demand_options(parsed: ModelSpec, known: Iterable[str]) -> None:
    """Raise UsageError if the spec has an option that the model does not take."""
    names = [name for name in known if name not in ("device", "dtype")]
    for key, _ in parsed.options:
        if key not in names:
            takes = nearest(key, names) if names else "It takes no options."
            raise UsageError(
                f"{_option(parsed.said)}: {parsed.named} has no option {key!r}. {takes} A path with ,{key}= stands in"
                " double quotes."
            )


def _pretrained(parsed: ModelSpec, families: Mapping[str, EntryPoint], trusted: bool) -> Loader | None:
    """Return the loader of a folder or a hub id, whose config names the architecture."""
    from vlcheck.models.loading.pretrained import Pretrained  # brings transformers

    spec = parsed.said
    try:
        checkpoint = Pretrained.find(parsed, trusted=trusted)
        if checkpoint is None:
            return None
        architecture = checkpoint.architecture
    except (UsageError, OSError) as error:  # OSError: of a folder that may not be looked into
        raise UsageError(f"{_option(spec)}: {marked(error)}") from error
    if architecture not in families:
        known = ", ".join(sorted(name for name in families if name[0].isupper()))
        raise UsageError(f"{_option(spec)}: {architecture} is no architecture that vlcheck knows. Known: {known}.")
    _demand_options(parsed, Pretrained.options)
    return partial(families[architecture].load(), checkpoint)


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
                return None  # there is no such module: the spec is unknown
            raise
    return _factory(module, factory.name, spec)


def _import_file(path: Path, spec: str) -> ModuleType:
    name = f"vlcheck_factory_{digest(str(path.resolve()))}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise UsageError(f"{_option(spec)}: {path}: not a Python file.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and pickle look their module up there
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
    """Raise UsageError for all that a module raises while it is imported, which is foreign code."""
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
    """Make sure that the protocol is kept; read what the model says of itself once. Raises UsageError."""
    try:
        with contained():  # what is asked for may be computed, by foreign code
            return _complete(loaded, spec)
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{_option(spec)}: gave {type(loaded).__name__!r}, which fails. {error}") from error


def _complete(loaded: object, spec: str) -> VisionLanguageModel:
    _demand(loaded, ("name", "fingerprint", "metrics", "mask", "encode"), spec)
    metrics = getattr(loaded, "metrics", None)
    known = get_args(Metric)
    if not isinstance(metrics, Set | list | tuple) or not metrics or not all(metric in known for metric in metrics):
        raise UsageError(f"{_option(spec)}: metrics {metrics!r} have to be some of {', '.join(known)}.")
    _demand(loaded, metrics, spec)
    model = cast(VisionLanguageModel, loaded)
    if model.mask != MASK:
        raise UsageError(f"{_option(spec)}: mask has to be {MASK!r}, not {model.mask!r}.")
    if not isinstance(model.fingerprint, str) or not model.fingerprint:
        raise UsageError(f"{_option(spec)}: fingerprint has to be a text, a hash of the weights and all that decides.")
    said = getattr(model, "kinds", None)
    kinds = {
        metric: str((DEFAULT_KINDS if said is None else said).get(metric)) for metric in known if metric in metrics
    }
    if unknown := {metric: kind for metric, kind in kinds.items() if kind not in KINDS}:
        raise UsageError(f"{_option(spec)}: kinds {unknown!r}: each metric has to have one of {', '.join(KINDS)}.")
    ours = type(loaded).__module__.startswith("vlcheck.")
    return model if ours else cast(VisionLanguageModel, ForeignModel(loaded, kinds))


def _demand(loaded: object, names: Iterable[str], spec: str) -> None:
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
    if not re.fullmatch(r"(cpu|cuda|mps)(:\d+)?", device):
        raise UsageError(f"{argument('device', repr(device))}: no such device. Accepted: {DEVICES}, {AUTO}.")
    if device == "cpu":
        return
    import torch  # not at the top: a spec is checked, and a model without torch loaded, without it

    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": torch.mps.device_count()}[kind]
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
