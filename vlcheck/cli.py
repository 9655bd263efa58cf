"""The command line, for what is not a test."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlcheck.behavior import Trials
from vlcheck.cases import CaseSource, open_source
from vlcheck.cases.export import write_jsonl
from vlcheck.drafts import replace_all
from vlcheck.errors import UsageError, nearest
from vlcheck.models.families import table
from vlcheck.models.load import load_model
from vlcheck.models.protocol import only_compares
from vlcheck.plugin.collect import collect
from vlcheck.plugin.foresight import Chosen, foresee, outlook
from vlcheck.policy import METRICS, load_policy
from vlcheck.report.summary import aligned
from vlcheck.suite import policy_path, suite_folder
from vlcheck.zoo import PLANTED
from vlcheck.zoo.recipe import RECIPES, Recipe, checkpoint

if TYPE_CHECKING:
    from vlcheck.zoo.base import Base
    from vlcheck.zoo.training import Losses

USAGE_ERROR = 4  # as pytest ends where an option cannot be used
PROCESSES = 2 * (os.cpu_count() or 1)  # more than cores, so that none is idle while the last variants are asked
INTERRUPTED = 130  # as a shell has it of Ctrl-C

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Behavioural tests for vision-language models.")

models = typer.Typer(help="The families of models that --vl-model takes.")
app.add_typer(models, name="models")

zoo = typer.Typer(no_args_is_help=True, help="The embedded models, whose biases are known.")
app.add_typer(zoo, name="zoo")

Data = Annotated[str, typer.Argument(help="scenes[:N[:SEED]], coco:ROOT[:N[:SEED]] or jsonl:PATH[:N[:SEED]]")]
OwnLexicons = Annotated[
    Path | None, typer.Option("--lexicons", "--vl-lexicons", help="a folder of lexicons that replace shipped ones")
]
TrustRemoteCode = Annotated[
    bool, typer.Option("--vl-trust-remote-code", help="let Python code that comes with a checkpoint run")
]
Suite = Annotated[Path | None, typer.Option(help="the folder of tests; the shipped suite unless said")]


@app.command()
def cases(
    data: Data,
    lexicons: OwnLexicons = None,
    suite: Suite = None,
    to: Annotated[Path | None, typer.Option(help="write all cases to this file, as JSON lines")] = None,
    copy: Annotated[bool, typer.Option("--copy", help="put their images beside that file")] = False,
) -> None:
    """List what the data offers each behavior, and what was left out; or write it."""
    with _plainly():
        if copy and not to:
            raise UsageError("--copy: name the file beside which the images go with --to, e.g. --to mine/cases.jsonl.")
        source = open_source(data, lexicons=lexicons)
        if not source.cases:
            raise UsageError(f"{data}: offers no case. Left out: {dict(source.left_out)}.")
        if to:
            _say(f"{write_jsonl(to, source.cases, copy=copy)} cases written to {to}")
            return
        for line in _offered(source, collect(suite or _shipped())):
            _say(line)


@app.command()
def plan(
    data: Data,
    model: Annotated[
        str, typer.Option("--model", "--vl-model", help="estimates the time as well, e.g. albef:ALBEF_4M.pth")
    ] = "",
    device: Annotated[str, typer.Option("--device", "--vl-device", help="where the model runs")] = "cpu",
    dtype: Annotated[str, typer.Option("--dtype", "--vl-dtype", help="precision")] = "float32",
    policy: Annotated[
        Path | None, typer.Option("--policy", "--vl-policy", help="what the model will be held to")
    ] = None,
    lexicons: OwnLexicons = None,
    suite: Suite = None,
    trusted: TrustRemoteCode = False,
) -> None:
    """Say per test how many cases there are and what they can decide, and what scoring them takes; score nothing."""
    with _plainly():
        chosen = collect(suite or _shipped())
        source = open_source(data, lexicons=lexicons)
        adapter = load_model(model, device=device, dtype=dtype, trust_remote_code=trusted) if model else None
        metrics = adapter.metrics if adapter else METRICS
        trials = Trials(source, relative=only_compares(adapter))
        for line in outlook(foresee(chosen, trials, load_policy(policy or policy_path()), metrics), adapter):
            _say(line)


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help=f"what to make: {', '.join(RECIPES)}")],
    to: Annotated[Path, typer.Option(help="the folder for checkpoint and weights; where a checkpoint is, it goes on")],
    steps: Annotated[int | None, typer.Option(min=1, help="stop after so many, for a look")] = None,
    base: Annotated[Path | None, typer.Option(help="weights to begin with, in place of those that ship")] = None,
    examined: Annotated[int, typer.Option(min=1, help="scenes, held out, on which it is examined in the end")] = 10_000,
) -> None:
    """Make a variant of the embedded model from nothing; killed, it goes on where its last checkpoint was."""
    with _plainly():
        if recipe not in RECIPES:
            raise UsageError(f"recipe {recipe!r}: there is none. {nearest(recipe, RECIPES)}")
        with _stoppable(checkpoint(to, RECIPES[recipe])):
            _train(RECIPES[recipe], to, steps, base, examined)


def _train(recipe: Recipe, to: Path, steps: int | None, base: Path | None, examined: int) -> None:
    from vlcheck.zoo import exam, files, training  # rare, and not light to import

    begun = _base(recipe, to, base)
    trained = training.train(recipe, to, base=begun, steps=steps, tell=_Diary(recipe.last(steps), _say))
    network = trained.network.half().float()  # as it is kept
    right = exam.examine(network, exam.held_out(recipe, examined))
    for kind, share in right.items():
        _say(f"{kind:30} {100 * share.right:6.2f} % right of {share.n} held out")
    if len(trained.losses) < recipe.steps:
        _say(f"stopped on the way, at {checkpoint(to, recipe)}")
    else:
        _say(f"weights: {files.write_model(to, recipe, network, trained.losses, right, begun)}")


def _base(recipe: Recipe, to: Path, own: Path | None) -> Base | None:
    """The weights to begin with: one's own, else those that ship, else none."""
    from vlcheck.zoo.base import read_base
    from vlcheck.zoo.shelf import weights_of

    if own and own.resolve() == (to / f"{recipe.name}.safetensors").resolve():
        raise UsageError(f"--base {own}: is what would be written; name another folder with --to, or a copy of it.")
    if own:
        return read_base(own)
    return read_base(weights_of(recipe.base), recipe.base) if recipe.base else None


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context) -> None:
    """List families and architectures, the kind of score of each metric, and which of the suite's tests ask for it."""
    if context.invoked_subcommand is None:
        with _plainly():
            asked: dict[str, list[str]] = defaultdict(list)
            for item, statement in collect(_shipped()):
                asked[statement.metric].append(item.originalname)
            for line in aligned(list(table({metric: len(names) for metric, names in asked.items()}))):
                _say(line)
            for metric, names in asked.items():
                _say(f"{metric} is asked by {', '.join(names)}")


@models.command("check")
def check_model(
    model: Annotated[str, typer.Argument(help="as --vl-model has it")],
    data: Annotated[
        str, typer.Option("--data", "--vl-data", help="whose pictures and texts it is asked about")
    ] = "scenes",
    device: Annotated[str, typer.Option("--device", "--vl-device", help="where the model runs")] = "cpu",
    dtype: Annotated[str, typer.Option("--dtype", "--vl-dtype", help="precision")] = "float32",
    trusted: TrustRemoteCode = False,
) -> None:
    """Try the protocol's contract on a model; end with 1 unless it keeps to all of it."""
    from vlcheck.models.contract import PROBES, TOLERANCES, examine, probes_of  # rare

    with _plainly():
        probes = probes_of(open_source(data).cases)
        if len(probes) < PROBES:
            raise UsageError(
                f"--data {data}: has {len(probes)} pictures of cases with candidates, and {PROBES} are needed:"
                " say a larger N, or leave it out."
            )
        outcomes = []
        adapter = load_model(model, device=device, dtype=dtype, trust_remote_code=trusted)
        for outcome in examine(adapter, probes, tolerance=TOLERANCES[dtype]):
            outcomes.append(outcome)
            _say(f"{'kept  ' if outcome.kept else 'BROKEN'}  {outcome.clause}: {outcome.found}")
    if not outcomes or not all(outcome.kept for outcome in outcomes):
        sys.exit(1)


@zoo.command()
def matrix(
    seeds: Annotated[int, typer.Option(min=1, help="of the scenes")] = 5,
    images: Annotated[int, typer.Option(min=1, help="a behavior and seed")] = 200,
    variant: Annotated[list[str] | None, typer.Option(help="some of the zoo; all unless said")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="processes at once, of 1.4 GB each")] = PROCESSES,
    suite: Suite = None,
    to: Annotated[Path | None, typer.Option(help="write every verdict to this file, as JSON")] = None,
) -> None:
    """Ask every variant about every bias; end with 1 unless what is planted fails, and nothing else does."""
    from vlcheck.matrix import as_json, lines, make_matrix  # rare, and not light to import
    from vlcheck.zoo import shelf

    with _plainly():
        for name in variant or PLANTED:
            if name not in PLANTED:
                raise UsageError(f"--variant {name}: there is none. {nearest(name, PLANTED)}")
            shelf.weights_of(name)
        if to and (to.is_dir() or not os.access(to.parent, os.W_OK)):
            raise UsageError(f"--to {to}: has to be a file, in a folder that can be written to.")
        variants = dict.fromkeys(variant or PLANTED)
        found = make_matrix(
            suite or _shipped(), policy_path(), variants=variants, seeds=seeds, images=images, jobs=jobs
        )
        for line in aligned(list(lines(found))):
            _say(line)
        amiss = list(found.amiss())
        for line in amiss:
            _say(line)
        if to:
            _write(to, as_json(found))
    if amiss:
        sys.exit(1)


class _Diary:
    """Says every hundredth step how training goes, and how long it will still take."""

    def __init__(self, last: int, say: Callable[[str], None]) -> None:
        self._last, self._say = last, say
        self._since: tuple[float, int] | None = None

    def __call__(self, losses: Losses) -> None:
        began, first = self._since = self._since or (time.monotonic(), losses.step)
        if losses.step % 100 == 0 and losses.step > first:
            each = (time.monotonic() - began) / (losses.step - first)
            left = each * (self._last - losses.step) / 60
            self._say(
                f"step {losses.step} of {self._last}: mlm {losses.mlm:.3f}, itm {losses.itm:.3f};"
                f" {each:.2f} s a step, about {left:.0f} minutes left"
            )


def _offered(source: CaseSource, chosen: Chosen) -> Iterator[str]:
    """Cases per behavior, with the commonest targets; then what was left out, by reason."""
    rows = [["behavior", "cases", "targets"]]
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


def _shipped() -> Path:
    return suite_folder() / "behavior_tests"


def _write(path: Path, text: str) -> None:
    try:
        replace_all({path: text.encode()})
    except OSError as error:
        raise UsageError(f"--to {path}: cannot be written ({error.strerror}).") from error


def _say(line: str) -> None:
    typer.echo(line)


@contextmanager
def _plainly() -> Iterator[None]:
    """End with the usage error's own words, or with one of Ctrl-C, in place of the way it came."""
    try:
        yield
    except UsageError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(INTERRUPTED)


@contextmanager
def _stoppable(kept: Path) -> Iterator[None]:
    """End at Ctrl-C with a line that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        how = f"goes on from {kept}" if kept.exists() else "begins again: there is no checkpoint yet"
        typer.echo(f"Stopped; the same command {how}.", err=True)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    app()
