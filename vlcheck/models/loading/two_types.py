"""Load a model in two number types: float32, and the fastest that its device computes in."""

from __future__ import annotations

from typing import NamedTuple

from vlcheck.errors import UsageError, argument
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.models.setup import setup_of

VERIFIED = "verified"  # in place of a dtype
EXACT, FAST = "float32", "bfloat16"


class TwoTypesModel(NamedTuple):
    """A model in two number types.

    Attributes:
        exact: the model in float32.
        fast: the model in the fast type; None if there is one type alone.
        alone: why there is one type alone; "" if there are two.
    """

    exact: VisionLanguageModel
    fast: VisionLanguageModel | None = None
    alone: str = ""


def load_in_two_types(spec: str, *, device: str = "cpu", trust_remote_code: bool = False) -> TwoTypesModel:
    """Load a model in float32, and in bfloat16 if its device computes faster in that.

    Args:
        spec: the spec, as `load_model` takes it.
        device: the device, likewise.
        trust_remote_code: whether Python code that comes with a checkpoint may run.

    Raises:
        UsageError: as `load_model`; also for a model that others run, which has a precision of its own.
    """
    exact = load_model(spec, device=device, dtype=EXACT, trust_remote_code=trust_remote_code)
    if setup_of(exact).is_served:
        raise UsageError(
            f"{argument('dtype', VERIFIED)}: {exact.name} is run by others, in their own precision: leave it out."
        )
    fast = load_model(spec, device=device, dtype=FAST, trust_remote_code=trust_remote_code)
    return TwoTypesModel(exact, fast)
