"""The command line's and the ini file's options."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from vlcheck._util.option_names import option_of
from vlcheck._util.paths import expanded, there_is
from vlcheck.errors import UsageError, nearest
from vlcheck.results import run_id
from vlcheck.zoo import PLANTED


class _Option(NamedTuple):
    name: str
    metavar: str
    help: str


_OPTIONS = (
    _Option("model", "SPEC", "the model under test: tiny, albef:CHECKPOINT, package.module:factory or file.py:factory"),
    _Option(
        "data",
        "SPEC",
        "the cases: scenes[:N[:SEED]], coco:ROOT[@SPLIT][:N[:SEED]] or jsonl:PATH[:N[:SEED]]; N images a test (200)",
    ),
    _Option("device", "NAME", "where the model runs: cpu, cuda, cuda:1, mps (cpu)"),
    _Option("dtype", "NAME", "precision: float32, bfloat16, float16, float64 (float32)"),
    _Option("batch-size", "N", "images encoded at once (16)"),
    _Option("store", "PATH", "keep scores in this file and ask nothing twice, also over runs"),
    _Option("results", "PATH", "where the results go (vlcheck-results.jsonl)"),
    _Option("run-id", "ID", "the run's id, by which vlcheck gate knows its results (the CI server's, else drawn)"),
    _Option("report", "PATH", "a page for reviewers, with the pictures that prove each verdict: report.html"),
    _Option(
        "beside", "PATH", "an earlier run's results, shown beside this one's, e.g. those of BERT, which sees no picture"
    ),
    _Option("baseline", "PATH", "the results of the release before: this run ends with 1 where anything is worse"),
    _Option("policy", "PATH", "tolerances and allowed rates (fixtures/policy.toml of the tests' suite)"),
    _Option("lexicons", "DIR", "words that replace the shipped lexicons (likewise lexicons/)"),
)
_FLAGS = (
    _Option("no-images", "", "leave the pictures out of the results, e.g. where they are private"),
    _Option("sequential", "", "ask about images in growing batches, each behavior until its verdict is decided"),
    _Option("cases", "", "a test for every single case as well, which gates nothing: an xfail where the case violates"),
)
# What a verdict depends on; the rest says where results go, or what they are compared with.
_JUDGED_BY = ("model", "data", "device", "dtype", "policy", "lexicons")
_JUDGED_HOW = ("sequential", "trust-remote-code")


@dataclass(frozen=True)
class Settings:
    """What the options say.

    Attributes:
        policy: what is said; None for that of the tests' suite.
        lexicons: likewise.
        asked: whether --vl-model was given on the command line.
        chosen: whether --vl-data was.
        run_id: the run's; "" where neither an option nor the CI server says it.
        html: where pytest-html writes, if it does.
        junit: where pytest writes its JUnit XML, if it does.
    """

    model: str
    data: str
    device: str
    dtype: str
    batch_size: int
    store: Path | None
    results: Path
    run_id: str
    report: Path | None
    beside: Path | None
    baseline: Path | None
    policy: Path | None
    lexicons: Path | None
    images: bool
    cases: bool
    sequential: bool
    plan: bool
    trust_remote_code: bool
    asked: bool
    chosen: bool
    html: Path | None
    junit: Path | None

    def demand_data(self) -> None:
        """Raise UsageError where it is not said what is to be asked about."""
        if not self.data:
            raise UsageError(f"--vl-data is missing: {_help('data')}.")

    def demand(self) -> None:
        """Raise UsageError where it is not said which model is to be asked about what."""
        if not self.model:
            raise UsageError(f"--vl-model is missing: {_help('model')}. There is no default.")
        self.demand_data()
        self.demand_comparable()
        self._demand_a_match()
        self._demand_places()

    def demand_reports(self) -> None:
        """Raise UsageError where pytest or pytest-html would write to what is no file: to a pipe, it waits for ever."""
        from vlcheck._util.foreign_files import fault  # in no run of other projects

        for option, path in (("--html", self.html), ("--junit-xml", self.junit)):
            if path and there_is(str(path)) and not path.is_char_device() and (why := fault(path)):
                raise UsageError(f"{option} {path}: cannot be written ({why}). Name a file.")

    def demand_comparable(self) -> None:
        """Raise UsageError where a baseline is named, and how much is asked hangs on what is found."""
        if self.sequential and self.baseline:
            raise UsageError(
                "--vl-sequential: does not go with --vl-baseline: where it stops asking hangs on what it found, and the"
                " releases would be compared on few images, or on none. Leave one of them out."
            )

    def _demand_places(self) -> None:
        """Raise UsageError where results or report cannot be written, or would take another file's place."""
        from vlcheck.report import page  # in no run of other projects
        from vlcheck.results.places import Places

        others = {"--vl-store": self.store, "--html": self.html, "--junitxml": self.junit, "--vl-beside": self.beside}
        Places(self.results).demand(others)
        if self.report:
            others |= {"--vl-results": self.results, "--vl-baseline": self.baseline}
            page.check_place(self.report, others, "--vl-report")

    def _demand_a_match(self) -> None:
        """The ini file's model and data are for one another: nothing of one's own meets them by oversight."""
        drawn = self.data.partition(":")[0] == "scenes"
        embedded = self.model in PLANTED
        if drawn and not embedded and not self.chosen:
            meant = f" {nearest(self.model, PLANTED)}" if ":" not in self.model else ""
            raise UsageError(
                f"--vl-data is missing: {self.model} would be asked about the ini file's {self.data}, which are for the"
                f" models of the zoo ({', '.join(PLANTED)}).{meant} No model is released on drawings by oversight: name"
                f" your data, or say --vl-data {self.data}."
            )
        if embedded and not drawn and not self.asked:
            raise UsageError(
                f"--vl-model is missing: the ini file's {self.model} knows drawn scenes alone, and would be asked about"
                f" {self.data}. Name your model, or say --vl-model {self.model}."
            )


def add_options(parser: pytest.Parser) -> None:
    """Each option is an ini key as well: --vl-batch-size is vl_batch_size."""
    group = parser.getgroup("vlcheck", "behavioural tests of vision-language models")
    for option in _OPTIONS:
        group.addoption(f"--vl-{option.name}", metavar=option.metavar, default=None, help=option.help)
        parser.addini(_ini(option.name), option.help, default="")
    for flag in _FLAGS:
        group.addoption(f"--vl-{flag.name}", action="store_true", default=None, help=flag.help)
        parser.addini(_ini(flag.name), flag.help, type="bool", default=False)
    # Not in the ini file: that code of others runs is said each time.
    group.addoption(
        "--vl-trust-remote-code", action="store_true", help="let Python code that comes with a checkpoint run"
    )
    group.addoption(
        "--vl-plan", action="store_true", help="say what the selected tests take and can tell; score nothing"
    )


def again(config: pytest.Config, test: str) -> list[str]:
    """The command that runs a test again, with all that the command line said of how it is judged."""
    said = {name: config.getoption(_ini(name), default=None) for name in _JUDGED_BY}
    flags = [f"--vl-{name}" for name in _JUDGED_HOW if config.getoption(_ini(name), default=None)]
    return ["pytest", test, *(f"--vl-{name}={value}" for name, value in said.items() if value is not None), *flags]


def stay_alone(config: pytest.Config) -> None:
    """Undo -n: what is only looked ahead at needs no workers."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []


def read_settings(config: pytest.Config) -> Settings:
    """Take each option from the command line, else from the ini file.

    Raises:
        UsageError: where a value is of the wrong kind.
    """

    def said(name: str) -> str:
        given = config.getoption(_ini(name), default=None)
        return cast("str", config.getini(_ini(name)) if given is None else given)

    def flag(name: str) -> bool:
        return bool(config.getoption(_ini(name), default=None) or config.getini(_ini(name)))

    def path(name: str) -> Path | None:
        if config.getoption(_ini(name), default=None) == "":
            raise UsageError(f"--vl-{name}: names nothing; leave it out, or name a file or folder: {_help(name)}.")
        return config.invocation_params.dir / expanded(said(name), f"--vl-{name}") if said(name) else None

    def others(destination: str, option: str) -> Path | None:
        said = config.getoption(destination, default=None)
        return config.invocation_params.dir / expanded(os.path.expandvars(said), option) if said else None

    return Settings(
        model=said("model"),
        data=said("data"),
        device=said("device") or "cpu",
        dtype=said("dtype") or "float32",
        batch_size=_positive(said("batch-size") or "16"),
        store=path("store"),
        results=path("results") or config.invocation_params.dir / "vlcheck-results.jsonl",
        run_id=_run_id(config.getoption("vl_run_id", default=None), config.getini("vl_run_id")),
        report=path("report"),
        beside=path("beside"),
        baseline=path("baseline"),
        policy=path("policy"),
        lexicons=path("lexicons"),
        images=not flag("no-images"),
        cases=flag("cases"),
        sequential=flag("sequential"),
        plan=bool(config.getoption("vl_plan", default=False)),
        trust_remote_code=bool(config.getoption("vl_trust_remote_code", default=False)),
        asked=config.getoption("vl_model", default=None) is not None,
        chosen=config.getoption("vl_data", default=None) is not None,
        html=others("htmlpath", "--html"),
        junit=others("xmlpath", "--junit-xml"),
    )


def message_of(error: UsageError) -> str:
    """Return what is wrong, with options in the place of parameters."""
    return error.with_options(option_of)


def on_the_command_line(config: pytest.Config, name: str) -> bool:
    """Whether an option is said there, and not in the ini file."""
    return config.getoption(_ini(name), default=None) is not None


def _run_id(said: str | None, ini: str) -> str:
    if said is None and not ini:
        return run_id.of_ci(os.environ)
    return run_id.checked(ini if said is None else said, "--vl-run-id")


def _help(name: str) -> str:
    return next(option.help for option in _OPTIONS if option.name == name)


def _ini(name: str) -> str:
    return f"vl_{name.replace('-', '_')}"


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--vl-batch-size {text}: has to be a whole number from 1 on.")
    return int(text)
