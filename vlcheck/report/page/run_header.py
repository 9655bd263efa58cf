"""What was asked about what: the head of a page, and all else there is to know of its run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from markupsafe import Markup

from vlcheck._util.numbers import counted, moment
from vlcheck.report.page.charts import curve
from vlcheck.report.page.escaping import Said, said
from vlcheck.report.page.formatting import NAME
from vlcheck.results import scales
from vlcheck.results.records import RunRecord, VerdictRecord

_DECISIVE = ("vlcheck", "torch", "transformers")  # versions that the head names
_DIGITS = 12  # of a fingerprint
_LEFT_OUT = 20  # reasons


@dataclass(frozen=True)
class Fact:
    """Something to know of the run."""

    name: str
    value: Said


@dataclass(frozen=True)
class RunView:
    """What was asked about what.

    Attributes:
        about: what tells this run from others of the model: its fingerprint, how much was asked, versions.
        left_out: what the data had that no case was made of: how many, and why.
    """

    model: Said
    data: Said
    started: Said
    about: tuple[Said, ...]
    facts: tuple[Fact, ...]
    versions: tuple[Fact, ...]
    left_out: tuple[Fact, ...]
    scales: tuple[ScaleView, ...] = ()


@dataclass(frozen=True)
class ScaleView:
    """On which scale a metric's margins were formed; the curve, where it is not that of raw scores."""

    sentence: Said
    curve: Markup | None


def run_view(run: RunRecord, verdicts: Iterable[VerdictRecord] = ()) -> RunView:
    """A run's head, from the first line of its results and what its verdicts say of their scales."""
    versions, left_out = run.versions, run.left_out
    return RunView(
        model=said(run.name, NAME),
        data=said(run.data, NAME),
        started=said(moment(run.started), NAME),
        about=tuple(_about(run, versions)),
        facts=tuple(_facts(run)),
        versions=tuple(Fact(said(name).text, said(version)) for name, version in versions.items()),
        left_out=tuple(Fact(said(count).text, said(why)) for why, count in islice(left_out.items(), _LEFT_OUT)),
        scales=tuple(
            ScaleView(said(one.sentence), curve(one.scale) if one.calibrated and one.scale else None)
            for one in scales.found(verdicts)
        ),
    )


def _about(run: RunRecord, versions: Mapping[str, Any]) -> Iterator[Said]:
    yield said(f"fingerprint {run.fingerprint[:_DIGITS]}")
    if isinstance(run.images, int):
        yield said(f"up to {counted(run.images, 'image')} a behavior, seed {run.seed}")
    yield from (said(f"{name} {versions[name]}") for name in _DECISIVE if name in versions)


def _facts(run: RunRecord) -> Iterator[Fact]:
    kinds = ", ".join(f"{metric} {kind}" for metric, kind in run.score_kinds.items())
    told = {
        "model": run.model or run.name,
        "fingerprint": run.fingerprint,
        "data": run.data,
        "images a behavior": run.images,
        "seed": run.seed,
        "started": run.started,
        "scores": kinds,
        "device and precision": " ".join(filter(None, (run.device, run.dtype))),
        "policy": run.policy.path,
        "baseline": run.baseline,
        "sequential": "each behavior was asked until it was decided" if run.sequential else None,
        "pytest's exit status": run.exit_status,
    }
    for name, value in told.items():
        if value not in (None, ""):
            yield Fact(name, said(value))
