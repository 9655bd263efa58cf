"""The command that asks a model again for one verdict, from what the results of its run hold."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import PurePath

from vlcheck.metrics.registry import METRICS
from vlcheck.results.records import RunRecord, VerdictRecord

_TEST = re.compile(r"[^-@].*\.py::.+", re.DOTALL)  # "-" begins an option, "@" a file of arguments
_OF_THE_SUITE = ("fixtures", "policy.toml")  # the end of the path of a suite's own policy, which needs no option
_FURTHER = ("columns", "lexicons", "explain")  # what a run keeps of its options; no other name is taken from a file
_LONGEST = 4_000  # characters of a command
_MM_SHAP = "mmshap"


def repeat_command(run: RunRecord, verdict: VerdictRecord) -> str:
    """Return the command that repeats a verdict, quoted for a POSIX shell; "" if none can be trusted to.

    There is none for results without the model's spec, none of a run of Python objects (see `repeat_advice`), and none
    if a name in it could do something else when it is pasted: a test begins like an option, or there is a control
    character.

    Args:
        run: the first line of the results.
        verdict: the verdict's line.

    Example:
        >>> run = RunRecord(schema=1, name="tiny", fingerprint="", started="", model="tiny", data="scenes:60")
        >>> own = VerdictRecord(test="t/test_order.py::test_swap[itm]", bias="order", behavior="test_swap",
        ...     metric="itm", score_kind="match-head", status="fail", claim="rate", reason="")
        >>> repeat_command(run, own)
        "pytest 't/test_order.py::test_swap[itm]' --vl-model=tiny --vl-data=scenes:60"
    """
    words = ["pytest", verdict.test, *_options(run, verdict)]
    command = shlex.join(words)
    sound = bool(run.model and not run.objects and _TEST.fullmatch(verdict.test) and all(map(str.isprintable, words)))
    return command if sound and len(command) <= _LONGEST else ""


def repeat_advice(run: RunRecord, verdict: VerdictRecord) -> str:
    """Return how a verdict is repeated that no command repeats, since objects were given; "" for any other verdict.

    Args:
        run: the first line of the results.
        verdict: the verdict's line.
    """
    if not run.objects:
        return ""
    name = verdict.test.rpartition("::")[2]
    were = "was a Python object" if len(run.objects) == 1 else "were Python objects"
    cause = f"the {' and '.join(run.objects)} of this run {were}, which no command can name"
    return f"call vlcheck.evaluate as before, with tests={name!r}; {cause}."


def _options(run: RunRecord, verdict: VerdictRecord) -> Iterator[str]:
    policy = run.policy.path if PurePath(run.policy.path or "").parts[-2:] != _OF_THE_SUITE else None
    said = {
        "model": run.model,
        "data": run.data,
        "device": run.device,
        "dtype": run.dtype,
        "policy": policy,
        "explain": _method(verdict),
        **{name: run.options[name] for name in _FURTHER if name in run.options},
    }
    yield from (f"--vl-{name}={value}" for name, value in said.items() if value)
    flags = {
        "sequential": run.sequential,
        "wordings": run.wordings,
        "compile": "compile" in run.options,
        "trust-remote-code": run.trust_remote_code,
    }
    yield from (f"--vl-{name}" for name, given in flags.items() if given)


def _method(verdict: VerdictRecord) -> str:
    """Return the method of explanation without which the test is not asked; "" for most tests."""
    metric = METRICS.get(verdict.metric)
    if metric is None or not metric.explained:
        return ""
    return _MM_SHAP if metric.asked_with(_MM_SHAP) else verdict.score_kind
