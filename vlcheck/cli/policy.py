"""Show the policy in force, or propose a new one from a trusted model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from vlcheck._util.files import demand_place
from vlcheck._util.numbers import brief, counted
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.suite import fitting, subjects
from vlcheck.behaviors.trials import Trials
from vlcheck.cli.arguments import (
    CASES,
    MODELS,
    Device,
    DType,
    OwnLexicons,
    OwnPolicy,
    Suite,
    TableColumns,
    TrustRemoteCode,
    chosen_suite,
    lexicons_for,
    policy_for,
)
from vlcheck.cli.console import TO, say, say_all, write_file
from vlcheck.cli.group import PLAIN, Group
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError, nearest
from vlcheck.evaluation.records import excuse_record
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.registry import METRICS
from vlcheck.models.loading.load import load_model
from vlcheck.plugin.collect import collect
from vlcheck.policy.policy import SCALING, UNDECIDED, Policy, Terms, Value
from vlcheck.results.known_biases import excuse
from vlcheck.stats.decision import Claim

_LIMITS: Mapping[Claim, Sequence[str]] = {"rate": ("allowed", "alpha"), "mean": ("band", "alpha"), "lead": ("alpha",)}
Names = Annotated[list[str] | None, typer.Argument(metavar="TEST...", help="some of the tests; by default all")]

app = typer.Typer(cls=Group, help=__doc__, add_completion=False, **PLAIN)


@app.command()
def show(tests: Names = None, policy: OwnPolicy = None, suite: Suite = None) -> None:
    """Print the tolerances and limits of each test, and from which table of the policy each value comes."""
    collected = collect(chosen_suite(suite))
    held = policy_for(collected, policy).as_of(datetime.now(UTC).date())
    behaviors = {test.function_name: test.behavior for test in collected.tests}
    for name in tests or ():
        if name not in behaviors:
            raise UsageError(f"{name}: there is no such test. {nearest(name, behaviors)}")
    say(f"policy: {held.path}")
    say(f"required: {', '.join(held.required_of(subjects(collected.tests))) or 'no bias'}")
    for name in tests or behaviors:
        metrics = [test.metric for test in collected.tests if test.function_name == name]
        for line in _held_to(held, behaviors[name], list(dict.fromkeys(metrics))):
            say(line)


@app.command()
def calibrate(
    model: Annotated[str, typer.Option("--model", "--vl-model", help=f"a trusted model: {MODELS}")],
    data: Annotated[str, typer.Option("--data", "--vl-data", help=CASES)],
    policy: OwnPolicy = None,
    store: Annotated[Path | None, typer.Option("--store", "--vl-store", help="keep scores in this file")] = None,
    device: Device = "cpu",
    dtype: DType = "float32",
    lexicons: OwnLexicons = None,
    columns: TableColumns = "",
    suite: Suite = None,
    trusted: TrustRemoteCode = False,
    to: Annotated[Path | None, typer.Option(help="write the policy to this file, which must not exist yet")] = None,
) -> None:
    """Propose a policy: the strictest tolerances and bands under which a trusted model still passes."""
    from vlcheck.evaluation.config import EvaluationConfig
    from vlcheck.evaluation.progress import Tenths
    from vlcheck.evaluation.session import scored
    from vlcheck.studies.policy_calibration import Trust, collect_scores, policy_lines, propose  # slow to import

    today = datetime.now(UTC).date()
    if to:
        _demand_place(to, store)
    collected = collect(chosen_suite(suite, partial(say, error=True)))  # what is printed is the policy alone
    before = policy_for(collected, policy)
    source = open_source(data, lexicons=lexicons_for(collected, lexicons), columns=columns or None)
    adapter = load_model(model, device=device, dtype=dtype, trust_remote_code=trusted)
    trials = Trials.for_model(source, adapter)
    config = EvaluationConfig(store=store, images=False)
    tests = fitting(collected.tests, source)
    with scored(config, adapter, trials, before, tests, Tenths(partial(say, error=True))) as under_test:
        asked = collect_scores(under_test, tests)
        say(f"fitting the tolerances and bands of {counted(len(asked), 'test')}", error=True)
        proposal = propose(before.about(subjects(tests)), asked)
    if not any(one.passes(proposal.policy) for one in proposal.asked):
        raise UsageError(f"--vl-model {model}: passes none of the tests; nothing can be proposed from it.")
    text = "".join(f"{line}\n" for line in policy_lines(proposal, Trust(model, adapter.fingerprint, data, today)))
    _write(to, text, store) if to else say_all(text)


def _demand_place(to: Path, store: Path | None) -> None:
    """Check that the policy replaces no file."""
    demand_place(to, TO, "policy", others={"--store": store})


def _write(to: Path, text: str, store: Path | None) -> None:
    """Write the policy; if that fails, or a file was created meanwhile, print it so that it is not lost."""
    try:
        _demand_place(to, store)
        write_file(to, text.encode())
    except UsageError as error:
        say_all(text)
        raise UsageError(f"{error.marked} The policy is printed instead.") from error


def _held_to(policy: Policy, behavior: Behavior, metrics: Sequence[Metric]) -> Iterator[str]:
    """Yield a head, and a line for each value; metrics with the same value, or with one table, share a line."""
    yield ""
    yield f"{behavior.name} ({behavior.bias}; {', '.join(metrics)})"
    terms = policy.of(behavior.name, behavior.bias)
    rows = [*_rule(terms, behavior), *_tolerances(terms, behavior, metrics), *_undecided(terms)]
    rows += _known(terms, metrics)
    yield from (f"  {line}" for line in _columns(rows))


def _rule(terms: Terms, behavior: Behavior) -> Iterator[list[str]]:
    yield from (_row(terms.policy, key, [terms.find(key)]) for key in _LIMITS[behavior.expect.claim])


def _undecided(terms: Terms) -> Iterator[list[str]]:
    yield from (_row(terms.policy, key, [terms.find(key)]) for key in UNDECIDED)


def _tolerances(terms: Terms, behavior: Behavior, metrics: Sequence[Metric]) -> Iterator[list[str]]:
    """Yield the tolerances that the expectation reads, each with its scale, also of kinds of score with a table."""
    for key, by in _read(behavior, metrics):
        plain = {metric: terms.find(key, metric) for metric in by}
        for value in dict.fromkeys(found.value for found in plain.values()):
            equal = [metric for metric in by if plain[metric].value == value]
            under = "" if equal == list(by) else f" ({', '.join(equal)})"
            yield _row(terms.policy, f"{key}{under}", [plain[metric] for metric in equal])
        for metric in by:
            for kind in terms.policy.named(f"tolerances.{metric}"):
                found = terms.find(key, metric, kind)
                if found.table == f"tolerances.{metric}.{kind}":
                    yield _row(terms.policy, f"{key} ({metric}, {kind})", [found])


def _read(behavior: Behavior, metrics: Sequence[Metric]) -> Iterator[tuple[str, Sequence[Metric]]]:
    """Yield the keys that the behavior reads, each with its metrics; `mass` is for matching alone."""
    yield from ((key, metrics) for key in behavior.expect.reads())
    yield from ((key, [metric]) for metric in metrics for key in METRICS[metric].tolerances)
    yield from ((key, metrics) for key in SCALING)


def _known(terms: Terms, metrics: Sequence[Metric]) -> Iterator[list[str]]:
    by_metric = {metric: terms.known(metric) for metric in metrics}
    for known in dict.fromkeys(filter(None, by_metric.values())):
        under = ", ".join(metric for metric in metrics if by_metric[metric] == known)
        from_entry = f"{terms.policy.path.name} known[{known.number}]"
        yield [f"known ({under})", excuse(excuse_record(known)), from_entry]


def _row(policy: Policy, name: str, values: Sequence[Value]) -> list[str]:
    tables = dict.fromkeys(value.table for value in values)
    said = ", ".join(f"[{table}]" for table in tables if table)
    from_file = f"{policy.path.name} {said}" if said else ""
    return [name, _shown(values[0].value), ", ".join(filter(None, [from_file, "built in" if "" in tables else ""]))]


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " to ".join(map(brief, value))
    return brief(value) if isinstance(value, float) else str(value)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows in columns, all aligned to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
