"""Load models: registered families, checkpoints of transformers, and factories of a user."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

from vlcheck._util.foreign_code import contained, importable
from vlcheck._util.paths import there_is
from vlcheck._util.spec_secrets import refuse_secrets
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument, demand_type, marked, nearest
from vlcheck.models.loading.factories import Loader, importing, loader_in_file, loader_in_module
from vlcheck.models.loading.pair import Pair
from vlcheck.models.loading.placement import AUTO, DEVICES, DTYPES, demand_device, demand_dtype, round_nothing, spreads
from vlcheck.models.loading.protocol_check import checked_model
from vlcheck.models.loading.registry import registered_families, registered_tasks, registered_wrappers
from vlcheck.models.loading.spec import ModelSpec, parse, said_spec
from vlcheck.models.protocol import VisionLanguageModel

_NO_ADAPTER = (
    "an adapter is attached to checkpoints of transformers alone, and {} is none. Name the model without +ADAPTER"
)


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
    demand_dtype(dtype)
    demand_device(device)
    families = registered_families()
    parsed = parse(spec, families, registered_wrappers())
    if dtype == "float32" and device.startswith("cuda"):
        round_nothing()
    with _no_garbage():
        load = partial(_load, families=families, device=device, dtype=dtype, trusted=trust_remote_code)
        return _load_checked(parsed, load)


def as_model(model: object) -> VisionLanguageModel:
    """Return an object as a model. Raises UsageError if it does not keep the model protocol."""
    return checked_model(model, type(model).__name__)


def _load_checked(parsed: ModelSpec, load: Callable[[ModelSpec], object]) -> VisionLanguageModel:
    """Load the model of a spec, or the models that it consists of.

    Args:
        parsed: the spec.
        load: loads a model that is neither a pair nor wrapped.

    Raises:
        UsageError: a model cannot be loaded.
    """
    if not parsed.heads and not parsed.inner:
        return checked_model(load(parsed), parsed.said)
    try:
        made = _wrapped(parsed.wrapper, _load_checked(parsed.inner, load)) if parsed.inner else _pair(parsed, load)
    except UsageError as error:
        raise UsageError(f"{said_spec(parsed.said)}: {marked(error)}") from error
    return checked_model(made, parsed.said)


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
        raise UsageError(f"{said_spec(spec)}: {what} Accepted: {forms}.")
    if device == AUTO and not spreads(loader):
        raise UsageError(f"{argument('device', AUTO)}: {spec!r} is not spread over devices. Accepted: {DEVICES}.")
    try:
        with contained():  # a factory is foreign code; panics of Rust libraries do not derive from Exception
            return loader(device=device, dtype=dtype)
    except UsageError as error:
        raise UsageError(f"{said_spec(spec)}: {marked(error)}") from error
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{said_spec(spec)}: cannot be loaded. {error}") from error


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
        find = loader_in_file if parsed.factory.in_file else loader_in_module
        return find(parsed.factory, parsed.said)
    return _registered(parsed, families) if parsed.family else _pretrained(parsed, families, trusted)


def _registered(parsed: ModelSpec, families: Mapping[str, EntryPoint]) -> Loader:
    """Return the loader of a registered family, bound to the path and the options of the spec."""
    spec = parsed.said
    before, adapted, _ = parsed.path.partition("+")
    if adapted and there_is(before) and not there_is(parsed.path):
        raise UsageError(f"{said_spec(spec)}: {_NO_ADAPTER.format(f'{parsed.family}:{before}')}.")
    if parsed.family[0].isupper():
        raise UsageError(
            f"{said_spec(spec)}: {parsed.family} is chosen by the config of a checkpoint: name only the folder or hub"
            " id."
        )
    with importing(families[parsed.family].value, spec):
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
                f"{said_spec(parsed.said)}: {parsed.named} has no option {key!r}. {takes} A path with ,{key}= is"
                " written in double quotes."
            )


def _pretrained(parsed: ModelSpec, families: Mapping[str, EntryPoint], trusted: bool) -> Loader | None:
    """Return the loader of the architecture that the config of a checkpoint names; None if there is no checkpoint."""
    from vlcheck.models.loading.other_layouts import family_of  # imports torch
    from vlcheck.models.loading.pretrained import Pretrained  # imports transformers
    from vlcheck.models.loading.tasks import check_type, mapped_loader  # imports transformers

    spec = parsed.said
    if parsed.path.endswith(".py"):
        raise UsageError(f"{said_spec(spec)}: is a Python file: name a function or class in it, {parsed.path}:NAME.")
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
        raise UsageError(f"{said_spec(spec)}: {marked(error)}") from error
    load = entry.load()
    own = _keywords(load)
    _demand_options(parsed, (*Pretrained.options, *own))
    return partial(load, checkpoint, **{key: value for key, value in parsed.options if key in own})
