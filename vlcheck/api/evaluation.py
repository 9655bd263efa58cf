"""A suite run from Python: `vlcheck.evaluate`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vlcheck._util.temporary import Scratch
from vlcheck.api.arguments import (
    Loading,
    Told,
    check_arguments,
    demand_names,
    given_path,
    kept_options,
    name_of_run,
    objects_among,
    refuse_with,
    requests_of,
)
from vlcheck.api.control import load_control
from vlcheck.api.results import Results
from vlcheck.api.run import SuiteRun
from vlcheck.api.suite import SuiteTests, fitting_tests, tests_folder
from vlcheck.api.under_test import UnderTest, load_under_test
from vlcheck.behaviors.collect import collected
from vlcheck.cases import CaseSource
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.models.loading.two_types import in_one_type
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.policy.policy import Policy
from vlcheck.scoring.batch_size import ON_CPU, most_pictures
from vlcheck.scoring.engines.registry import open_engine


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
    check_arguments(model, data, batch_size, progress)
    demand_names(tests, run_id)
    requests, loading = requests_of(explain), Loading(device, dtype, trust_remote_code)
    loading.refuse_beside_objects(model, control)
    if not isinstance(data, str):
        refuse_with("cases that are given by their spec", lexicons=lexicons, columns=columns)
    config = EvaluationConfig(
        model=model if isinstance(model, str) else str(getattr(model, "name", "")),
        data=data if isinstance(data, str) else data.spec,
        **loading.of(model),
        sequential=sequential,
        wordings=wordings,
        batch_size=batch_size or ON_CPU,
        store=given_path("store", store),
        images=images,
        options=kept_options(columns, lexicons, explain),
        objects=objects_among(model=model, data=data, policy=policy),
    )
    name, started, folder = name_of_run(run_id), datetime.now(UTC), tests_folder(suite)
    with collected(folder) as found, Scratch() as scratch, closing(open_engine(engine, scratch, config.device)) as runs:
        its = SuiteTests.of(folder, found, names_all=bool(policy and lexicons))
        held, named = its.policy(policy).as_of(started.date()), its.named(tests, requests)
        source = open_source(data, lexicons=its.lexicons(lexicons), columns=columns) if isinstance(data, str) else data
        loaded = load_under_test(model, config)
        config = replace(config, batch_size=batch_size or most_pictures(config.device, scratch))
        companion = load_control(control, config, loading._replace(dtype=in_one_type(dtype)))
        judged = UnderTest.of(loaded, config, requests, by_spec=isinstance(model, str))
        chosen = fitting_tests(named, source, demanded=tests is not None)
        run = SuiteRun(name, started, its, source, held, runs, scratch, progress)
        return run.results(judged, companion, chosen)
