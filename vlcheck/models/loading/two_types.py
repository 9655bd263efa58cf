"""Load a model in two number types: float32, and the one in which its device computes faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, TypeVar

from vlcheck._util.memory import free_memory, lacks_memory
from vlcheck.errors import UsageError, argument
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.models.setup import setup_of

VERIFIED = "verified"  # in place of a dtype
EXACT, FAST = "float32", "bfloat16"
NO_ROOM = f"in {FAST}, too, it does not fit in memory"

Said = TypeVar("Said", str, str | None)


class TwoTypesModel(NamedTuple):
    """A model in two number types, or in one.

    Attributes:
        exact: the model that verdicts are exact by.
        fast: the model in the fast type; None if there is one type alone.
        dtype: the type of `exact`; "" if it is not known.
        alone: why there is one type alone, where two were asked for; else "".
        load: loads the model in the fast type in another process; None if there is one type alone.
    """

    exact: VisionLanguageModel
    fast: VisionLanguageModel | None = None
    dtype: str = ""
    alone: str = ""
    load: Callable[[], VisionLanguageModel] | None = None

    def lines(self) -> Iterator[str]:
        """Yield a line, for the start of a run, if there is one type alone, though two were asked for."""
        if self.alone:
            yield f"{argument('dtype', VERIFIED)}: {self.dtype} alone: {self.alone}"


def in_one_type(dtype: Said) -> Said | str:
    """Return the dtype of a model that is asked in one type, such as a control: for VERIFIED the exact one."""
    return EXACT if dtype == VERIFIED else dtype


def load_in_types(spec: str, *, device: str, dtype: str, trust_remote_code: bool = False) -> TwoTypesModel:
    """Load a model in a type, or for VERIFIED in two; see `load_model` and `load_in_two_types`.

    Args:
        spec: the spec.
        device: the device.
        dtype: a dtype, or VERIFIED.
        trust_remote_code: whether Python code that comes with a checkpoint may run.
    """
    if dtype == VERIFIED:
        return load_in_two_types(spec, device=device, trust_remote_code=trust_remote_code)
    return TwoTypesModel(load_model(spec, device=device, dtype=dtype, trust_remote_code=trust_remote_code), dtype=dtype)


def load_in_two_types(spec: str, *, device: str = "cpu", trust_remote_code: bool = False) -> TwoTypesModel:
    """Load a model in float32, and in bfloat16 beside it if its device computes faster in that.

    Args:
        spec: the spec, as `load_model` takes it.
        device: the device, likewise.
        trust_remote_code: whether Python code that comes with a checkpoint may run.

    Returns:
        The model in both types. It is in one type alone if both do not fit in memory, or the second is of no use; if
        float32 does not fit, in bfloat16.

    Raises:
        UsageError: as `load_model`; also for a model that others run, which has a precision of its own.
    """
    load = partial(load_model, spec, device=device, trust_remote_code=trust_remote_code)
    try:
        exact = load(dtype=EXACT)
    except UsageError as error:
        if not _for_want_of_memory(error):
            raise
        return TwoTypesModel(load(dtype=FAST), dtype=FAST, alone=f"{EXACT} does not fit in memory")
    if setup_of(exact).is_served:
        raise UsageError(
            f"{argument('dtype', VERIFIED)}: {exact.name} is run by others, in a number type of their own. Leave it"
            " out."
        )
    return _with_fast(exact, partial(load, dtype=FAST), slow(device) or _room(exact))


def _with_fast(exact: VisionLanguageModel, load: Callable[[], VisionLanguageModel], alone: str) -> TwoTypesModel:
    """Return a model with what `load` loads beside it, unless it is to be alone, or that cannot be loaded."""
    if alone:
        return TwoTypesModel(exact, dtype=EXACT, alone=alone)
    try:
        fast = load()
    except UsageError as error:
        why = NO_ROOM if _for_want_of_memory(error) else str(error).rstrip(".")
        return TwoTypesModel(exact, dtype=EXACT, alone=why)
    if fast.fingerprint == exact.fingerprint:
        return TwoTypesModel(exact, dtype=EXACT, alone=f"{exact.name} is the same model in {FAST}")
    return TwoTypesModel(exact, fast, EXACT, load=load)


def slow(device: str) -> str:
    """Return why a device computes in bfloat16 no faster than in float32; "" if it does.

    Args:
        device: "cpu", "cuda", "cuda:N" or "mps"; "auto" is taken for the first GPU.
    """
    import torch  # not at the top: models without torch are loaded without importing it

    if device == "cpu":
        able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # of torch 2.11 or later
        fast = any(able.get(name) for name in ("avx512_bf16", "amx_bf16")) or _has_bfloat16(able)
        return "" if fast else f"this processor has no instructions for {FAST}"
    if device == "mps":
        return f"{FAST} was not measured on mps"
    return "" if torch.cuda.is_bf16_supported(including_emulation=False) else f"this GPU does not compute in {FAST}"


def _has_bfloat16(able: dict[str, Any]) -> bool:
    """Return True if an older torch, which tells no capabilities, says that the processor has the instructions."""
    import torch

    asked = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return not able and any(ask() for ask in asked if ask)


def _room(exact: VisionLanguageModel) -> str:
    """Return that there is no room for half as many bytes as a model's weights have, if there is none; else ""."""
    from vlcheck.models.loading.networks import networks_of  # imports torch

    weights = [weight for network in networks_of(exact) for weight in network.parameters()]
    free = free_memory(str(weights[0].device)) if weights else None
    needed = sum(weight.nbytes for weight in weights) / 2
    return NO_ROOM if free is not None and needed > free else ""


def _for_want_of_memory(error: BaseException) -> bool:
    return any(map(lacks_memory, _chain(error)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__
