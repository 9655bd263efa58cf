"""The setup of a model, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.models.setup import setup_of


def shown_model(spec: str, *, device: str, dtype: str, trusted: bool, as_json: bool) -> Iterator[str]:
    """Load a model, and yield the lines that describe it.

    Args:
        spec: the model's spec.
        device: a torch device.
        dtype: a torch dtype.
        trusted: True if Python code that comes with a checkpoint may run.
        as_json: True for one JSON object, False for a table.

    Raises:
        UsageError: the model cannot be loaded.
    """
    model = load_model(spec, device=device, dtype=dtype, trust_remote_code=trusted)
    told = {"name": model.name, "fingerprint": model.fingerprint}
    if as_json:
        document = {**told, "scores": dict(model.kinds), "setup": setup_of(model).said()}
        yield from json.dumps(document, indent=1).splitlines()
        return
    rows = {**told, **_worded(model)}
    width = max(map(len, rows))
    yield from (f"{name.ljust(width)}  {said}" for name, said in rows.items())


def _worded(model: VisionLanguageModel) -> dict[str, str]:
    kinds = ", ".join(f"{metric} {kind}" for metric, kind in model.kinds.items())
    said = setup_of(model).said()
    return {"scores": kinds, **(said or {"setup": "the model does not say it"})}
