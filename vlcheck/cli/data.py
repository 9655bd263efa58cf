"""What the data offers, and what a run on it would tell and take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from vlcheck.behavior import Behavior, Trials
from vlcheck.cases import CaseSource, open_source
from vlcheck.cases.export import write_jsonl
from vlcheck.cli.arguments import (
    Data,
    Device,
    DType,
    OwnLexicons,
    OwnPolicy,
    Suite,
    TrustRemoteCode,
    lexicons_for,
    policy_for,
    shipped_tests,
)
from vlcheck.cli.speech import plainly, say
from vlcheck.errors import UsageError
from vlcheck.models.load import load_model
from vlcheck.models.protocol import only_compares
from vlcheck.operating import ahead
from vlcheck.plugin.collect import collect
from vlcheck.plugin.foresight import Chosen, foresee, outlook
from vlcheck.policy import METRICS
from vlcheck.report.summary import aligned


def cases(
    data: Data,
    lexicons: OwnLexicons = None,
    suite: Suite = None,
    to: Annotated[Path | None, typer.Option(help="write all cases to this file, as JSON lines")] = None,
    copy: Annotated[bool, typer.Option("--copy", help="put their images beside that file")] = False,
) -> None:
    """List what the data offers each behavior, and what was left out; or write it."""
    with plainly():
        if copy and not to:
            raise UsageError("--copy: name the file beside which the images go with --to, e.g. --to mine/cases.jsonl.")
        chosen = collect(suite or shipped_tests())
        source = open_source(data, lexicons=lexicons_for(chosen, lexicons))
        if not source.cases:
            raise UsageError(f"{data}: offers no case. Left out: {dict(source.left_out)}.")
        if to:
            say(f"{write_jsonl(to, source.fitting, copy=copy)} cases written to {to}")
            return
        for line in _offered(source, chosen):
            say(line)


def plan(
    data: Data,
    model: Annotated[
        str, typer.Option("--model", "--vl-model", help="estimates the time as well, e.g. albef:ALBEF_4M.pth")
    ] = "",
    device: Device = "cpu",
    dtype: DType = "float32",
    policy: OwnPolicy = None,
    lexicons: OwnLexicons = None,
    suite: Suite = None,
    trusted: TrustRemoteCode = False,
) -> None:
    """Say per test how many cases there are and what they can decide, and what scoring them takes; score nothing."""
    with plainly():
        chosen = collect(suite or shipped_tests())
        source = open_source(data, lexicons=lexicons_for(chosen, lexicons))
        adapter = load_model(model, device=device, dtype=dtype, trust_remote_code=trusted) if model else None
        metrics = adapter.metrics if adapter else METRICS
        operating = ahead(Trials(source, relative=only_compares(adapter)), adapter.kinds if adapter else {})
        foresight = foresee(chosen, operating, policy_for(chosen, policy), metrics)
        behaviors = {prospect.behavior.name: prospect.behavior for prospect in foresight.prospects}
        for line in (*outlook(foresight, adapter), *_wanting(source, behaviors.values())):
            say(line)


def _offered(source: CaseSource, chosen: Chosen) -> Iterator[str]:
    """Cases per behavior, with the commonest targets; then what was left out, by reason."""
    rows = [["behavior", "images", "targets"]]
    behaviors = {item.originalname: statement.behavior(item) for item, statement in chosen}.values()
    for behavior in behaviors:
        found = source.select(behavior.cases)
        targets = Counter(case.target for case in found).most_common()
        named = ", ".join(f"{word} {count}" for word, count in targets[:6])
        rows.append([behavior.name, str(len(found)), named + (", ..." if len(targets) > 6 else "")])
    yield from aligned(rows)
    yield ""
    unasked = [case for case in source.cases if not any(behavior.cases.accepts(case) for behavior in behaviors)]
    left_out = Counter(f"asked for by no behavior (tags {', '.join(sorted(case.tags))})" for case in unasked)
    left_out += source.left_out
    yield f"{len(source.cases)} cases in all; " + ("left out:" if left_out else "none is left out")
    for reason, count in left_out.most_common():
        yield f"{count:6} {reason}"
    yield from _wanting(source, behaviors)


def _wanting(source: CaseSource, behaviors: Iterable[Behavior]) -> Iterator[str]:
    """Which files would bring more to behaviors with fewer images than were asked for."""
    counts = {behavior: len(source.select(behavior.cases)) for behavior in behaviors}
    few = {behavior: count for behavior, count in counts.items() if count < source.images}
    for missing in source.offer.missing if few else ():
        served = [f"{one.name} (has {n})" for one, n in few.items() if missing.kinds.intersection(one.cases.kinds)]
        if served or not missing.kinds:
            yield f"{missing.files} would bring more: {', '.join(served) or 'cases of every kind'}"
