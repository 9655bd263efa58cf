"""The settings of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vlcheck.results.records import MethodRecord


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """The settings of a session: the model, the data, and how they are used.

    Attributes:
        model: the model's spec, as `vlcheck.load_model` takes it; the name of a model that is given as an object.
        data: the spec of the cases.
        device: the device that the model runs on, e.g. "cpu" or "cuda".
        dtype: the model's precision, e.g. "float32".
        trust_remote_code: whether Python code that comes with a checkpoint may run.
        baseline: results file of an earlier release, with which these results are compared; None for no comparison.
        sequential: whether images are asked about in growing batches, until each behavior's verdict is decided.
        batch_size: the most pictures that are encoded together, at least 1; plans have chunks of so many.
        store: file in which answers are kept for later sessions; None for a temporary one.
        images: whether small copies of the pictures are kept for the results.
        top: number of the likeliest words at a mask that are kept, at least 0.
        wordings: whether a question in words is asked in each of its wordings, and judged in each.
        explained: the methods that explain the worst cases.
        options: further options on which verdicts depend, as `vlcheck.results.records.RunRecord` has them.
        objects: the parameters that were given as Python objects, as `RunRecord` has them.
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
    wordings: bool = False
    explained: tuple[MethodRecord, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
