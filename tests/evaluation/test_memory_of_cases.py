"""A run of many cases keeps little of each: the peak of its memory is measured for two numbers of cases."""

import gc
import tracemalloc

import pytest

from benchmarks.memory_curve import Knowing
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, CaseSource, with_target
from vlcheck.cases.offer import Offer
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import open_session
from vlcheck.expect import Preserved
from vlcheck.perturb import Brightness, Solid
from vlcheck.policy.toml_file import load_policy
from vlcheck.suite.shipped import policy_path

FEW, MANY = 300, 900
KEPT = 50  # cases whose trials stay
MOST = 5_000  # bytes a case, beside the case itself
LIMITED = (
    "behaviors.made_trials",
    "behaviors.trials",
    "evaluation.evaluator",
    "evaluation.inquiry",
    "evaluation.slim_findings",
)
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


def peak(folder, number):
    """The peak of traced memory while a model is asked about so many cases and judged, in bytes."""
    source = CaseSource("things", Offer({str(at): (thing(at),) for at in range(number)}), number, 0)
    source.select(BEHAVIOR.cases)
    gc.collect()
    tracemalloc.start()
    with open_session(
        EvaluationConfig(images=False), Knowing(), Trials(source), load_policy(policy_path()), folder
    ) as opened:
        for one in opened.model.rounds([(BEHAVIOR, "itm")]):
            one.scorer.answers(one.queries)
            del one
        assert opened.model.judge(BEHAVIOR, "itm").n == number
    _, found = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return found


@pytest.fixture
def each(tmp_path, monkeypatch):
    monkeypatch.setattr("vlcheck.stats.bootstrap._AT_ONCE", 1_000)  # else its draws are more than all cases

    def measure(kept):
        for module in LIMITED:
            monkeypatch.setattr(f"vlcheck.{module}.RECENT", kept)
        for name in ("warm", "few", "many"):
            (tmp_path / f"{name}{kept}").mkdir()
        peak(tmp_path / f"warm{kept}", KEPT)  # what is imported, and cached for all cases
        few, many = peak(tmp_path / f"few{kept}", FEW), peak(tmp_path / f"many{kept}", MANY)
        return (many - few) / (MANY - FEW)

    return measure


def test_little_is_kept_of_each_case(each):
    few = each(KEPT)
    print(few, each(10**9))
    assert few < MOST
