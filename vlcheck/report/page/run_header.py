"""The head of a page: model, data, amounts, versions and other facts of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from markupsafe import Markup

from vlcheck._util.hashing import brief_digest
from vlcheck._util.installed import ABSENT
from vlcheck._util.numbers import counted, moment
from vlcheck.report.page.charts import curve
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME
from vlcheck.results import scales
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.wrapped import setup_line, wrapper_lines

_DECISIVE = ("vlcheck", "torch", "transformers")  # packages whose versions the head names
_LEFT_OUT = 20  # the most reasons that are shown


@dataclass(frozen=True)
class Fact:
    """A fact of the run: a name and a value."""

    name: str
    value: ShownText


@dataclass(frozen=True)
class RunView:
    """The head of a page.

    Attributes:
        model: name of the model.
        data: name of the data.
        started: time at which the run started.
        about: properties that tell this run from others of the model: fingerprint, number of images, versions.
        facts: further facts.
        versions: versions of packages.
        left_out: reasons why parts of the data became no case, each with its number.
        scales: the scales of the metrics.
    """

    model: ShownText
    data: ShownText
    started: ShownText
    about: tuple[ShownText, ...]
    facts: tuple[Fact, ...]
    versions: tuple[Fact, ...]
    left_out: tuple[Fact, ...]
    scales: tuple[ScaleView, ...] = ()


@dataclass(frozen=True)
class ScaleView:
    """The scale on which a metric's margins were formed; `curve` is None for the scale of raw scores."""

    sentence: ShownText
    curve: Markup | None


def run_view(run: RunRecord, verdicts: Iterable[VerdictRecord] = (), explained: Sequence[str] = ()) -> RunView:
    """Return a run's head.

    Args:
        run: the first line of the results.
        verdicts: the verdicts' lines, which name their scales.
        explained: a sentence for each method that explains its worst cases.
    """
    versions, left_out = run.versions, run.left_out
    return RunView(
        model=shown_text(run.name, NAME),
        data=shown_text(run.data, NAME),
        started=shown_text(moment(run.started), NAME),
        about=tuple(_about(run, versions)),
        facts=tuple(_facts(run, explained)),
        versions=tuple(_versions(versions)),
        left_out=tuple(
            Fact(shown_text(count).text, shown_text(why)) for why, count in islice(_most_first(left_out), _LEFT_OUT)
        ),
        scales=tuple(
            ScaleView(shown_text(one.sentence), curve(one.scale) if one.calibrated and one.scale else None)
            for one in scales.scales_of(verdicts)
        ),
    )


def _versions(versions: Mapping[str, Any]) -> Iterator[Fact]:
    """Yield the version of each package, and those that are not installed together."""
    absent = [name for name, version in versions.items() if version == ABSENT]
    for name, version in versions.items():
        if name not in absent:
            yield Fact(shown_text(name).text, shown_text(version))
    if absent:
        yield Fact(ABSENT, shown_text(", ".join(absent)))


def _most_first(left_out: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(left_out.items(), key=lambda item: -item[1] if isinstance(item[1], int) else 0)


def _about(run: RunRecord, versions: Mapping[str, Any]) -> Iterator[ShownText]:
    if run.fingerprint:  # a run that was killed has none
        yield shown_text(f"fingerprint {brief_digest(run.fingerprint)}")
    yield from (shown_text(f"{one.wrapper} wraps {one.model}") for one in run.wrappers)
    if isinstance(run.images, int):
        yield shown_text(f"up to {counted(run.images, 'image')} a behavior, seed {run.seed}")
    yield from (shown_text(f"{name} {versions[name]}") for name in _DECISIVE if name in versions)


def _facts(run: RunRecord, explained: Sequence[str]) -> Iterator[Fact]:
    kinds = ", ".join(f"{metric} {kind}" for metric, kind in run.score_kinds.items())
    told = {
        "model": run.model or run.name,
        "wrapped model": " ".join(wrapper_lines(run)),
        "fingerprint": run.fingerprint,
        "data": run.data,
        "images of a test, at most": run.images,
        "seed": run.seed,
        "started": moment(run.started),
        "scores": kinds,
        "device and precision": " ".join(filter(None, (run.device, run.dtype))),
        "setup": setup_line(run),
        "policy": run.policy.path,
        "baseline": run.baseline,
        "sequential": "each behavior was asked until it was decided" if run.sequential else None,
        "worst cases": "; ".join(explained),
        "pytest's exit status": run.exit_status,
    }
    for name, value in told.items():
        if value not in (None, ""):
            yield Fact(name, shown_text(value))
