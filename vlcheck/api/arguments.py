"""The arguments of `vlcheck.evaluate`: they are checked, and read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vlcheck._util.paths import expanded
from vlcheck.cases import CaseSource
from vlcheck.errors import UsageError, argument, demand_type, parameter
from vlcheck.evaluation.progress import told_on
from vlcheck.explain.request import Request, parse_requests
from vlcheck.results import run_id as run_ids
from vlcheck.scoring.progress import Progress

Told = Callable[[Progress], None]
PLACE = "the path of a file or folder"
NAMES = "a test's name, or a list of such names"


def check_arguments(model: object, data: object, batch_size: object, progress: object) -> None:
    """Raise UsageError if an argument is of no type that its parameter takes.

    Args:
        model: the model under test.
        data: the cases.
        batch_size: the most pictures encoded together.
        progress: whoever is told of the progress.
    """
    demand_model("model", model)
    demand_type("data", data, str | CaseSource, "a spec, e.g. 'scenes:50', or a source that open_cases gives")
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
        raise UsageError(f"{argument('batch_size', repr(batch_size))}: has to be a whole number from 1 on, or None.")
    if not (isinstance(progress, bool) or callable(progress)):
        raise UsageError(f"{argument('progress', repr(progress))}: has to be True, False or a function of a Progress.")


def demand_names(tests: object, run_id: object) -> None:
    """Raise UsageError if names are no texts.

    Args:
        tests: names of tests.
        run_id: name of the run.
    """
    demand_type("tests", tests, str | Collection | None, NAMES)
    demand_type("run_id", run_id, str | None, "a text")


def demand_model(name: str, value: object) -> None:
    """Raise UsageError if the value of a parameter cannot be a spec or a model; other objects are tried as models.

    Args:
        name: name of the parameter.
        value: its value.
    """
    if value is None or isinstance(value, os.PathLike):
        raise UsageError(f"{argument(name, repr(value))}: has to be a spec, e.g. 'tiny', or a model object.")


def refuse_with(of: str, **given: object) -> None:
    """Raise UsageError if a parameter is given whose object is there already.

    Args:
        of: the argument that the parameters are for.
        given: their values, by name.
    """
    for name, value in given.items():
        if value:
            raise UsageError(f"{argument(name, repr(value))}: is for {of}. Leave it out: an object is taken as it is.")


class Loading(NamedTuple):
    """The parameters that say how models are loaded.

    Attributes:
        device: device of the models; None for "cpu".
        dtype: their precision; None for "float32".
        trust_remote_code: whether code of a checkpoint may run.
    """

    device: str | None
    dtype: str | None
    trust_remote_code: bool

    def of(self, given: object) -> dict[str, Any]:
        """Return the settings with which a model is loaded: empty for an object, which knows its own."""
        if not isinstance(given, str):
            return {"device": "", "dtype": "", "trust_remote_code": False}
        return {
            "device": "cpu" if self.device is None else self.device,
            "dtype": "float32" if self.dtype is None else self.dtype,
            "trust_remote_code": self.trust_remote_code,
        }

    def refuse_beside_objects(self, model: object, control: object) -> None:
        """Raise UsageError if one of them is given, and no model or control is named by a spec.

        Args:
            model: the model under test, as it was given.
            control: the control.
        """
        if not isinstance(model, str) and not isinstance(control, str):
            refuse_with("a model that is given by its spec", **self._asdict())


def name_of_run(said: str | None) -> str:
    """Return the name of a run that is said, else the CI server's, else a random one."""
    if said is not None:
        return run_ids.checked(said, "run_id")
    return run_ids.of_ci(os.environ) or run_ids.drawn()


def requests_of(explain: str | None) -> Sequence[Request]:
    """Return the methods of explanation that are asked for, () for None. Raises UsageError."""
    demand_type("explain", explain, str | None, "a method, e.g. 'mmshap'")
    return () if explain is None else parse_requests(explain)


def given_path(name: str, said: str | Path | None) -> Path | None:
    """Return the path that a parameter gives, with the home folder in place of `~`; None for None.

    Args:
        name: name of the parameter.
        said: its value.

    Raises:
        UsageError: the value is no path, or empty.
    """
    if said is None:
        return None
    demand_type(name, said, str | Path, PLACE)
    if not str(said):
        raise UsageError(f"{parameter(name)}: names nothing; leave it out, or name a file or folder.")
    return expanded(said, parameter(name))


def objects_among(**arguments: object) -> tuple[str, ...]:
    """Return the names of arguments that are objects of Python, and neither a spec, a path nor None."""
    return tuple(name for name, one in arguments.items() if not isinstance(one, str | Path | None))


def kept_options(
    columns: str | Mapping[str, str] | None, lexicons: str | Path | None, explain: str | None
) -> dict[str, str]:
    """Return the parameters that the results keep as options of a run of pytest, so that a verdict can be repeated.

    Args:
        columns: the columns of data in tables, by field.
        lexicons: folder of words.
        explain: methods of explanation.
    """
    pairs = ",".join(f"{key}={name}" for key, name in columns.items()) if isinstance(columns, Mapping) else columns
    said = {"columns": pairs, "lexicons": lexicons, "explain": explain}
    return {name: str(value) for name, value in said.items() if value}


def told_by(progress: Told | bool) -> Told | None:
    """Return the function that is told of the progress; None for nobody."""
    if isinstance(progress, bool):
        return told_on(sys.stderr) if progress else None
    return progress
