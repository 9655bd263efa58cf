"""The changes of the behaviors since the release before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vlcheck._util.numbers import chance, moment, share, signed, whole
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME, title
from vlcheck.report.text.comparison import conclusion, other_versions
from vlcheck.results.comparison import ALPHA, OUTCOMES, Compared, Comparison
from vlcheck.results.file import Key


@dataclass(frozen=True)
class ChangeView:
    """The change of one behavior since the release before.

    Attributes:
        outcome: worse, same, better or not comparable.
        said: the outcome in words; "no longer decided" if the test passed or failed before, and does neither now.
        id: id of the verdict's element on the page; "" if this run has none.
        bias: the bias.
        title: the behavior's name in words.
        metric: the metric.
        figures: old, new, images worse, images better, images paired, p; "-" for a missing one.
        reason: the reason why it is not comparable, else None.
    """

    outcome: str
    said: str
    id: str
    bias: ShownText
    title: ShownText
    metric: ShownText
    figures: tuple[str, ...]
    reason: ShownText | None

    @property
    def sentence(self) -> str:
        """The sentence about the change that is shown beside the verdict."""
        old, new, worse, better, n, p = self.figures
        if self.reason:
            return self.reason.text
        images = f", images worse: {worse}, better: {better}" if worse != "-" else ""
        return f"{old} before, {new} now{images}, of {n} paired (p after Holm's correction {p})"


def change_view(compared: Compared, name: str) -> ChangeView:
    """Return the change of a behavior as the page shows it.

    Args:
        compared: the comparison of the behavior.
        name: id of the verdict's element on the page.
    """
    figures: tuple[str, ...] = ("-",) * 6
    if compared.figure:
        images = map(whole, (compared.images_worse, compared.images_better))
        ends = map(signed if compared.images_worse is None else share, (compared.figure.old, compared.figure.new))
        figures = (*ends, *images, whole(compared.n), chance(compared.figure.p, ALPHA))
    about = f" ({compared.about})" if compared.about else ""
    return ChangeView(
        outcome=compared.verdict,
        said="no longer decided" if compared.lost else compared.verdict,
        id=name,
        bias=shown_text(compared.bias, NAME),
        title=title(compared.behavior + about),
        metric=shown_text(compared.metric, NAME),
        figures=figures,
        reason=shown_text(compared.reason) if compared.reason else None,
    )


@dataclass(frozen=True)
class Release:
    """The changes of all behaviors since the release before.

    Attributes:
        old: the release before: model, data and time.
        sentence: the conclusion.
        accepted: True if something was compared and nothing is worse.
        versions: the versions that differ between the two runs; None if none does.
        changes: behaviors that changed or were lost, the worst first.
        rest: behaviors that are the same or cannot be compared.
    """

    old: ShownText
    sentence: str
    accepted: bool
    versions: ShownText | None
    changes: tuple[ChangeView, ...]
    rest: tuple[ChangeView, ...]


def release(comparison: Comparison, names: Mapping[Key, str]) -> Release:
    """Return the changes of all behaviors as the page shows them.

    Args:
        comparison: the comparison with the release before.
        names: verdict's key -> id of its element on the page.
    """
    rows = {which: sorted(comparison.which(which), key=lambda one: one.key) for which in OUTCOMES}
    views = {which: [change_view(one, names.get(one.key, "")) for one in its] for which, its in rows.items()}
    lost = [change_view(one, names.get(one.key, "")) for one in comparison.lost]
    old = comparison.old
    return Release(
        old=shown_text(f"{old.name} on {old.data} ({moment(old.started)})"),
        sentence=shown_text(conclusion(comparison), 1_000).text,
        accepted=comparison.accepted,
        versions=next((shown_text(one, 1_000) for one in other_versions(comparison)), None),
        changes=(*views["worse"], *lost, *views["better"]),
        rest=(*views["same"], *(view for view in views["not comparable"] if view not in lost)),
    )
