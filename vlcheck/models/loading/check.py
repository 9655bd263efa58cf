"""Try the model contract on the model of a spec."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from vlcheck._util.numbers import counted
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError, argument
from vlcheck.models import tried
from vlcheck.models.contract import PROBES, TOLERANCES, Outcome, examine, probes_of
from vlcheck.models.differentiable_contract import examine_network
from vlcheck.models.loading.load import load_model


def check_model(
    spec: str,
    data: str = "scenes",
    *,
    device: str = "cpu",
    dtype: str = "float32",
    trust_remote_code: bool = False,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Try the model contract on a model, and keep the result for later runs on it.

    Args:
        spec: the spec of the model; see `load_model`.
        data: the spec of the data whose pictures and texts the model is asked about; see `open_source`.
        device: the device; see `load_model`.
        dtype: the dtype; see `load_model`. It decides the largest accepted difference of two scores; see `TOLERANCES`.
        trust_remote_code: True if Python code that comes with a checkpoint may run.
        on_outcome: called with each outcome as soon as it is known.

    Returns:
        One outcome for each clause; `kept` is False for a clause that the model breaks.

    Raises:
        UsageError: the model cannot be loaded, or the data has too few cases with candidates.
        OSError: the result cannot be written to the cache folder.

    Example:
        >>> [outcome.clause for outcome in check_model("tiny") if not outcome.kept]
        []
    """
    probes = probes_of(open_source(data).cases)
    if len(probes) < PROBES:
        raise UsageError(
            f"{argument('data', data)}: has {counted(len(probes), 'picture')} of cases with candidates, and {PROBES}"
            " are needed: give a larger N, or leave it out."
        )
    model = load_model(spec, device=device, dtype=dtype, trust_remote_code=trust_remote_code)
    outcomes = []
    tolerance = TOLERANCES[dtype]
    tried_out = chain(examine(model, probes, tolerance=tolerance), examine_network(model, probes, tolerance=tolerance))
    for outcome in tried_out:
        outcomes.append(outcome)
        on_outcome(outcome)
    tried.keep(model.fingerprint, [outcome.clause for outcome in outcomes if not outcome.kept])
    return outcomes
