"""Biases by metrics, and what that comes to in a sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck.report.page.measures import NAME, observed, title
from vlcheck.report.page.words import Said, counted, said
from vlcheck.report.results import Line
from vlcheck.report.summary import METRICS
from vlcheck.verdict import BY_GRAVITY, worst

_SAID: Mapping[str, str] = {
    "invalid": "the answers say nothing of the model",
    "inconclusive": "too few images to tell",
}


@dataclass(frozen=True)
class Named:
    """A verdict, the name of its place on the page, and what became of it since the release before."""

    name: str
    verdict: Line
    change: str = ""


@dataclass(frozen=True)
class Cell:
    """A bias under a metric, by its worst behavior.

    Attributes:
        id: of that behavior's place on the page.
        observed: its rate or mean, with the interval.
        counts: how many of the behaviors have this verdict; the title goes on with one of them.
        known: whether all that fails is known to the policy.
        change: the worst that became of any of them since the release before.
    """

    status: str
    id: str
    title: Said
    observed: str
    counts: str
    known: bool
    change: str


@dataclass(frozen=True)
class MatrixRow:
    """A bias: its cells, None under a metric that was not asked about it."""

    bias: Said
    status: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Matrix:
    """Biases by metrics, the gravest first."""

    metrics: tuple[Said, ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True)
class Conclusion:
    """What a run comes to.

    Attributes:
        status: the gravest verdict; invalid where there is none.
        sentence: which biases fail.
        notes: what else has to be said.
    """

    status: str
    sentence: str
    notes: tuple[str, ...]


def matrix(named: Sequence[Named]) -> Matrix:
    """The matrix of some verdicts."""
    metrics = list(dict.fromkeys([*METRICS, *(one.verdict["metric"] for one in named)]))
    cells: Mapping[tuple[str, str], list[Named]] = defaultdict(list)
    for one in named:
        cells[one.verdict["bias"], one.verdict["metric"]].append(one)
    rows = [
        MatrixRow(said(bias, NAME), status, tuple(_cell(cells.get((bias, metric), [])) for metric in metrics))
        for bias, status in by_gravity([one.verdict for one in named]).items()
    ]
    return Matrix(tuple(said(metric, NAME) for metric in metrics), tuple(rows))


def by_gravity(verdicts: Sequence[Line]) -> Mapping[str, str]:
    """The worst verdict of each bias, the gravest first, then by name."""
    statuses: Mapping[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        statuses[verdict["bias"]].append(verdict["status"])
    found = {bias: worst(every) for bias, every in statuses.items()}
    return dict(sorted(found.items(), key=lambda item: (BY_GRAVITY.index(item[1]), item[0])))


def gravity(verdict: Line) -> tuple[int, float]:
    """What sorts verdicts, the worst first: among equal ones that farthest from what is allowed."""
    return BY_GRAVITY.index(verdict["status"]), -_beyond(verdict)


def conclusion(verdicts: Sequence[Line]) -> Conclusion:
    """What a run comes to; nothing green comes out of nothing."""
    if not verdicts:
        return Conclusion("invalid", "No verdict came of this run: nothing was checked.", ())
    statuses = by_gravity(verdicts)
    return Conclusion(worst(statuses.values()), _sentence(statuses, verdicts), tuple(_notes(verdicts)))


def _sentence(statuses: Mapping[str, str], verdicts: Sequence[Line]) -> str:
    biases = {status: [bias for bias, its in statuses.items() if its == status] for status in BY_GRAVITY}
    of = counted(len(statuses), "bias", "biases")
    if biases["fail"]:
        return f"Fails {len(biases['fail'])} of {of}: {_names(biases['fail'])}."
    if len(biases["pass"]) == len(statuses):
        return f"Passes {'all ' if len(statuses) > 1 else ''}{of}: {_names(biases['pass'])}."
    if any(verdict["status"] == "pass" for verdict in verdicts):
        return f"No bias in what was decided: {len(biases['pass'])} of {of} pass."
    return "Nothing was decided: this run says nothing of the model."


def _notes(verdicts: Sequence[Line]) -> Iterator[str]:
    by_status: Mapping[str, list[Line]] = {
        status: [one for one in verdicts if one["status"] == status] for status in BY_GRAVITY
    }
    failing, of = by_status["fail"], counted(len(verdicts), "verdict")
    if failing:
        known = sum(bool(one.get("known")) for one in failing)
        yield f"{len(failing)} of {of} {_verb(failing, 'fail')}" + (f", {known} of them known" if known else "") + "."
    for status, why in _SAID.items():
        found = by_status[status]
        if found:
            about = _names(sorted({one["bias"] for one in found}))
            yield f"{len(found)} of {of} {'is' if len(found) == 1 else 'are'} {status} ({about}): {why}."
    passing = by_status["pass"]
    yield f"{len(passing)} of {of} {_verb(passing, 'pass')}."


def _verb(of: Sequence[object], status: str) -> str:
    """A verdict as what some of them do; adjectives stay as they are."""
    return {"fail": "fails", "pass": "passes"}.get(status, status) if len(of) == 1 else status


def _names(biases: Sequence[str]) -> str:
    return ", ".join(said(bias, NAME).text for bias in biases)


def _cell(named: Sequence[Named]) -> Cell | None:
    if not named:
        return None
    chief = min(named, key=lambda one: gravity(one.verdict))
    verdict = chief.verdict
    alike = [one.verdict for one in named if one.verdict["status"] == verdict["status"]]
    changes = {one.change for one in named}
    return Cell(
        status=verdict["status"],
        id=chief.name,
        title=title(verdict["behavior"]),
        observed=observed(verdict),
        counts=_counts(alike, named, verdict["status"]),
        known=verdict["status"] == "fail" and all(one.get("known") for one in alike),
        change=next((change for change in ("worse", "better", "same", "not comparable") if change in changes), ""),
    )


def _counts(alike: Sequence[Line], of: Sequence[Named], status: str) -> str:
    """How many behaviors of a cell have its verdict; it names one of them next."""
    which = "the worst" if status != "invalid" else "for example"
    return f"{len(alike)} of {counted(len(of), 'behavior')} {_verb(alike, status)}; {which}:"


def _beyond(verdict: Line) -> float:
    """How far what was seen is beyond what is allowed; below 0 where it is not."""
    if verdict["claim"] == "mean":
        mean, band = verdict.get("effect"), verdict.get("band")
        return -2.0 if mean is None or not band else max(band[0] - mean, mean - band[1])
    rate = verdict.get("rate")
    return -2.0 if rate is None else rate - (verdict.get("allowed") or 0.0)
