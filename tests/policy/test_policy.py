"""A policy says what is tolerated; what it says wrongly is named."""

import json
from datetime import date

import pytest
import torch

from vlcheck.behaviors.collect import collected
from vlcheck.behaviors.suite import subjects
from vlcheck.cli.arguments import shipped_tests
from vlcheck.errors import UsageError
from vlcheck.evaluation.records import policy_record
from vlcheck.policy.policy import Subject, Value
from vlcheck.policy.toml_file import load_policy
from vlcheck.results.schema import line_of
from vlcheck.suite.shipped import BIASES, policy_path

TESTS = (
    Subject("test_one", "color", "mlm"),
    Subject("test_one", "color", "itm"),
    Subject("test_two", "position", "itm"),
)
UNTIL = "reason = 'why'\nuntil = 2027-01-31"


@pytest.fixture
def policy(tmp_path):
    def load(text):
        path = tmp_path / "policy.toml"
        path.write_text(text)
        return load_policy(path)

    return load


def test_the_shipped_policy_is_the_design():
    shipped = load_policy(policy_path())
    terms = shipped.of("any", "color")
    assert (terms.rule.allowed, terms.rule.alpha) == (0.10, 0.05)
    tolerances = terms.tolerances("mlm", "masked-lm")
    assert tolerances.delta > tolerances.within
    assert tolerances.by > 0
    assert [terms.on(status) for status in ("fail", "inconclusive", "invalid")] == ["fail"] * 3
    assert terms.on("not asked") == "skip"
    assert shipped.required == BIASES


def test_the_shipped_policy_is_about_the_shipped_tests():
    shipped = load_policy(policy_path())
    with collected(shipped_tests()) as all_tests:  # those that need an explanation, too
        tests = subjects(all_tests)
    shipped.check(tests)
    shipped.demand_tests(tests)
    assert set(shipped.named("behaviors")) < {test.behavior for test in tests}
    assert shipped.known == ()


def test_the_scale_is_the_policys_by_kind_of_score(policy):
    said = policy("[defaults]\nscale = 'raw'\n[tolerances.itm.sigmoid]\nscale = 'calibrated'\nauc = 0.8")
    terms = said.of("test_one", "color")
    assert (terms.scaling("itm", "sigmoid").scale, terms.scaling("itm", "sigmoid").auc) == ("calibrated", 0.8)
    assert (terms.scaling("itm", "match-head").scale, terms.scaling("mlm", "masked-lm").auc) == ("raw", 0.6)
    assert policy("").of("test_one", "color").scaling("mlm", "candidates").uncalibrated == "raw"


def test_required_are_the_biases_that_are_named_as_far_as_the_tests_have_them(policy):
    assert policy("").required_of(TESTS) == ["color", "position"]
    assert policy("required = []").required_of(TESTS) == []
    said = policy('required = ["place", "position", "position"]')
    assert said.required_of(TESTS) == ["position"]
    with pytest.raises(UsageError, match="required: 'place' is a bias of no test; there are color, position"):
        said.demand_tests(TESTS)
    assert said.about(TESTS).required == ("position",)
    assert policy("").about(TESTS).required is None
    policy("").demand_tests(TESTS)


def test_a_behavior_takes_its_own_before_its_kinds_before_its_metrics(policy):
    said = policy(
        """
        [tolerances.mlm]
        within = 0.05
        by = 0.01
        [tolerances.mlm.candidates]
        within = 0.02
        [behaviors.test_one]
        within = 0.01
        allowed = 0.2
        """
    )
    two = said.of("test_two", "color")
    assert two.tolerances("mlm", "masked-lm").within == 0.05
    assert two.tolerances("mlm", "candidates").within == 0.02
    one = said.of("test_one", "color").tolerances("mlm", "candidates")
    assert (one.within, one.by) == (0.01, 0.01)
    assert (said.of("test_one", "color").rule.allowed, two.rule.allowed) == (0.2, 0.1)


def test_a_bias_goes_before_the_metrics_and_after_the_behavior_and_each_value_says_where_it_is_from(policy):
    said = policy(
        """
        [defaults]
        allowed = 0.3
        [on]
        invalid = "xfail"
        [tolerances.mlm.candidates]
        by = 0.01
        [biases.color]
        allowed = 0.2
        by = 0.02
        invalid = "skip"
        inconclusive = "skip"
        [behaviors.test_one]
        by = 0.03
        inconclusive = "xfail"
        """
    )
    one, two, other = said.of("test_one", "color"), said.of("test_two", "color"), said.of("test_three", "order")
    assert [terms.find("by", "mlm", "candidates") for terms in (one, two, other)] == [
        Value(0.03, "behaviors.test_one"),
        Value(0.02, "biases.color"),
        Value(0.01, "tolerances.mlm.candidates"),
    ]
    assert [terms.rule.allowed for terms in (one, two, other)] == [0.2, 0.2, 0.3]
    assert [terms.on("inconclusive") for terms in (one, two, other)] == ["xfail", "skip", "fail"]
    assert [terms.on("invalid") for terms in (one, two, other)] == ["skip", "skip", "xfail"]
    assert other.find("within", "mlm", "candidates") == Value(0.1, "")
    assert other.find("by", "itm", "match-head").value == 0.05


def known(policy, *entries):
    return policy("".join(f"[[known]]\n{entry}\nreason = 'why'\nuntil = 2027-01-31\n" for entry in entries))


def test_a_known_bias_is_found_by_behavior_or_bias_and_metric(policy):
    said = known(policy, "behavior = 'test_one'\nmetric = 'itm'", "bias = 'position'")
    found = [said.of(test.behavior, test.bias).known(test.metric) for test in TESTS]
    assert [one and one.number for one in found] == [None, 1, 2]
    assert found[1].label == 'known[1] (behavior "test_one", metric "itm")'
    said.check(TESTS)
    said.demand_tests(TESTS)


@pytest.mark.parametrize("day", ["2027-01-31", "'2027-01-31'"])
def test_a_known_bias_expires_after_its_day(policy, day):
    said = policy(f"[[known]]\nbias = 'color'\nreason = 'why'\nuntil = {day}")
    assert said.known[0].until == date(2027, 1, 31)
    assert [said.as_of(date(2027, month, 31)).known[0].expired for month in (1, 3)] == [False, True]
    assert said.as_of(date(2027, 2, 1)).known[0].expired


def test_a_policy_is_kept_in_the_results_as_it_is(policy):
    kept = json.loads(json.dumps(line_of(policy_record(known(policy, "bias = 'color'")))))
    assert kept["known"][0]["until"] == "2027-01-31"
    assert kept["tables"] == {}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            ("behavior = 'test_one'", "bias = 'color'"),
            r"known\[1\] .*test_one\[mlm\] is in known\[2\] \(bias \"color\"\)",
        ),
        (("behavior = 'test_one'\nmetric = 'itm'", "bias = 'color'"), r"test_one\[itm\] is in known\[2\]"),
    ],
)
def test_two_entries_about_one_test_are_both_named(policy, entries, said):
    with pytest.raises(UsageError, match=said):
        known(policy, *entries).check(TESTS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[biases.colour]\nby = 0.1", r"biases\.colour: matches no test\. Did you mean 'color'"),
        ("[behaviors.test_on]\nby = 0.1", r"behaviors\.test_on: matches no test\. Did you mean 'test_one'"),
        (
            f"[[known]]\nbehavior = 'test_tow'\n{UNTIL}",
            r"known\[1\] \(behavior \"test_tow\"\): .*Did you mean 'test_two'",
        ),
        (f"[[known]]\nbias = 'place'\n{UNTIL}", r"known\[1\] \(bias \"place\"\): matches no test"),
        (f"[[known]]\nbehavior = 'test_two'\nmetric = 'mlm'\n{UNTIL}", r".*matches no test\. Its metrics are itm"),
    ],
)
def test_what_is_about_no_test_is_named_with_the_nearest(policy, text, said):
    loaded = policy(text)
    loaded.check(TESTS)
    with pytest.raises(UsageError, match=rf"policy=.*policy\.toml: {said}"):
        loaded.demand_tests(TESTS)


def test_tables_that_do_not_fit_are_refused_where_a_test_brings_them_together(policy):
    said = policy(
        """
        [biases.position]
        within = 0.3
        delta = 0.4
        [behaviors.test_one]
        delta = 0.2
        """
    )
    said.check(TESTS)  # test_one is of another bias
    with pytest.raises(UsageError, match=r"behaviors\.test_one: delta 0\.2 has to be above within 0\.3"):
        said.check([Subject("test_one", "position", "mlm")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[default]\n", r"default: is no key of a policy\. Did you mean 'defaults'"),
        ("[defaults]\nalfa = 0.05", r"defaults\.alfa: is no key .* 'alpha'"),
        ("[tolerances.mln]\n", r"tolerances\.mln: .* 'mlm'"),
        ("[tolerances.mlm]\nwithn = 0.1", r"tolerances\.mlm\.withn: .* 'within'"),
        ("[tolerances.itm.match-head]\nbye = 0.1", r"tolerances\.itm\.match-head\.bye: .* 'by'"),
        ("[behaviors.test_x]\nallow = 0.1", r"behaviors\.test_x\.allow: .* 'allowed'"),
        ("[on]\ninvalid = 'pass'", r'on\.invalid: \'pass\' has to be "fail", "skip" or "xfail"'),
        ("[defaults]\nallowed = 1.0", r"defaults\.allowed: 1\.0 has to be a number from 0, below 1"),
        ("[defaults]\nscale = 'log'", r'defaults\.scale: \'log\' has to be "calibrated" or "raw"'),
        ("[biases.color]\nuncalibrated = 1", r'biases\.color\.uncalibrated: 1 has to be "raw" or "invalid"'),
        ("[tolerances.itm.sigmoid]\nauc = 0.4", r"sigmoid\.auc: 0\.4 has to be a number from 0\.5, below 1"),
        ("[defaults]\nalpha = true", r"defaults\.alpha: True has to be a number"),
        ("[defaults]\nalpha = nan", r"defaults\.alpha: nan has to be a number"),
        ("[tolerances.mlm.maskedlm]\nby = 0.1", r"tolerances\.mlm\.maskedlm: .* 'masked-lm'"),
        ("[behaviors.test_x]\nwithin = 0.9", r"behaviors\.test_x: delta 0\.15 has to be above within 0\.9"),
        ("[tolerances.mlm]\nby = 0", r"tolerances\.mlm\.by: 0 has to be a number above 0"),
        ("[tolerances.mlm]\nwithin = 0.3", r"tolerances\.mlm: delta 0\.15 has to be above within 0\.3"),
        ("[defaults]\nband = [0.2, 0.1]", r"defaults\.band: .* the lower one first"),
        ("[defaults]\nband = 0.1", r"defaults\.band: "),
        ("defaults = 3", r"defaults: 3 has to be a table"),
        ("[biases.color]\nallow = 0.1", r"biases\.color\.allow: .* 'allowed'"),
        ("[biases.color]\nwithin = 0.9", r"biases\.color: delta 0\.15 has to be above within 0\.9"),
        ("[biases.color]\ninvalid = 'pass'", r'biases\.color\.invalid: \'pass\' has to be "fail", "skip" or "xfail"'),
        ("[behaviors.test_x]\ninconclusive = []", r"behaviors\.test_x\.inconclusive: \[\] has to be"),
        ("known = 3", r"known: has to be a list of tables, each under \[\[known\]\]"),
        ("[known]\nbias = 'color'", r"known: has to be a list of tables"),
        ("known = [3]", r"known\[1\]: 3 has to be a table"),
        (f"[[known]]\n{UNTIL}", r"known\[1\]: has to name either a behavior or a bias; it names none"),
        (f"[[known]]\nbias = 'a'\nbehavior = 'b'\n{UNTIL}", r"known\[1\]: .*it names behavior and bias"),
        (f"[[known]]\nbias = ' '\n{UNTIL}", r"known\[1\]\.bias: ' '; it has to be a text"),
        (f"[[known]]\nbais = 'color'\n{UNTIL}", r"known\[1\]\.bais: is no key of a policy\. Did you mean 'bias'"),
        (f"[[known]]\nbias = 'a'\nmetric = 'itn'\n{UNTIL}", r"known\[1\] \(bias \"a\"\)\.metric: 'itn' .* 'itm'"),
        (f"[[known]]\nbias = 'a'\nmetric = []\n{UNTIL}", r"known\[1\] \(bias \"a\"\)\.metric: \[\] is no metric"),
        (
            "[[known]]\nbias = 'a'\nraeson = 'why'\nuntil = 2027-01-31",
            r"known\[1\]\.reason: is missing; 'raeson' is no key of a policy\. Did you mean 'reason'",
        ),
        ("[[known]]\nbias = 'a'\nuntil = 2027-01-31", r"known\[1\]\.reason: is missing"),
        ("[[known]]\nbias = 'a'\nreason = '\t'\nuntil = 2027-01-31", r"known\[1\]\.reason: .*has to be a text"),
        ("[[known]]\nbias = 'a'\nreason = 'why'", r"until: is missing; it has to be a day, e\.g\. 2027-01-31"),
        ("[[known]]\nbias = 'a'\nreason = 'why'\nuntil = 2027-01-31T00:00:00", r"until: datetime.*has to be a day"),
        ("[[known]]\nbias = 'a'\nreason = 'why'\nuntil = '20270131'", r"until: '20270131'; it has to be a day"),
        ("[[known]]\nbias = 'a'\nreason = 'why'\nuntil = '2027-02-30'", r"until: '2027-02-30'; it has to be a day"),
        ("[[known]]\nbias = 'a'\nreason = 'why'\nuntil = 2027", r"until: 2027; it has to be a day"),
        (
            f"[[known]]\nbias = 'a'\n{UNTIL}\n[[known]]\nbias = 'a'\nmetric = 'mlm'\n{UNTIL}",
            r"known\[2\] \(bias \"a\", metric \"mlm\"\): is about the same tests as known\[1\] \(bias \"a\"\)",
        ),
        ("[defaults", r"not TOML"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_key(policy, text, said):
    with pytest.raises(UsageError, match=rf"policy=.*policy\.toml: .*{said}"):
        policy(text)


def test_a_policy_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"policy=.*absent\.toml: cannot be read"):
        load_policy(tmp_path / "absent.toml")


def test_a_step_of_0_is_refused_where_a_library_flushes_subnormal_numbers(policy):
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot")
    try:
        with pytest.raises(UsageError, match="by: 0 has to be a number above 0"):
            policy("[tolerances.mlm]\nby = 0")
    finally:
        torch.set_flush_denormal(False)
