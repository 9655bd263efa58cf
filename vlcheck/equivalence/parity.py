"""Parity of two models from Python: `vlcheck.parity` and `vlcheck.keep_answers`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, cast

from vlcheck._util.files import demand_place, placing
from vlcheck._util.foreign_files import fault
from vlcheck._util.paths import expanded
from vlcheck._util.temporary import Scratch
from vlcheck.cases import CaseSource
from vlcheck.datasets.registry import open_source
from vlcheck.equivalence.asking import ParitySide, answered
from vlcheck.equivalence.kept import FORM, SUFFIX, Kept, is_kept, write_kept
from vlcheck.equivalence.probes import parity_probes
from vlcheck.equivalence.questions import ASKS, ParityCase, chosen_cases, questions_digest, questions_of
from vlcheck.equivalence.records import KeptHead, ParityReport, SideRecord
from vlcheck.equivalence.report import demand_alike, report_on
from vlcheck.errors import UsageError, argument, parameter
from vlcheck.evaluation.progress import told_on
from vlcheck.models.loading.load import as_model, load_model
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.policy.policy import Margins, Policy
from vlcheck.policy.toml_file import load_policy
from vlcheck.scoring.progress import Progress
from vlcheck.suite.shipped import fixtures_above, policy_in, policy_path, tests_here

Model = str | Path | VisionLanguageModel
Told = Callable[[Progress], None]
_SPEC = "a spec, e.g. 'scenes:200', or a source that open_cases gives"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """The settings with which a model is loaded and asked.

    Attributes:
        device: the device that it runs on.
        dtype: its precision.
        batch_size: number of pictures that are encoded together, at least 1.
        trust_remote_code: whether Python code that comes with a checkpoint may run.
        store: file in which its answers are kept for later calls; None for a temporary one.
        progress: called as cases are done; None for nothing.
    """

    device: str = "cpu"
    dtype: str = "float32"
    batch_size: int = 16
    trust_remote_code: bool = False
    store: Path | None = None
    progress: Told | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for a batch of no picture."""
        if isinstance(self.batch_size, bool) or not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise UsageError(f"{argument('batch_size', repr(self.batch_size))}: has to be a whole number from 1 on.")

    def side(self, name: str, model: Model) -> ParitySide:
        """Load one model of a pair, unless it is an object, which knows its own device and precision.

        Args:
            name: "a" or "b".
            model: its spec, or the model.

        Raises:
            UsageError: it cannot be loaded.
        """
        if not isinstance(model, str | Path):
            return ParitySide(name, as_model(model), "", "", "", self.batch_size, self.store)
        loaded = load_model(str(model), device=self.device, dtype=self.dtype, trust_remote_code=self.trust_remote_code)
        return ParitySide(name, loaded, str(model), self.device, self.dtype, self.batch_size, self.store)


@dataclass(frozen=True)
class _Questions:
    """The questions about some data.

    Attributes:
        data: spec of the data.
        images: number of images.
        cases: the cases, and then the probes.
    """

    data: str
    images: int
    cases: Sequence[ParityCase]

    @classmethod
    def about(cls, source: CaseSource) -> _Questions:
        """Make the questions about the cases of a source."""
        chosen = chosen_cases(source)
        return cls(source.spec, len(chosen), (*questions_of(chosen), *parity_probes(chosen)))

    def ask(self, side: ParitySide, path: Path, scratch: Path, progress: Told | None) -> None:
        """Ask a model, and write its answers to a file.

        Args:
            side: the model.
            path: the file.
            scratch: a temporary folder.
            progress: called as cases are done; None for nothing.

        Raises:
            UsageError: the model changed meanwhile.
        """
        with side.scorer(scratch) as scorer:
            head = self.head(side.record(scorer.store.versions))
            write_kept(path, head, answered(side.model, self.cases, scorer, progress))
            side.demand_unchanged(scorer)

    def head(self, side: SideRecord) -> KeptHead:
        """Return the first line of a model's answers."""
        return KeptHead(
            parity=FORM,
            asks=ASKS,
            data=self.data,
            images=self.images,
            questions=questions_digest(self.cases),
            side=side,
        )


@dataclass(frozen=True)
class _Given:
    """A model that is to be asked.

    Attributes:
        model: the model.
        asking: the settings of its loading and asking.
        names: the caller's names of the parameters of its loading, where they are others.
    """

    model: Model
    asking: Asking
    names: Mapping[str, str]

    @classmethod
    def second(cls, model: Model, first: Asking, changes: Mapping[str, Any]) -> _Given:
        """Return the second model of a pair.

        Args:
            model: the model.
            first: the settings of the first one.
            changes: setting -> its value for the second one; None for that of the first.
        """
        own = {name: value for name, value in changes.items() if value is not None}
        return cls(model, replace(first, **own), {"model": "b", **{name: f"{name}_b" for name in own}})

    def ask(self, name: str, questions: _Questions, path: Path, scratch: Path) -> None:
        """Load the model, ask it, and let it go: two models need not be in memory together.

        Args:
            name: "a" or "b".
            questions: the questions.
            path: the file that its answers are written to.
            scratch: a temporary folder.

        Raises:
            UsageError: it cannot be loaded or asked; the message has the caller's names.
        """
        try:
            questions.ask(self.asking.side(name, self.model), path, scratch, self.asking.progress)
        except UsageError as error:
            raise reduce(lambda said, names: said.renamed(*names), self.names.items(), error) from error


def parity(
    a: Model,
    b: Model,
    data: str | CaseSource | None = None,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    batch_size: int = 16,
    device_b: str | None = None,
    dtype_b: str | None = None,
    batch_size_b: int | None = None,
    trust_remote_code: bool = False,
    policy: str | Path | Policy | None = None,
    lexicons: str | Path | None = None,
    columns: str | None = None,
    store: str | Path | None = None,
    progress: bool | Told = False,
) -> ParityReport:
    """Ask two models that should be the same the same questions, and say whether their sameness is shown.

    Args:
        a: the first model: a spec, a model object, or a file of `keep_answers`.
        b: the second model, as `a`.
        data: the data, as a spec or as a source that `open_cases` gives; by default that of a file of kept answers, if
            one is given.
        device: the device that both run on.
        dtype: the precision of both.
        batch_size: number of pictures that both encode together.
        device_b: the device of `b`, if it is another one.
        dtype_b: the precision of `b`, if it is another one.
        batch_size_b: number of pictures that `b` encodes together, if it is another one.
        trust_remote_code: whether Python code that comes with a checkpoint may run.
        policy: a policy, or its file, whose table [parity] has the margins; by default the suite's.
        lexicons: a folder of word lists that replace shipped ones.
        columns: the columns of a table, as `open_cases` takes them.
        store: file in which answers are kept for later calls.
        progress: True to print the progress on stderr; or a function that is called with it.

    Returns:
        The report; its `status` is "same", "different" or "inconclusive".

    Raises:
        UsageError: a model or the data cannot be used, a served model changes, or kept answers are to other questions.

    Example:
        >>> parity("tiny", "tiny", "scenes:200", dtype_b="bfloat16").status  # doctest: +SKIP
        'same'
    """
    own = _asking(device, dtype, batch_size, trust_remote_code, store, progress)
    changes = {"device": device_b, "dtype": dtype_b, "batch_size": batch_size_b}
    given = {"a": _Given(a, own, {"model": "a"}), "b": _Given.second(b, own, changes)}
    kept = {name: _kept(name, one.model) for name, one in given.items()}
    return _compared(given, kept, _questions_for(kept.values(), data, lexicons, columns), _margins(policy))


def _compared(
    given: Mapping[str, _Given], kept: Mapping[str, Kept | None], questions: _Questions | None, margins: Margins
) -> ParityReport:
    """Ask the models that have no kept answers, one after the other, and compare both.

    Args:
        given: the models by side, "a" and "b".
        kept: the kept answers by side; None for a model that is to be asked.
        questions: the questions; None if none is to be asked.
        margins: the margins within which they are the same.

    Raises:
        UsageError: a model cannot be asked, or kept answers are to other questions.
    """
    answers = dict(kept)
    with Scratch() as scratch:
        if questions:
            for one in filter(None, kept.values()):
                demand_alike(one.head, questions.head(one.head.side))
            for name in (name for name, one in kept.items() if one is None):
                path = scratch / f"{name}{SUFFIX}"
                given[name].ask(name, questions, path, scratch)
                answers[name] = Kept.open(path)
        return report_on(cast("Kept", answers["a"]), cast("Kept", answers["b"]), margins)


def keep_answers(
    model: str | VisionLanguageModel,
    keep: str | Path,
    data: str | CaseSource,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    batch_size: int = 16,
    trust_remote_code: bool = False,
    lexicons: str | Path | None = None,
    columns: str | None = None,
    store: str | Path | None = None,
    progress: bool | Told = False,
) -> None:
    """Ask a model the questions of `parity`, and keep its answers in a file that `parity` takes in place of a model.

    Args:
        model: a spec, or a model object.
        keep: the file; it may replace an older one.
        data: the data, as a spec or as a source that `open_cases` gives.
        device: the device that the model runs on.
        dtype: its precision.
        batch_size: number of pictures that are encoded together.
        trust_remote_code: whether Python code that comes with a checkpoint may run.
        lexicons: a folder of word lists that replace shipped ones.
        columns: the columns of a table, as `open_cases` takes them.
        store: file in which answers are kept for later calls.
        progress: True to print the progress on stderr; or a function that is called with it.

    Raises:
        UsageError: the model or the data cannot be used, a served model changes, or the file cannot be written.

    Example:
        >>> keep_answers("tiny", "old.parity", "scenes:200")  # doctest: +SKIP
        >>> keep_answers("tiny", "old.txt", "")
        Traceback (most recent call last):
            ...
        vlcheck.errors.UsageError: data='': has to be a spec, e.g. 'scenes:200', or a source that open_cases gives.
    """
    asking, to = _asking(device, dtype, batch_size, trust_remote_code, store, progress), expanded(keep)
    demand_place(to, parameter("keep"), "file of kept answers", is_ours=is_kept)
    questions = _questions_for([None], data, lexicons, columns)
    if questions:
        with Scratch() as scratch, placing(to, parameter("keep")) as draft:
            _Given(model, asking, {}).ask("a", questions, draft, scratch)


def _asking(
    device: str,
    dtype: str,
    batch_size: int,
    trust_remote_code: bool,
    store: str | Path | None,
    progress: bool | Told,
) -> Asking:
    told = progress if callable(progress) else told_on(sys.stderr) if progress else None
    return Asking(
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        trust_remote_code=trust_remote_code,
        store=None if store is None else expanded(store),
        progress=told,
    )


def _margins(policy: str | Path | Policy | None) -> Margins:
    """Return the margins of a policy; by default of the suite in the current folder, else of the shipped one."""
    if isinstance(policy, Policy):
        return policy.margins
    tests = tests_here()
    fixtures = fixtures_above(tests.resolve()) if tests else None
    own = policy_in(fixtures) if fixtures else None
    return load_policy(own or policy_path() if policy is None else expanded(policy)).margins


def _kept(name: str, model: Model) -> Kept | None:
    """Open a file of kept answers; None for a model.

    Args:
        name: "a" or "b".
        model: the model, or the path of the file.

    Raises:
        UsageError: there is no such file, or it is no file of kept answers.
    """
    if not isinstance(model, str | Path):
        return None
    path = expanded(model)
    if path.suffix != SUFFIX and (fault(path) or not is_kept(path)):
        return None
    try:
        return Kept.open(path)
    except UsageError as error:
        raise UsageError(f"{argument(name, model)}: {error.marked}") from error


def _questions_for(
    kept: Iterable[Kept | None], data: str | CaseSource | None, lexicons: str | Path | None, columns: str | None
) -> _Questions | None:
    """Make the questions about some data; None if no model is to be asked.

    Args:
        kept: both sides, None for a model that is to be asked.
        data: the data; None for that of the kept answers.
        lexicons: a folder of word lists that replace shipped ones.
        columns: the columns of a table.
    """
    sides = list(kept)
    if all(sides):
        return None
    spec = data if data is not None else next((one.head.data for one in sides if one), None)
    if isinstance(spec, CaseSource):
        return _Questions.about(spec)
    if not spec or not isinstance(spec, str):
        raise UsageError(f"{argument('data', repr(spec))}: has to be {_SPEC}.")
    words = None if lexicons is None else expanded(lexicons)
    return _Questions.about(open_source(spec, lexicons=words, columns=columns))
