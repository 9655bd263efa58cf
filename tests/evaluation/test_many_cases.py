"""Verdicts on more cases than are kept in memory: trials, findings and rows are made again, and nothing differs."""

from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from tests.doubles import Wavers
from tests.evaluation.test_verified import BEHAVIORS as ASKED
from tests.plugin.conftest import write_cases
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.made_trials import MadeTrials
from vlcheck.behaviors.tables import AgainstNoise
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import with_target
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation import evaluator, inquiry
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.outcomes import Findings
from vlcheck.evaluation.session import open_session
from vlcheck.evaluation.slim_findings import slimmed
from vlcheck.expect import Drops, Preserved
from vlcheck.perturb import Brightness, Each, Grayscale
from vlcheck.policy.policy import Rule
from vlcheck.policy.toml_file import load_policy
from vlcheck.results.schema import encoded
from vlcheck.suite.shipped import policy_path

made = partial(Behavior, bias="color", cases=with_target("object"))
BEHAVIORS = (
    *ASKED,
    (made(name="test_each", perturb=Each(Grayscale(), Brightness(0.9)), expect=Preserved()), "itm"),
    (made(name="test_tables", perturb=Grayscale(), expect=Drops(), tables=(AgainstNoise(Grayscale()),)), "itm"),
)
LIMITED = (
    "behaviors.made_trials",
    "behaviors.trials",
    "evaluation.calibration",
    "evaluation.evaluator",
    "evaluation.inquiry",
    "evaluation.slim_findings",
)


def limit(monkeypatch, cases):
    """Let only some cases of a test be kept."""
    for module in LIMITED:
        monkeypatch.setattr(f"vlcheck.{module}.RECENT", cases)
    monkeypatch.setattr(evaluator, "AT_ONCE", 2 * cases)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return write_cases(tmp_path_factory.mktemp("many"), 40)


@contextmanager
def session(spec, n, **config):
    source = open_source(f"jsonl:{spec}:{n}")
    model = Wavers(source.cases, fingerprint="exact")
    settings = EvaluationConfig(images=False, **config)
    with open_session(settings, model, Trials(source), load_policy(policy_path()), None) as opened:
        yield opened


def lines(spec, n, **config):
    """The lines of the results of all behaviors, and the pictures of their rows."""
    found = []

    def keep(judgement):
        found.extend(map(encoded, judgement.records("test")))
        found.extend(picture.key for picture in judgement.pictures())
        found.extend(row.case.id for row in judgement.worst())

    with session(spec, n, **config) as opened:
        for one in opened.model.rounds(BEHAVIORS):
            one.scorer.answers(one.queries)
        for one in BEHAVIORS:
            replace(opened.model, record=keep).judge(*one)
    return found


@pytest.mark.parametrize(("n", "sequential"), [(40, False), (20, False), (40, True)], ids=["all", "spare", "looks"])
def test_the_results_are_the_same_lines_however_few_cases_are_kept(photographs, monkeypatch, n, sequential):
    kept = lines(photographs, n, sequential=sequential)
    limit(monkeypatch, 3)
    assert lines(photographs, n, sequential=sequential) == kept
    assert len(kept) > 5 * n


@pytest.mark.parametrize(("n", "sequential"), [(40, False), (20, False), (40, True)], ids=["all", "spare", "looks"])
def test_the_results_are_the_same_lines_where_nothing_is_kept_until_it_is_judged(
    photographs, monkeypatch, n, sequential
):
    kept = lines(photographs, n, sequential=sequential)
    monkeypatch.setattr(inquiry, "FEW", 0)
    assert lines(photographs, n, sequential=sequential) == kept


def test_trials_that_are_made_again_ask_the_same(photographs, monkeypatch):
    source = open_source(f"jsonl:{photographs}:40")
    kept = Trials(source).of(*BEHAVIORS[0])
    monkeypatch.setattr("vlcheck.behaviors.trials.RECENT", 3)
    again = Trials(source).of(*BEHAVIORS[0])
    assert [[query.key for query in trial.queries()] for trial in again] == [
        [query.key for query in trial.queries()] for trial in kept
    ]
    assert kept[0] is kept[0]
    assert again[0] is not again[len(again) - 1]
    first = again[0]
    assert list(again)[-1] is again[-1]  # one of the last
    assert again[0] is not first  # it was made again


def test_trials_are_taken_and_joined_without_being_made():
    made_of = []

    def of_case(case):
        made_of.append(case)
        return KINDS[case]

    trials = MadeTrials(of_case, [0, 2])
    made_of.clear()
    both = trials[1:].plus([trials.at([0])])
    assert (len(both), both.images, [*both.askable]) == (2, ["c", "a"], [1, 0])
    assert made_of == []
    assert [trial.name for trial in both] == ["c", "a"]


@pytest.mark.parametrize("place", range(len(ASKED)))
def test_slim_findings_have_the_same_verdict(photographs, place):
    behavior, metric = ASKED[place]
    with session(photographs, 40) as opened:
        found = opened.model.find(behavior, metric)
    slim = replace(found, each=tuple(slimmed(found.each)))
    rule = Rule(band=(-0.2, 0.2)) if behavior.expect.claim == "mean" else Rule()
    assert slim.verdict(rule) == found.verdict(rule)
    assert max(len(list(one.scores())) for one in slim.each) <= 2


def test_slim_findings_keep_what_is_not_finite_and_what_is_constant(photographs):
    behavior, metric = ASKED[0]
    with session(photographs, 40) as opened:
        found = opened.model.find(behavior, metric).each
    for score in (float("nan"), float("inf"), 0.5):
        changed = Findings(behavior, tuple(with_scores(one, score) for one in found))
        slim = replace(changed, each=tuple(slimmed(changed.each)))
        assert slim.verdict(Rule()) == changed.verdict(Rule())
        assert slim.verdict(Rule()).status == "invalid"


def with_scores(finding, score):
    readings = {
        arm: replace(one, scores=dict.fromkeys(one.scores, score)) for arm, one in finding.sample.readings.items()
    }
    return replace(finding, sample=replace(finding.sample, readings=readings))


class Named:
    def __init__(self, name, askable):
        self.name, self.askable = name, askable
        self.case = self
        self.image = self
        self.key = name


KINDS = {0: [Named("a", False)], 1: [Named("b", True)], 2: [Named("c", True)]}
