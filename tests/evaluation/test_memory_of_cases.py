"""A run of many cases keeps little of each: its memory is measured for two numbers of cases."""

import gc
import tracemalloc

import pytest

from benchmarks.memory_curve import Knowing
from tests.evaluation.test_many_cases import limit
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, CaseSource, with_target
from vlcheck.cases.offer import Offer
from vlcheck.evaluation import slim_findings
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import open_session
from vlcheck.expect import Preserved
from vlcheck.perturb import Brightness, Solid
from vlcheck.policy.toml_file import load_policy
from vlcheck.suite.shipped import policy_path

FEW, MANY = 200, 700
KEPT = 50  # cases whose trials stay
ASKED, JUDGED = 4_500, 3_300  # bytes a case at most, beside the case itself: while a model is asked, and judged
BEHAVIOR = Behavior(
    name="test_light", bias="color", cases=with_target("object"), perturb=Brightness(0.9), expect=Preserved()
)


def thing(number):
    """A bus is dark, a dog is bright, and no two pictures are the same."""
    name, least = (("bus", 20), ("dog", 200))[number % 2]
    color = (least + number % 50, least + number // 50 % 50, least)
    return Case(
        id=f"case-{number}",
        image=Solid((16, 16), color),
        caption=f"a {name} on the street",
        target=name,
        present=frozenset({name}),
        tags=frozenset({"object"}),
    )


def peaks(folder, number):
    """The peaks of traced memory while a model is asked about so many cases, and judged, in bytes."""
    source = CaseSource("things", Offer({str(at): (thing(at),) for at in range(number)}), number, 0)
    source.select(BEHAVIOR.cases)
    settings, policy = EvaluationConfig(images=False), load_policy(policy_path())
    folder.mkdir()
    with open_session(settings, Knowing(), Trials(source), policy, folder) as opened:
        gc.collect()
        tracemalloc.start()
        for one in opened.model.rounds([(BEHAVIOR, "itm")]):
            one.scorer.answers(one.queries)
            del one
        _, asked = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        assert opened.model.judge(BEHAVIOR, "itm").n == number
        _, judged = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return asked, judged


@pytest.fixture
def each(tmp_path, monkeypatch):
    """Measures the bytes of one more case while a model is asked, and while it is judged."""
    monkeypatch.setattr("vlcheck.stats.bootstrap._AT_ONCE", 1_000)  # else its draws are more than all cases
    limit(monkeypatch, KEPT)

    def measure():
        peaks(tmp_path / "warm", 2 * KEPT)  # what is computed once for all cases
        few, many = (peaks(tmp_path / str(number), number) for number in (FEW, MANY))
        return [(more - less) / (MANY - FEW) for less, more in zip(few, many, strict=True)]

    return measure


def test_little_is_kept_of_each_case(each):
    asked, judged = each()
    assert asked < ASKED
    assert judged < JUDGED


@pytest.mark.slow
def test_more_is_kept_where_findings_are_whole(each, monkeypatch):
    """So it is seen that the limit above is one."""
    monkeypatch.setattr(slim_findings, "slimmed", lambda findings: findings)
    assert each()[1] > JUDGED


@pytest.mark.slow
def test_more_is_kept_where_all_trials_are(each, monkeypatch):
    monkeypatch.setattr("vlcheck.behaviors.trials.RECENT", 10**9)
    assert each()[0] > ASKED
