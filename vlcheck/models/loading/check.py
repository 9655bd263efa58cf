"""Try the protocol's contract on a model that a spec names."""

from __future__ import annotations

from collections.abc import Callable

from vlcheck._util.numbers import counted
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError, argument
from vlcheck.models import tried
from vlcheck.models.contract import PROBES, TOLERANCES, Outcome, examine, probes_of
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
    """Try the protocol's contract on a model, and remember the outcome for later runs on it.

    Args:
        spec: of the model, as `load_model` takes it.
        data: spec of the cases whose pictures and texts the model is asked about.
        device: as `load_model` takes it.
        dtype: as `load_model` takes it; it decides how far two equal scores may be apart.
        trust_remote_code: whether Python code that comes with a checkpoint may run.
        on_outcome: called with each outcome as soon as it is there.

    Returns:
        An outcome for each clause; `kept` is False for one that the model breaks.

    Raises:
        UsageError: the model cannot be loaded, or the data has too few cases with candidates.
        OSError: the outcome cannot be remembered.

    Example:
        >>> [outcome.clause for outcome in check_model("tiny") if not outcome.kept]
        []
    """
    probes = probes_of(open_source(data).cases)
    if len(probes) < PROBES:
        raise UsageError(
            f"{argument('data', data)}: has {counted(len(probes), 'picture')} of cases with candidates, and {PROBES}"
            " are needed: say a larger N, or leave it out."
        )
    model = load_model(spec, device=device, dtype=dtype, trust_remote_code=trust_remote_code)
    outcomes = []
    for outcome in examine(model, probes, tolerance=TOLERANCES[dtype]):
        outcomes.append(outcome)
        on_outcome(outcome)
    tried.keep(model.fingerprint, [outcome.clause for outcome in outcomes if not outcome.kept])
    return outcomes
