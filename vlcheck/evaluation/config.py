"""What a session asks of which model, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """The settings of a session.

    Attributes:
        model: the model's spec, as `vlcheck.load_model` takes it; of an object, its name.
        data: the spec of the cases.
        device: where the model runs.
        dtype: its precision.
        trust_remote_code: whether Python code that comes with a checkpoint may run.
        baseline: the results of an earlier release, with which these are compared; None for none.
        sequential: whether images are asked about in growing batches, each behavior until its verdict is decided.
        batch_size: pictures encoded together, from 1 on.
        store: file in which answers are kept for later sessions; None for a temporary one.
        images: whether small copies of the pictures are kept for the results.
        top: how many of the likeliest words at a mask are kept, from 0 on.
    """

    model: str = ""
    data: str = ""
    device: str = "cpu"
    dtype: str = "float32"
    trust_remote_code: bool = False
    baseline: Path | None = None
    sequential: bool = False
    batch_size: int = 16
    store: Path | None = None
    images: bool = True
    top: int = 5
