"""A suite run from Python: `vlcheck.evaluate`, and what is done with its results."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, Self, overload

from vlcheck._util.paths import expanded
from vlcheck._util.temporary import Scratch
from vlcheck.behaviors.collect import collected
from vlcheck.behaviors.suite import BehaviorTest, asked, fitting, sound, subjects, unfit
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import CaseSource
from vlcheck.datasets.registry import open_source
from vlcheck.errors import ForeignFault, UsageError, argument, demand_type, nearest, parameter, printable
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.evidence import Judgement
from vlcheck.evaluation.progress import told_on
from vlcheck.evaluation.session import Session, open_session
from vlcheck.explain.control import judge_control, tell_words
from vlcheck.explain.explaining import case_explainer, explaining
from vlcheck.explain.request import Request, parse_requests
from vlcheck.explain.worst_cases import CaseExplainer
from vlcheck.models.loading.load import as_model, load_model
from vlcheck.models.loading.two_types import VERIFIED, TwoTypesModel, in_one_type, load_in_types
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.policy.policy import Policy
from vlcheck.policy.toml_file import load_policy
from vlcheck.report import page, table
from vlcheck.report.text.summary import biases, summary_lines
from vlcheck.results import comparison, file
from vlcheck.results import run_id as run_ids
from vlcheck.results.comparison import ALPHA, Comparison
from vlcheck.results.conclusion import conclude
from vlcheck.results.explained_cases import keep_worst
from vlcheck.results.gate import objections
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.scoring.batch_size import ON_CPU, most_pictures
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.engines.registry import open_engine
from vlcheck.scoring.progress import Progress
from vlcheck.suite.shipped import (
    fixtures_above,
    lexicons_in,
    policy_in,
    policy_path,
    suite_folder,
    tests_beside,
    tests_here,
)

Told = Callable[[Progress], None]
_RESULTS = "results, as read_results or evaluate gives them"
_PLACE = "the path of a file or folder"
_DTYPES = {"text": "string", "whole number": "Int64", "number": "float64", "flag": "boolean", "JSON": "string"}
_NAMES = "a test's name, or a list of such names"


@dataclass(frozen=True, repr=False)
class Results:
    """The results of one run: an iterable of its verdicts, in the order of the results file.

    Attributes:
        lines: the contents of the results file.
        errors: why a test has no verdict, by its id, where its own code or the data is at fault.
        source: the file that they were read from, or the function that gave them.
        control: the results of the control; None without one, and for results that were read.

    Example:
        A run without a verdict is not green:

        >>> from vlcheck.results.file import ResultLines
        >>> results = Results(ResultLines())
        >>> results.passed, len(results), results.objections
        (False, 0, ('No verdict came of this run: nothing was checked.',))
    """

    lines: file.ResultLines
    errors: dict[str, str] = field(default_factory=dict)
    source: str = "vlcheck.evaluate"
    control: Results | None = None

    @cached_property
    def verdicts(self) -> Sequence[VerdictRecord]:
        """The verdicts, by test and metric, as `vlcheck.Verdict`: the fields of their lines in the results file."""
        return tuple(verdict for _, verdict in sorted(self.lines.verdicts.items()))

    @property
    def objections(self) -> Sequence[str]:
        """Why no release may rest on the run, a sentence each; () where all is as the policy has it."""
        return tuple(objections(self.lines))

    @property
    def passed(self) -> bool:
        """True if the run is green: pytest would end with 0."""
        return not self.objections

    def __iter__(self) -> Iterator[VerdictRecord]:
        return iter(self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    def __str__(self) -> str:
        """Return the summary that a terminal is shown."""
        return "\n".join(map(printable, summary_lines(self.lines, self.control.lines if self.control else None)))

    def __repr__(self) -> str:
        return f"<Results: {printable(conclude(self.lines).sentence)}>"

    def _repr_html_(self) -> str:
        """Return the matrix of biases by metrics, for a notebook."""
        head, *rows = ([html.escape(printable(cell)) for cell in row] for row in biases(self.lines))
        body = "".join(
            f"<tr><th>{bias}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for bias, *cells in rows
        )
        found = html.escape(printable(conclude(self.lines).sentence))
        return f"<p>{found}</p><table><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>{body}</table>"

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a row for each verdict.

        It is the table that `vlcheck report --to verdicts.csv` writes, with the columns of
        `vlcheck.report.table.COLUMNS`: nullable Int64 for whole numbers, float64 with NaN, nullable flags, and text.
        Columns of JSON, as `scale`, hold text for `json.loads`.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            pandas = import_module("pandas")  # no dependency: it is asked for here alone
        except ImportError as error:
            raise UsageError("to_frame: needs the package pandas. Install it, or iterate over the results.") from error
        columns = table.column_cells([*table.table_rows(self.lines)])
        return pandas.DataFrame({one.name: pandas.Series(cells, dtype=_DTYPES[one.kind]) for one, cells in columns})

    def report(self, path: str | Path, *, beside: Results | None = None, baseline: Results | None = None) -> None:
        """Write the page for reviewers, over an older page at most.

        Args:
            path: the file of the page.
            beside: results of a control on the same data, e.g. of a model that sees no picture; those of `control`
                unless given.
            baseline: results of the previous release, with which these are compared.

        Raises:
            UsageError: the file cannot be written, or the other results do not fit these.
        """
        demand_type("path", path, str | Path, _PLACE)
        page.check_page_path(Path(path), {}, "report")
        beside = self.control if beside is None else beside
        control = self._beside(beside) if beside is not None else None
        compared = compare(baseline, self) if baseline is not None else None
        drawn = page.stream(self.lines, source=self.source, beside=control, comparison=compared)
        page.write_page(Path(path), drawn, "report")

    def _beside(self, beside: Results) -> file.ResultLines:
        """Return the results of a control. Raises UsageError if they are of other data."""
        demand_type("beside", beside, Results, _RESULTS)
        theirs, ours = beside.lines.run.data, self.lines.run.data
        if theirs != ours:
            raise UsageError(f"beside: is of {theirs}; results of {ours} are accepted.")
        return beside.lines

    def save(self, path: str | Path) -> None:
        """Write the results file, over older results at most, without keys of a later version. Raises UsageError."""
        demand_type("path", path, str | Path, _PLACE)
        file.check_results_path(Path(path), {})
        file.write_results(Path(path), self.lines)


def evaluate(
    model: str | VisionLanguageModel,
    data: str | CaseSource,
    *,
    suite: str | Path | None = None,
    tests: str | Collection[str] | None = None,
    policy: str | Path | Policy | None = None,
    lexicons: str | Path | None = None,
    columns: str | Mapping[str, str] | None = None,
    explain: str | None = None,
    control: str | VisionLanguageModel | None = None,
    device: str | None = None,
    dtype: str | None = None,
    trust_remote_code: bool = False,
    store: str | Path | None = None,
    engine: str = "alone",
    batch_size: int | None = None,
    sequential: bool = False,
    wordings: bool = False,
    images: bool = True,
    run_id: str | None = None,
    progress: Told | bool = True,
) -> Results:
    """Judge a model by a suite of behavior tests; the verdicts are those of pytest on the same tests.

    Fixtures and hooks of a conftest.py, and tests that state no behavior, are for pytest alone.

    Args:
        model: spec of a model, as `load_model` takes it, or an object that keeps the protocol `VisionLanguageModel`.
        data: spec of the cases, or a source that is open.
        suite: folder or file of the tests; `behavior_tests` in the current folder unless given, else the shipped suite.
        tests: name or names of some of its tests, e.g. "test_x" or "test_x[itm]"; None for all.
        policy: file of tolerances and allowed rates; that of the suite unless given.
        lexicons: folder of words that replace the shipped ones; that of the suite unless given. Only for a spec of
            cases.
        columns: the columns of data in tables, by field: `{"caption": "text"}`, "caption=text", or the path of a TOML
            file; those of the usual names unless given. Only for a spec of cases.
        explain: methods of explanation with commas between them, e.g. "mmshap,gradcam:20", whose tests are judged as
            well; METHOD:K of an attribution method only maps the K worst cases. None for no explanations.
        control: spec of a model to judge by the same tests, or such a model, e.g. one that sees no picture; its results
            are the attribute `control` of the results. None for no control.
        device: device of the model and the control, "cpu" unless given. Only for those that are given by a spec.
        dtype: precision of the model and the control, "float32" unless given. Only for those that are given by a spec.
            "verified" asks the model in bfloat16 where its device is faster in that, and again in float32 wherever a
            verdict could differ; the control is asked in float32.
        trust_remote_code: whether Python code that comes with their checkpoints may run. Only for a spec.
        store: file in which answers are kept, so that nothing is asked twice; None for a temporary one.
        engine: name of the engine that asks the model: "alone" for this process, or another registered one, with
            `:ADDRESS` behind its name if it takes an address.
        batch_size: the most pictures encoded together, from 1 on; None for a number by the free memory.
        sequential: whether to ask about images in growing batches, each behavior until its verdict is decided.
        wordings: whether to ask a question in words, as generative models are asked, in each of its wordings, and to
            judge the model in each; the verdict is that of the usual wording.
        images: whether the results keep small copies of the pictures.
        run_id: name of the run for `vlcheck gate`; the CI server's unless given, else a random one.
        progress: called as pictures are done; True writes to stderr, False nothing.

    Raises:
        UsageError: naming the parameter, file or line that cannot be used, and what would be accepted.

    Example:
        >>> results = evaluate("tiny", "scenes:30", tests="test_blocking_drops_match", progress=False)
        >>> results.passed, results.verdicts[0].rate
        (True, 0.0)
    """
    _check(model, data, batch_size, progress)
    _check_names(tests, run_id)
    requests, loading = _requests(explain), (device, dtype, trust_remote_code)
    _refuse_beside_objects(model, control, loading)
    if not isinstance(data, str):
        _refuse("cases that are given by their spec", lexicons=lexicons, columns=columns)
    config = EvaluationConfig(
        model=model if isinstance(model, str) else str(getattr(model, "name", "")),
        data=data if isinstance(data, str) else data.spec,
        **_loading(model, *loading),
        sequential=sequential,
        wordings=wordings,
        batch_size=batch_size or ON_CPU,
        store=_path("store", store),
        images=images,
        options=_kept_options(columns, lexicons, explain),
    )
    name, started, folder = _name_of_run(run_id), datetime.now(UTC), _tests_folder(suite)
    with collected(folder) as found, Scratch() as scratch, closing(open_engine(engine, scratch, config.device)) as runs:
        its = _Suite.of(folder, found, names_all=bool(policy and lexicons))
        held, named = its.policy(policy).as_of(started.date()), its.named(tests, requests)
        source = open_source(data, lexicons=its.lexicons(lexicons), columns=columns) if isinstance(data, str) else data
        loaded = _in_types(model, config)
        config = replace(config, batch_size=batch_size or most_pictures(config.device, scratch))
        companion = _control(control, config, (device, in_one_type(dtype), trust_remote_code))
        judged = _UnderTest.of(loaded, config, requests, by_spec=isinstance(model, str))
        chosen = _fitting(named, source, demanded=tests is not None)
        run = _Run(name, started, its, source, held, runs, scratch, progress)
        return run.results(judged, companion, chosen)


def read_results(path: str | Path) -> Results:
    """Read a results file, of `evaluate` or of pytest. Raises UsageError, which names the line that is no result.

    Example:
        >>> read_results("vlcheck-results.jsonl").passed  # doctest: +SKIP
        True
    """
    demand_type("path", path, str | Path, _PLACE)
    return Results(file.read(expanded(path)), source=str(path))


def compare(old: Results, new: Results, *, alpha: float = ALPHA) -> Comparison:
    """Compare two runs of the same tests on the same data, case by case.

    Args:
        old: results of the current release.
        new: results of the next one.
        alpha: the share of comparisons of equal models that may find a difference, above 0 and below 1.

    Returns:
        The comparison: a row for each test and metric. It is `accepted` if something was compared and nothing is worse.

    Raises:
        UsageError: `alpha` is out of range, or one of the runs is sequential, changed its model or has no verdict.

    Example:
        >>> compare(read_results("old.jsonl"), read_results("new.jsonl")).accepted  # doctest: +SKIP
        True
    """
    for name, given in (("old", old), ("new", new)):
        demand_type(name, given, Results, _RESULTS)
    demand_type("alpha", alpha, int | float, "a number above 0 and below 1")
    if not 0 < alpha < 1:
        raise UsageError(f"{argument('alpha', alpha)}: has to be above 0 and below 1.")
    for name, results in (("old", old), ("new", new)):
        comparison.demand_comparable(results.lines, name)
    return comparison.compare_runs(old.lines, new.lines, alpha)


def _check(model: object, data: object, batch_size: object, progress: object) -> None:
    _demand_model("model", model)
    demand_type("data", data, str | CaseSource, "a spec, e.g. 'scenes:50', or a source that open_cases gives")
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
        raise UsageError(f"{argument('batch_size', repr(batch_size))}: has to be a whole number from 1 on, or None.")
    if not (isinstance(progress, bool) or callable(progress)):
        raise UsageError(f"{argument('progress', repr(progress))}: has to be True, False or a function of a Progress.")


def _check_names(tests: object, run_id: object) -> None:
    demand_type("tests", tests, str | Collection | None, _NAMES)
    demand_type("run_id", run_id, str | None, "a text")


def _demand_model(name: str, value: object) -> None:
    """Raise UsageError if the value of a parameter cannot be a spec or a model; other objects are tried as models."""
    if value is None or isinstance(value, os.PathLike):
        raise UsageError(f"{argument(name, repr(value))}: has to be a spec, e.g. 'tiny', or a model object.")


def _refuse(of: str, **given: object) -> None:
    """Raise UsageError if a parameter is given whose object is there already."""
    for name, value in given.items():
        if value:
            raise UsageError(f"{argument(name, repr(value))}: is for {of}. Leave it out: an object is taken as it is.")


_Loading = tuple[str | None, str | None, bool]  # device, dtype, and whether code of a checkpoint may run


def _refuse_beside_objects(model: object, control: object, loading: _Loading) -> None:
    """Raise UsageError if device, dtype or trust_remote_code is given, and no model or control is named by a spec."""
    if not isinstance(model, str) and not isinstance(control, str):
        names = ("device", "dtype", "trust_remote_code")
        _refuse("a model that is given by its spec", **dict(zip(names, loading, strict=True)))


def _name_of_run(said: str | None) -> str:
    """Return the name of a run that is said, else the CI server's, else a random one."""
    if said is not None:
        return run_ids.checked(said, "run_id")
    return run_ids.of_ci(os.environ) or run_ids.drawn()


def _requests(explain: str | None) -> Sequence[Request]:
    demand_type("explain", explain, str | None, "a method, e.g. 'mmshap'")
    return () if explain is None else parse_requests(explain)


def _loading(given: object, device: str | None, dtype: str | None, trusted: bool) -> dict[str, Any]:
    """Return the settings with which a model is loaded: empty for an object, which knows its own."""
    if not isinstance(given, str):
        return {"device": "", "dtype": "", "trust_remote_code": False}
    return {
        "device": "cpu" if device is None else device,
        "dtype": "float32" if dtype is None else dtype,
        "trust_remote_code": trusted,
    }


@overload
def _path(name: str, said: str | Path | None, default: Path) -> Path: ...
@overload
def _path(name: str, said: str | Path | None, default: Path | None = None) -> Path | None: ...
def _path(name: str, said: str | Path | None, default: Path | None = None) -> Path | None:
    """Return the path that a parameter gives, with the home folder in place of `~`; the default for None."""
    if said is None:
        return default
    demand_type(name, said, str | Path, _PLACE)
    if not str(said):
        raise UsageError(f"{parameter(name)}: names nothing; leave it out, or name a file or folder.")
    return expanded(said, parameter(name))


def _tests_folder(suite: str | Path | None) -> Path:
    folder = _path("suite", suite, tests_here() or suite_folder() / "behavior_tests")
    if not folder.exists():
        raise UsageError(f"{argument('suite', folder)}: there is no such folder or file of tests.")
    return folder


def _fitting(tests: Sequence[BehaviorTest], source: CaseSource, *, demanded: bool) -> Sequence[BehaviorTest]:
    """Return the tests that the data has their kind of cases for; raise UsageError if a named one, or none, is left.

    Args:
        tests: the tests.
        source: the cases.
        demanded: whether the user named each of the tests.
    """
    found = fitting(tests, source)
    for test in tests:
        if (demanded or not found) and (why := unfit(test, source)):
            raise UsageError(f"{argument('tests', test.name)}: is not asked: {why}.")
    return found


def _loaded(config: EvaluationConfig) -> VisionLanguageModel:
    trusted = config.trust_remote_code
    return load_model(config.model, device=config.device, dtype=config.dtype, trust_remote_code=trusted)


def _in_types(model: str | VisionLanguageModel, config: EvaluationConfig) -> TwoTypesModel:
    """Return the model of a run in its number type, or in the two of a verified run."""
    if not isinstance(model, str):
        return TwoTypesModel(as_model(model))
    trusted = config.trust_remote_code
    return load_in_types(model, device=config.device, dtype=config.dtype, trust_remote_code=trusted)


def _loaded_again(config: EvaluationConfig, requests: Sequence[Request]) -> VisionLanguageModel:
    """Load the model under test in another process, where an engine asks it."""
    return explaining(_loaded(config), requests, batch_size=config.batch_size)


@dataclass(frozen=True)
class _UnderTest:
    """A model under test that is loaded, and can be explained.

    Attributes:
        adapter: the model.
        config: the settings of the run.
        requests: the methods of explanation.
        explainer: explains the worst cases; None if the run asks for no maps.
        loaded: the model in its number types.
        by_spec: whether a spec names the model.
    """

    adapter: VisionLanguageModel
    config: EvaluationConfig
    requests: Sequence[Request]
    explainer: CaseExplainer | None
    loaded: TwoTypesModel
    by_spec: bool

    @classmethod
    def of(cls, loaded: TwoTypesModel, config: EvaluationConfig, requests: Sequence[Request], *, by_spec: bool) -> Self:
        """Prepare a model to be explained.

        Args:
            loaded: the model in its number types.
            config: the settings of the run.
            requests: the methods of explanation.
            by_spec: whether a spec names the model.
        """
        adapter = explaining(loaded.exact, requests, batch_size=config.batch_size)
        explainer = case_explainer(adapter, requests)
        config = replace(config, explained=explainer.records if explainer else ())
        return cls(adapter, config, requests, explainer, loaded, by_spec)

    def session(self, run: _Run) -> AbstractContextManager[Session]:
        """Open the session of a run."""
        own = replace(self.config, dtype=self.loaded.dtype)
        return open_session(
            self.config,
            self.adapter,
            Trials.for_model(run.source, self.adapter),
            run.policy,
            run.scratch,
            engine=run.engine,
            load=partial(_loaded_again, own, self.requests) if self.by_spec else None,
            verified=self.loaded if self.config.dtype == VERIFIED else None,
        )


@dataclass(frozen=True)
class _Run:
    """A run of a suite.

    Attributes:
        name: its name.
        started: its start.
        its: the suite.
        source: the cases.
        policy: the policy on its day.
        engine: asks the models.
        scratch: its temporary folder.
        progress: called as pictures are done; True writes to stderr, False nothing.
    """

    name: str
    started: datetime
    its: _Suite
    source: CaseSource
    policy: Policy
    engine: Engine
    scratch: Path
    progress: Told | bool

    def results(self, model: _UnderTest, companion: _Companion | None, chosen: Sequence[BehaviorTest]) -> Results:
        """Judge a model, and its control if there is one, by some tests."""
        with ExitStack() as opened:
            session = opened.enter_context(model.session(self))
            if companion is None:
                return self._judged(session, model, chosen)
            beside = opened.enter_context(companion.session(self.source, self.policy, self.engine))
            results = self._judged(session.against(beside), model, chosen)
            return replace(results, control=companion.judged(beside, chosen, results.lines.run, _told(self.progress)))

    def _judged(self, session: Session, model: _UnderTest, chosen: Sequence[BehaviorTest]) -> Results:
        part = file.Part(self.scratch, "main")
        part.keep([self._header(session, model.requests, chosen)])
        session.ask((test for test in sound(chosen) if not test.skipped), _told(self.progress))
        errors = _judge_all(session, chosen, part, model.explainer)
        part.keep(session.last_lines("main"))
        if model.explainer:
            part.keep(model.explainer.lines())
        lines = file.gather(self.scratch)
        keep_worst(lines)
        return _ended(lines, errors)

    def _header(self, session: Session, requests: Sequence[Request], chosen: Sequence[BehaviorTest]) -> RunRecord:
        could = self.its.asked(requests)
        return session.header(
            chosen,
            run_id=self.name,
            started=self.started,
            complete=self.its.whole and len(chosen) == len(fitting(could, self.source)),
            unasked=[test for test in self.its.tests if test not in could],
        )


@dataclass(frozen=True)
class _Companion:
    """A control that is loaded.

    Attributes:
        adapter: the control.
        config: the settings of the run, with the control as the model.
        load: loads it in another process; None if it is an object.
    """

    adapter: VisionLanguageModel
    config: EvaluationConfig
    load: Callable[[], VisionLanguageModel] | None = None

    @contextmanager
    def session(self, source: CaseSource, policy: Policy, engine: Engine) -> Iterator[Session]:
        """Yield its session on the cases of a run, which the engine of that run asks."""
        trials = Trials.for_model(source, self.adapter)
        with Scratch() as scratch:
            ours = open_session(self.config, self.adapter, trials, policy, scratch, engine=engine, load=self.load)
            with ours as session:
                yield session

    def judged(self, session: Session, tests: Sequence[BehaviorTest], run: RunRecord, told: Told | None) -> Results:
        """Return its results on the tests of a run, whose first line is `run`."""
        asked = [test for test in sound(tests) if not test.skipped]
        started = datetime.fromisoformat(run.started)
        with Scratch() as scratch:
            part = file.Part(scratch, "main")
            complete = bool(run.complete)
            part.keep([session.header(tests, run_id=str(run.run_id), started=started, complete=complete)])
            tell_words(self.adapter, part.keep)
            with suppress(UsageError):  # said of each test when the control is judged by it
                session.ask(asked, told)
            for test in asked:
                judge_control(session, test, part.keep)
            part.keep(session.last_lines("main"))
            lines = file.gather(scratch)
        return _ended(lines, {fault.test: fault.reason for fault in lines.faults.values()})


def _kept_options(
    columns: str | Mapping[str, str] | None, lexicons: str | Path | None, explain: str | None
) -> dict[str, str]:
    """Return the parameters that the results keep as options of a run of pytest, so that a verdict can be repeated."""
    pairs = ",".join(f"{key}={name}" for key, name in columns.items()) if isinstance(columns, Mapping) else columns
    said = {"columns": pairs, "lexicons": lexicons, "explain": explain}
    return {name: str(value) for name, value in said.items() if value}


def _control(
    control: str | VisionLanguageModel | None, config: EvaluationConfig, loading: _Loading
) -> _Companion | None:
    """Load the control, if there is one. Raises UsageError, which names `control`."""
    if control is None:
        return None
    _demand_model("control", control)
    config = replace(config, wordings=False, **_loading(control, *loading))
    try:
        if isinstance(control, str):
            own = replace(config, model=control)
            return _Companion(_loaded(own), own, partial(_loaded, own))
        own = replace(config, model=str(getattr(control, "name", "")))
        return _Companion(as_model(control), own)
    except UsageError as error:
        raise error.renamed("model", "control") from error


def _ended(lines: file.ResultLines, errors: dict[str, str]) -> Results:
    """Return results with the exit status of their run."""
    results = Results(lines, errors)
    results.lines.ended_with(0 if results.passed else 1)
    return results


def _judge_all(
    session: Session, tests: Sequence[BehaviorTest], part: file.Part, explainer: CaseExplainer | None
) -> dict[str, str]:
    """Judge the tests one after the other, and keep what comes of them; return why some have no verdict."""
    errors = {}
    for test in tests:
        model = replace(session.model, record=partial(_keep, session, part, explainer, test.id))
        if test.amiss:
            errors[test.id] = test.amiss
        elif not test.skipped and not model.lacks(test.metric):
            try:
                model.judge(test.behavior, test.metric)
            except (UsageError, ForeignFault) as error:
                errors[test.id] = str(error)
    return errors


def _keep(session: Session, part: file.Part, explainer: CaseExplainer | None, test: str, judgement: Judgement) -> None:
    part.keep(chain(session.images(judgement, part.images, part.enlarged), judgement.records(test)))
    if explainer:
        explainer.add(test, judgement)


@dataclass(frozen=True)
class _Suite:
    """The tests of a suite, and what judges them.

    Attributes:
        tests: all of them.
        fixtures: the folder with its policy and lexicons; None where it has none.
        whole: whether the tests are all that belong to the fixtures.
    """

    tests: Sequence[BehaviorTest]
    fixtures: Path | None
    whole: bool

    @classmethod
    def of(cls, folder: Path, tests: Sequence[BehaviorTest], *, names_all: bool) -> _Suite:
        """Find the fixtures of some tests in a folder; of several, the first where policy and lexicons are named."""
        found = filter(None, map(fixtures_above, dict.fromkeys(test.path for test in tests)))
        folders = list({fixtures.resolve(): fixtures for fixtures in found}.values())
        if len(folders) > 1 and not names_all:
            raise UsageError(
                f"the tests are of {len(folders)} suites, each with a policy or lexicons of its own:"
                f" {', '.join(map(str, folders))}. Evaluate them one at a time, or name what holds for all: policy and"
                " lexicons."
            )
        fixtures = folders[0] if folders else None
        beside = tests_beside(fixtures) if fixtures else None
        whole = folder.is_dir() and (beside is None or beside.resolve().is_relative_to(folder.resolve()))
        return cls(tests, fixtures, whole)

    def policy(self, said: str | Path | Policy | None) -> Policy:
        """Return the policy that is said, else the suite's, else the shipped one; it has to fit the tests."""
        own = policy_in(self.fixtures) if self.fixtures else None
        policy = said if isinstance(said, Policy) else load_policy(_path("policy", said, own or policy_path()))
        about = subjects(self.tests)
        policy.check(about)
        if self.whole and (said or own):
            policy.demand_tests(about)
        elif self.whole and self.fixtures:
            policy.demand_required(about)
        return policy

    def lexicons(self, said: str | Path | None) -> Path | None:
        """Return the folder of words that is said, else the suite's; None for the shipped words alone."""
        return _path("lexicons", said, lexicons_in(self.fixtures) if self.fixtures else None)

    def asked(self, requests: Sequence[Request]) -> Sequence[BehaviorTest]:
        """Return the tests that can be asked with some methods of explanation."""
        return asked(self.tests, [request.tests for request in requests])

    def named(self, names: str | Collection[str] | None, requests: Sequence[Request]) -> Sequence[BehaviorTest]:
        """Return the tests that are named, with a metric or without, in the suite's order; all for None."""
        tests = self.asked(requests)
        if names is None:
            return tests
        names = {names} if isinstance(names, str) else {*names}
        for name in names:
            demand_type("tests", name, str, _NAMES)
        if not names:
            raise UsageError("tests: names nothing; leave it out for all tests of the suite.")
        known = {name for test in tests for name in (test.name, test.function_name)}
        for name in sorted(names):
            if name not in known:
                raise UsageError(f"tests: there is no test {name!r}. {nearest(name, known)}")
        return [test for test in tests if test.name in names or test.function_name in names]


def _told(progress: Told | bool) -> Told | None:
    if isinstance(progress, bool):
        return told_on(sys.stderr) if progress else None
    return progress
