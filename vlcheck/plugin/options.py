"""The options of the command line and of pytest's ini file; `settings` has their values."""

from __future__ import annotations

import argparse
from typing import NamedTuple, cast

import pytest

from vlcheck._util.option_names import option_of
from vlcheck.errors import UsageError


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
# Options that a verdict depends on; the others name output files, or results to compare with.
_JUDGED_BY = ("model", "data", "columns", "device", "dtype", "policy", "lexicons", "explain")
_JUDGED_HOW = ("sequential", "wordings", "compile", "trust-remote-code")


def add_options(parser: pytest.Parser) -> None:
    """Add the options, each with a key of the ini file: --vl-batch-size is vl_batch_size."""
    group = parser.getgroup("vlcheck", "behavioural tests of vision-language models")
    for option in _OPTIONS:
        action = _Joining if option.name == "explain" else "store"
        group.addoption(f"--vl-{option.name}", metavar=option.metavar, default=None, help=option.help, action=action)
        parser.addini(ini_key(option.name), option.help, default="")
    for flag in _FLAGS:
        group.addoption(f"--vl-{flag.name}", action="store_true", default=None, help=flag.help)
        parser.addini(ini_key(flag.name), flag.help, type="bool", default=False)
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
    said = {name: config.getoption(ini_key(name), default=None) for name in _JUDGED_BY}
    flags = [f"--vl-{name}" for name in _JUDGED_HOW if config.getoption(ini_key(name), default=None)]
    return ["pytest", test, *(f"--vl-{name}={value}" for name, value in said.items() if value is not None), *flags]


def disable_workers(config: pytest.Config) -> None:
    """Undo -n: a plan needs no workers."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []


def read_device(config: pytest.Config) -> str:
    """Return the device on which the model runs, "cpu" unless an option names one."""
    return said_of(config, "device") or "cpu"


def names_model(config: pytest.Config) -> bool:
    """Return True if an option names a model to test."""
    return bool(said_of(config, "model"))


def message_of(error: UsageError) -> str:
    """Return an error's message, with the names of options in place of parameters."""
    return error.with_options(option_of)


def on_the_command_line(config: pytest.Config, name: str) -> bool:
    """Return True if an option was given on the command line, and not only in the ini file.

    Args:
        config: pytest's configuration of the run.
        name: the option without --vl-, e.g. "batch-size".
    """
    return config.getoption(ini_key(name), default=None) is not None


def said_of(config: pytest.Config, name: str) -> str:
    """Return the text of an option on the command line, or else in the ini file.

    Args:
        config: pytest's configuration of the run.
        name: the option without --vl-.
    """
    given = config.getoption(ini_key(name), default=None)
    return cast("str", config.getini(ini_key(name)) if given is None else given)


def help_of(name: str) -> str:
    """Return the help of an option that takes a value."""
    return next(option.help for option in _OPTIONS if option.name == name)


def ini_key(name: str) -> str:
    """Return the key of an option in the ini file, which is its destination on the command line as well."""
    return f"vl_{name.replace('-', '_')}"
