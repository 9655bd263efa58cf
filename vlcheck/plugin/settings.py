"""The values of the options, read from the command line or the ini file, and checked together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck._util.addresses import checked_address
from vlcheck._util.paths import expanded, there_is
from vlcheck._util.spec_secrets import refuse_secrets
from vlcheck.errors import UsageError, nearest
from vlcheck.plugin.options import help_of, ini_key, on_the_command_line, read_device, said_of
from vlcheck.results import run_id
from vlcheck.zoo import PLANTED

if TYPE_CHECKING:
    from vlcheck.explain.request import Request

LOCAL = "local"  # the engine that a run has unless another one is named
_AUTO = "auto"  # a batch size by the free memory


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
            raise UsageError(f"--vl-data is missing: {help_of('data')}.")

    def demand(self) -> None:
        """Raise UsageError unless model, data and output files are named and fit together."""
        if not self.model:
            raise UsageError(f"--vl-model is missing: {help_of('model')}. There is no default.")
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


def read_settings(config: pytest.Config) -> Settings:
    """Read each option from the command line, or else from the ini file.

    Raises:
        UsageError: a value is of the wrong kind.
    """
    said = partial(said_of, config)

    def flag(name: str) -> bool:
        return bool(config.getoption(ini_key(name), default=None) or config.getini(ini_key(name)))

    def path(name: str) -> Path | None:
        if config.getoption(ini_key(name), default=None) == "":
            raise UsageError(f"--vl-{name}: is empty; leave it out, or name a file or folder: {help_of(name)}.")
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


def _batch_size(text: str) -> int | None:
    if text == _AUTO:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--vl-batch-size {text}: has to be a whole number from 1 on, or {_AUTO}.")
    return int(text)
