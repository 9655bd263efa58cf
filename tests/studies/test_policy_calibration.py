"""A proposed policy is the least under which a trusted model passes, and says of each value why."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from vlcheck.behaviors.behavior import Behavior
from vlcheck.cases import Case, with_target
from vlcheck.evaluation.finding import Finding
from vlcheck.evaluation.outcomes import Findings
from vlcheck.expect.aggregate import SidePreference
from vlcheck.expect.base import AFTER, BEFORE, OTHER, Sample
from vlcheck.expect.directional import Drops, Swaps
from vlcheck.expect.invariance import Preserved
from vlcheck.metrics.registry import METRICS
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import Solid
from vlcheck.policy.toml_file import load_policy
from vlcheck.studies.policy_calibration import Asked, Trust, policy_lines, propose

pytestmark = pytest.mark.slow


def case(at, target="left"):
    picture = Solid((8, 8), (at % 256, at // 256, 3))
    return Case(id=str(at), image=picture, caption=f"a thing to the {target}", target=target, tags=frozenset({"side"}))


def asked(name, expect, readings, metric="itm"):
    """A behavior whose cases are read as given: a score by arm, of the target or by word."""
    behavior = Behavior(name=name, bias="color", cases=with_target("side"), expect=expect)
    samples = []
    for at, arms in enumerate(readings):
        one = case(at, "left" if at % 2 else "right")
        by_word = {arm: said if isinstance(said, dict) else {one.target: said} for arm, said in arms.items()}
        samples.append(Sample(one, {arm: METRICS[metric].reading(one.target, said) for arm, said in by_word.items()}))
    each = tuple(Finding.of(sample, expect, Tolerances()) for sample in samples)
    return Asked(behavior, metric, "match-head", Findings(behavior, each))


def losing(loss, n=60, name="test_preserves", jitter=0.004):
    """Each case loses about as much."""
    noise = np.random.default_rng(0).uniform(-jitter, jitter, n)
    return asked(name, Preserved(), [{BEFORE: 0.9, AFTER: 0.9 - loss + float(one), OTHER: 0.05} for one in noise])


def dropping(before, after, name="test_drops", n=60):
    return asked(name, Drops(), [{BEFORE: before - at / 10_000, AFTER: after} for at in range(n)])


def table(proposal, name="tolerances.itm.match-head"):
    return proposal.policy.tables.get(name, {})


@pytest.fixture
def own(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def in_force(own):
    return load_policy(own(""))


def test_within_is_the_least_that_the_trusted_model_passes(in_force):
    proposal = propose(in_force, [losing(0.031)])
    assert table(proposal) == {"within": 0.04}
    assert losing(0.031).passes(proposal.policy)
    assert not losing(0.031).passes(in_force.changed("tolerances.itm.match-head", {"within": 0.03 - 0.004}))


def test_the_largest_need_of_a_kind_of_score_decides_and_is_named(in_force):
    proposal = propose(in_force, [losing(0.02, name="test_a"), losing(0.141, name="test_b")])
    assert table(proposal) == {"within": 0.15, "delta": 0.2}
    assert "behaviors.test_b" not in proposal.policy.tables
    because = proposal.because["tolerances.itm.match-head", "within"]
    assert because.startswith("test_b[itm], n = 60: all but 1 of its margins are 0.00")
    assert because.endswith("; fail under the policy in force")


def test_who_needs_far_more_has_a_table_of_its_own(in_force):
    proposal = propose(in_force, [losing(0.02, name="test_a"), losing(0.25, name="test_b")])
    assert table(proposal) == {"within": 0.03}
    assert table(proposal, "behaviors.test_b") == {"within": 0.26, "delta": 0.31}
    assert list(proposal.left_out()) == []


def test_what_no_tolerance_makes_pass_is_the_trusted_models_own_bias(in_force):
    proposal = propose(in_force, [losing(0.02, name="test_a"), losing(0.6, name="test_grey")])
    assert table(proposal) == {"within": 0.03}
    assert "behaviors.test_grey" not in proposal.policy.tables
    text = list(policy_lines(proposal, Trust("mine", "abc", "scenes", date(2027, 1, 31))))
    at = text.index("# biases of the trusted model itself, which no tolerance here excuses:")
    assert text[at + 1].startswith("#   test_grey[itm]: fail: 60 of 60 violate")


def test_what_decides_nothing_cannot_be_calibrated_and_says_why(in_force):
    few, hollow = losing(0.01, n=20, name="test_few"), losing(0.01, name="test_hollow")
    broken = replace(hollow.findings.each[0], errors=("out of cheese",))
    hollow = replace(hollow, findings=replace(hollow.findings, each=(broken, *hollow.findings.each[1:])))
    proposal = propose(in_force, [few, hollow])
    assert proposal.policy == in_force
    text = "\n".join(policy_lines(proposal, Trust("mine", "abc", "scenes", date(2027, 1, 31))))
    assert "# cannot be calibrated:\n#   test_few[itm]: not asked: 20 images; a pass needs 29" in text
    assert "#   test_hollow[itm]: invalid: 1 of 60 cases could not be scored: out of cheese" in text


def test_by_is_the_largest_difference_that_there_is(in_force):
    turned = [{BEFORE: {"left": 0.2, "right": 0.8}, AFTER: {"left": 0.75, "right": 0.25}}] * 60
    turned = [arms if not at % 2 else {BEFORE: arms[AFTER], AFTER: arms[BEFORE]} for at, arms in enumerate(turned)]
    proposal = propose(in_force, [asked("test_swaps", Swaps(), turned)])
    assert table(proposal) == {"by": 0.24}


def test_below_moves_only_where_the_scores_are_elsewhere(in_force):
    assert table(propose(in_force, [dropping(0.9, 0.1)])) == {"by": 0.79}
    proposal = propose(in_force, [dropping(0.31, 0.02)])
    assert table(proposal)["below"] == 0.3
    assert dropping(0.31, 0.02).passes(proposal.policy)


def test_a_band_is_the_narrowest_around_0_and_stays_open_where_it_is(in_force):
    even = [{BEFORE: {"left": 0.5, "right": 0.5}, OTHER: 0.1} for _ in range(400)]
    prefers = asked("test_mean", SidePreference(), even)
    prefers = replace(prefers, findings=_known(prefers.findings))
    proposal = propose(in_force, [prefers])
    low, high = table(proposal, "behaviors.test_mean")["band"]
    verdict = prefers.verdict(proposal.policy)
    assert (low, verdict.passed) == (-high, True)
    assert high - 0.01 < max(abs(verdict.effect_low), abs(verdict.effect_high)) <= high
    opened = propose(in_force.changed("behaviors.test_mean", {"band": (-1.0, 0.2)}), [prefers])
    assert table(opened, "behaviors.test_mean")["band"][0] == -1.0


def test_what_passed_before_passes_under_the_proposal(in_force):
    random = np.random.default_rng(1)
    tests = [
        losing(float(random.uniform(0, 0.4)), name=f"test_{at}", jitter=float(random.uniform(0.01, 0.1)))
        for at in range(12)
    ]
    tests += [
        dropping(float(random.uniform(0.4, 1)), float(random.uniform(0, 0.4)), f"test_drop_{at}") for at in range(6)
    ]
    proposal = propose(in_force, tests)
    before = [one.name for one in tests if one.passes(in_force)]
    assert 3 < len(before) < len(tests)
    assert [name for name in before if name in {one.name for one, _ in proposal.left_out()}] == []


def test_a_delta_that_someone_else_has_stays_above_within(in_force):
    other = replace(losing(0.01, name="test_other"), behavior=replace(losing(0.01).behavior, name="o", bias="place"))
    tests = [losing(0.145, name="test_a"), other]
    assert table(propose(in_force, tests))["within"] == 0.15
    narrow = in_force.changed("biases.place", {"delta": 0.12})
    proposal = propose(narrow, tests)
    assert table(proposal).get("within", 0.1) < 0.12
    assert table(proposal, "behaviors.test_a") == {"within": 0.15, "delta": 0.2}
    assert all(one.passes(proposal.policy) for one in tests)


def test_metrics_of_one_behavior_share_its_table(in_force):
    itm = losing(0.02)
    mlm = replace(losing(0.25), metric="mlm", kind="masked-lm")
    apart = in_force.changed("tolerances.itm", {"delta": 0.5})
    proposal = propose(apart, [itm, mlm])
    assert table(proposal, "behaviors.test_preserves") == {"within": 0.26, "delta": 0.5}
    assert [one.passes(proposal.policy) for one in (itm, mlm)] == [True, True]


def test_what_another_tests_need_would_spoil_keeps_what_is_in_force(in_force):
    readings = [{BEFORE: {"left": 0.5, "right": 0.5}, OTHER: {"left": 0.33, "right": 0.33}}] * 400
    means = asked("test_mean", SidePreference(), readings)
    proposal = propose(in_force, [losing(0.145, name="test_a"), means])
    assert table(proposal) == {"within": 0.15, "delta": 0.2}
    own = table(proposal, "behaviors.test_mean")
    assert (own["within"], own["delta"]) == (0.1, 0.15)
    assert means.passes(in_force)
    assert means.passes(proposal.policy)


def test_hostile_names_break_out_of_no_comment(in_force, own):
    hostile = losing(0.02, name='test_x\n[defaults]\nallowed = 0.99\r\x85"]')
    failing = losing(0.6, name="test_y\n[on]\ninvalid = 'skip'")
    trust = Trust("mine\nallowed = 0.9", "abc\x1b", "jsonl:a\u2028b", date(2027, 1, 31))
    text = "\n".join(policy_lines(propose(in_force, [hostile, failing]), trust))
    again = load_policy(own(text))
    assert {name for name, values in again.tables.items() if values} == {"tolerances.itm.match-head"}
    assert not any(ord(one) < 32 and one != "\n" for one in text)


def _known(findings):
    """The same, each case known."""
    return replace(findings, each=tuple(replace(one, known=True) for one in findings.each))
