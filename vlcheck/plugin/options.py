"""The options of the command line and of pytest's ini file."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest

from vlcheck._util.addresses import checked_address
from vlcheck._util.option_names import option_of
from vlcheck._util.paths import expanded, there_is
from vlcheck._util.spec_secrets import refuse_secrets
from vlcheck.errors import UsageError, nearest
from vlcheck.results import run_id
from vlcheck.zoo import PLANTED

if TYPE_CHECKING:
    from vlcheck.explain.request import Request


class _Joining(argparse.Action):
    """An option that may be said several times: its values are joined with commas."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        said = getattr(namespace, self.dest)
        setattr(namespace, self.dest, str(values) if said is None else f"{said},{values}")


class _Option(NamedTuple):
    name: str
    metavar: str
    help: str


_OPTIONS = (
    _Option("model", "SPEC", "the model under test: tiny, albef:CHECKPOINT, package.module:factory or file.py:factory"),
    _Option(
        "data",
        "SPEC",
        "the cases: scenes, coco:ROOT[@SPLIT], jsonl:PATH, a table (parquet:PATH, webdataset:SHARDS, hf:NAME) or a foil"
        " suite (e.g. sugarcrepe:FOLDER@coco:ROOT); then [:N[:SEED]], N images for each test",
    ),
    _Option("columns", "FIELD=COLUMN,...", "the columns of hf:, parquet: and webdataset: data, or a TOML file of them"),
    _Option("device", "NAME", "where the model runs: cpu, cuda, cuda:1, mps (cpu)"),
    _Option(
        "dtype",
        "NAME",
        "precision: float32, bfloat16, float16, float64; verified: bfloat16, and float32 where a verdict could differ"
        " (float32)",
    ),
    _Option("batch-size", "N", "most images that are encoded at once, or auto: by the free memory (auto)"),
    _Option(
        "engine",
        "NAME[:ADDRESS]",
        "where the model is asked: local, in the run's own processes; alone, in one; ray, on a cluster (local)",
    ),
    _Option("store", "PATH", "keep scores in this file and use them again, also in later runs"),
    _Option(
        "shard", "I/N", "ask the I-th of N parts of the questions into --vl-store, for vlcheck merge; judge nothing"
    ),
    _Option("results", "PATH", "write the results to this file (vlcheck-results.jsonl)"),
    _Option(
        "run-id", "ID", "the run's id, by which vlcheck gate finds its results (the CI server's, else a random one)"
    ),
    _Option("report", "PATH", "write a page for reviewers to this file, with the pictures that prove each verdict"),
    _Option(
        "report-url",
        "URL",
        "the address at which that page will be found: the step's summary and JUnit's file link each test to it",
    ),
    _Option(
        "beside", "PATH", "results of an earlier run to show beside these, e.g. those of BERT, which sees no picture"
    ),
    _Option(
        "control",
        "SPEC",
        "a model to judge by the same tests and show beside, e.g. google-bert/bert-base-uncased, which sees no picture",
    ),
    _Option("baseline", "PATH", "results of the previous release: this run ends with 1 if anything is worse"),
    _Option("policy", "PATH", "tolerances and allowed rates (fixtures/policy.toml of the tests' suite)"),
    _Option("lexicons", "DIR", "word lists that replace the shipped ones (fixtures/lexicons/ of the tests' suite)"),
    _Option(
        "explain",
        "METHOD[:K],...",
        "explain scores: mmshap and ablation add tests; an attribution method, e.g. saliency:20, maps K worst cases",
    ),
)
_FLAGS = (
    _Option("no-images", "", "leave the pictures out of the results, e.g. because they are private"),
    _Option(
        "sequential", "", "ask about images in growing batches, and stop each test as soon as its verdict is decided"
    ),
    _Option(
        "wordings",
        "",
        "ask a generative model its yes-no question in three wordings, and say which verdicts depend on the wording",
    ),
    _Option(
        "compile",
        "",
        "compile the model's layers by torch.compile, mostly for a GPU; scores differ in their last digits",
    ),
    _Option("cases", "", "add a test for every single case; it never fails the run: xfail if the case violates"),
)
LOCAL = "local"  # the engine that a run has unless another one is named
_AUTO = "auto"  # a batch size by the free memory
# Options that a verdict depends on; the others name output files, or results to compare with.
_JUDGED_BY = ("model", "data", "columns", "device", "dtype", "policy", "lexicons", "explain")
_JUDGED_HOW = ("sequential", "wordings", "compile", "trust-remote-code")


@dataclass(frozen=True)
class Settings:
    """The values of the options.

    Attributes:
        model: spec of the model under test.
        data: spec of the data.
        columns: the columns of data in tables; "" for their usual names.
        device: device on which the model runs.
        dtype: precision of the model.
        batch_size: the most images that are encoded at once; None if the free memory decides.
        engine: name of the engine that runs the plans, with its address if it has one.
        store: file in which scores are kept; None to keep none.
        shard: the part of the questions to ask, as "2/8"; "" for all of them.
        results: file for the results.
        run_id: id of the run; "" if neither an option nor the CI server names one.
        report: file for the reviewer page; None for no page.
        report_url: the address at which the page will be found; "" if it is not known.
        beside: results of an earlier run to show beside these.
        control: spec of the model to judge by the same tests and show beside; "" for none.
        baseline: results of the previous release.
        policy: policy file; None for that of the tests' suite.
        lexicons: folder of lexicons; None for that of the tests' suite.
        explain: the methods of explanation, each with a number of cases.
        images: True to keep pictures in the results.
        cases: True to have a pytest item for every case, too.
        sequential: True to stop each test once its verdict is decided.
        wordings: True to ask a question in words in each of its wordings.
        compile: True to compile the layers of the model.
        plan: True to score nothing, and to print what a run would take.
        trust_remote_code: True to run Python code that comes with a checkpoint.
        asked: True if --vl-model was given on the command line.
        chosen: True if --vl-data was given on the command line.
        html: file that pytest-html writes, if it does.
        junit: file of pytest's JUnit XML, if it writes one.
        processes: the number of processes that share the scoring: the workers of pytest-xdist, or this process alone.
    """

    model: str
    data: str
    columns: str
    device: str
    dtype: str
    batch_size: int | None
    engine: str
    store: Path | None
    shard: str
    results: Path
    run_id: str
    report: Path | None
    report_url: str
    beside: Path | None
    control: str
    baseline: Path | None
    policy: Path | None
    lexicons: Path | None
    explain: tuple[Request, ...]
    images: bool
    cases: bool
    sequential: bool
    wordings: bool
    compile: bool
    plan: bool
    trust_remote_code: bool
    asked: bool
    chosen: bool
    html: Path | None
    junit: Path | None
    processes: int

    def demand_data(self) -> None:
        """Raise UsageError if no data is named."""
        if not self.data:
            raise UsageError(f"--vl-data is missing: {_help('data')}.")

    def demand(self) -> None:
        """Raise UsageError unless model, data and output files are named and fit together."""
        if not self.model:
            raise UsageError(f"--vl-model is missing: {_help('model')}. There is no default.")
        self.demand_data()
        self.demand_comparable()
        self._demand_one_beside()
        self._demand_layers()
        self._demand_a_match()
        self._demand_places()

    def demand_reports(self) -> None:
        """Raise UsageError if pytest or pytest-html could not write its file, or would write to a pipe."""
        from vlcheck._util.files import demand_room
        from vlcheck._util.foreign_files import fault  # not imported in runs of other projects

        for option, path in (("--html", self.html), ("--junit-xml", self.junit)):
            if path is None or path.is_char_device():
                continue
            if there_is(str(path)) and (why := fault(path)):
                raise UsageError(f"{option} {path}: cannot be written ({why}). Name a file.")
            demand_room(path, option)

    def demand_comparable(self) -> None:
        """Raise UsageError if a baseline is combined with a sequential run."""
        if self.sequential and self.baseline:
            raise UsageError(
                "--vl-sequential: does not go with --vl-baseline: each run stops as soon as it can decide, so that the"
                " two releases would have few images in common, or none. Leave one of them out."
            )

    def _demand_one_beside(self) -> None:
        """Raise UsageError if two runs are to be shown beside this one."""
        if self.beside and self.control:
            raise UsageError("--vl-control: does not go with --vl-beside: one model is shown beside. Leave one out.")

    def _demand_layers(self) -> None:
        """Raise UsageError if layers are to be compiled whose insides are explained, or that another machine loads."""
        if self.compile and self.explain:
            raise UsageError("--vl-compile: does not go with --vl-explain, which looks into the layers. Leave one out.")
        if self.compile and self.dtype == "verified" and self.engine.partition(":")[0] not in (LOCAL, "alone"):
            raise UsageError(
                f"--vl-compile: --vl-engine {self.engine} compiles a model in one type alone. Name a --vl-dtype other"
                " than verified, or leave --vl-compile out."
            )

    def _demand_places(self) -> None:
        """Raise UsageError if results or report cannot be written, or would replace another file."""
        from vlcheck.report import page  # not imported in runs of other projects
        from vlcheck.results.file import check_results_path
        from vlcheck.results.places import Places, control_beside

        others = {"--vl-store": self.store, "--html": self.html, "--junitxml": self.junit, "--vl-beside": self.beside}
        places = Places(self.results)
        places.demand(others)
        if self.control:
            for path in places.of_control:
                check_results_path(path, others, "--vl-control")
        if self.report:
            others |= {"--vl-results": self.results, "--vl-baseline": self.baseline}
            others |= {"--vl-control": control_beside(self.results)} if self.control else {}
            page.check_page_path(self.report, others, "--vl-report")

    def _demand_a_match(self) -> None:
        """Raise UsageError if the ini file's scenes meet a model of the user's, or its zoo model meets other data."""
        drawn = self.data.partition(":")[0] == "scenes"
        embedded = self.model in PLANTED
        if drawn and not embedded and not self.chosen:
            meant = f" {nearest(self.model, PLANTED)}" if ":" not in self.model else ""
            raise UsageError(
                f"--vl-data is missing: {self.model} would be asked about the ini file's {self.data}, drawn pictures"
                f" for the models of the zoo ({', '.join(PLANTED)}).{meant} Name your data, or, if you do want the"
                f" drawn pictures, say --vl-data {self.data}."
            )
        if embedded and not drawn and not self.asked:
            raise UsageError(
                f"--vl-model is missing: the ini file's {self.model} was trained on drawn scenes alone, and would be"
                f" asked about {self.data}. Name your model, or say --vl-model {self.model}."
            )


def add_options(parser: pytest.Parser) -> None:
    """Add the options, each with a key of the ini file: --vl-batch-size is vl_batch_size."""
    group = parser.getgroup("vlcheck", "behavioural tests of vision-language models")
    for option in _OPTIONS:
        action = _Joining if option.name == "explain" else "store"
        group.addoption(f"--vl-{option.name}", metavar=option.metavar, default=None, help=option.help, action=action)
        parser.addini(_ini(option.name), option.help, default="")
    for flag in _FLAGS:
        group.addoption(f"--vl-{flag.name}", action="store_true", default=None, help=flag.help)
        parser.addini(_ini(flag.name), flag.help, type="bool", default=False)
    # Not in the ini file: foreign code runs only if the user says so each time.
    group.addoption("--vl-trust-remote-code", action="store_true", help="run Python code that comes with a checkpoint")
    group.addoption(
        "--vl-plan",
        action="store_true",
        help="say how long the selected tests take and what they can decide; score nothing",
    )


def rerun_command(config: pytest.Config, test: str) -> list[str]:
    """Return the command that runs a test again, with all options that its verdict depends on.

    Args:
        config: pytest's configuration of the run.
        test: the test's node id.
    """
    said = {name: config.getoption(_ini(name), default=None) for name in _JUDGED_BY}
    flags = [f"--vl-{name}" for name in _JUDGED_HOW if config.getoption(_ini(name), default=None)]
    return ["pytest", test, *(f"--vl-{name}={value}" for name, value in said.items() if value is not None), *flags]


def disable_workers(config: pytest.Config) -> None:
    """Undo -n: a plan needs no workers."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []


def read_settings(config: pytest.Config) -> Settings:
    """Read each option from the command line, or else from the ini file.

    Raises:
        UsageError: a value is of the wrong kind.
    """
    said = partial(_said, config)

    def flag(name: str) -> bool:
        return bool(config.getoption(_ini(name), default=None) or config.getini(_ini(name)))

    def path(name: str) -> Path | None:
        if config.getoption(_ini(name), default=None) == "":
            raise UsageError(f"--vl-{name}: is empty; leave it out, or name a file or folder: {_help(name)}.")
        return config.invocation_params.dir / expanded(said(name), f"--vl-{name}") if said(name) else None

    def others(destination: str, option: str) -> Path | None:
        said = config.getoption(destination, default=None)
        return config.invocation_params.dir / expanded(os.path.expandvars(said), option) if said else None

    for name in ("model", "control"):
        refuse_secrets(said(name), name)
    return Settings(
        model=said("model"),
        data=said("data"),
        columns=said("columns"),
        device=read_device(config),
        dtype=said("dtype") or "float32",
        batch_size=_batch_size(said("batch-size") or _AUTO),
        engine=said("engine") or LOCAL,
        store=path("store"),
        shard=said("shard"),
        results=path("results") or config.invocation_params.dir / "vlcheck-results.jsonl",
        run_id=_run_id(config.getoption("vl_run_id", default=None), config.getini("vl_run_id")),
        report=path("report"),
        report_url=checked_address(said("report-url"), "--vl-report-url") if said("report-url") else "",
        beside=None if _gives_way(config, "beside", "control") else path("beside"),
        control="" if _gives_way(config, "control", "beside") else said("control"),
        baseline=path("baseline"),
        policy=path("policy"),
        lexicons=path("lexicons"),
        explain=_requests(said("explain")),
        images=not flag("no-images"),
        cases=flag("cases"),
        sequential=flag("sequential"),
        wordings=flag("wordings"),
        compile=flag("compile"),
        plan=bool(config.getoption("vl_plan", default=False)),
        trust_remote_code=bool(config.getoption("vl_trust_remote_code", default=False)),
        asked=config.getoption("vl_model", default=None) is not None,
        chosen=config.getoption("vl_data", default=None) is not None,
        html=others("htmlpath", "--html"),
        junit=others("xmlpath", "--junit-xml"),
        processes=getattr(config, "workerinput", {}).get("vlcheck_workers", 1),
    )


def read_device(config: pytest.Config) -> str:
    """Return the device on which the model runs, "cpu" unless an option names one."""
    return _said(config, "device") or "cpu"


def names_model(config: pytest.Config) -> bool:
    """Return True if an option names a model to test."""
    return bool(_said(config, "model"))


def message_of(error: UsageError) -> str:
    """Return an error's message, with the names of options in place of parameters."""
    return error.with_options(option_of)


def on_the_command_line(config: pytest.Config, name: str) -> bool:
    """Return True if an option was given on the command line, and not only in the ini file.

    Args:
        config: pytest's configuration of the run.
        name: the option without --vl-, e.g. "batch-size".
    """
    return config.getoption(_ini(name), default=None) is not None


def _said(config: pytest.Config, name: str) -> str:
    """Return the text of an option on the command line, or else in the ini file."""
    given = config.getoption(_ini(name), default=None)
    return cast("str", config.getini(_ini(name)) if given is None else given)


def _gives_way(config: pytest.Config, name: str, other: str) -> bool:
    """Return True if an option of the ini file gives way to another option, which is on the command line."""
    return on_the_command_line(config, other) and not on_the_command_line(config, name)


def _run_id(said: str | None, ini: str) -> str:
    if said is None and not ini:
        return run_id.of_ci(os.environ)
    return run_id.checked(ini if said is None else said, "--vl-run-id")


def _requests(said: str) -> tuple[Request, ...]:
    if not said:
        return ()
    from vlcheck.explain.request import parse_requests  # brings torch

    return parse_requests(said)


def _help(name: str) -> str:
    return next(option.help for option in _OPTIONS if option.name == name)


def _ini(name: str) -> str:
    return f"vl_{name.replace('-', '_')}"


def _batch_size(text: str) -> int | None:
    if text == _AUTO:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--vl-batch-size {text}: has to be a whole number from 1 on, or {_AUTO}.")
    return int(text)
