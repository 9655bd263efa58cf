"""A policy says what is tolerated; what it says wrongly is named."""

import pytest

from vlcheck.errors import UsageError
from vlcheck.policy import load_policy
from vlcheck.suite import policy_path


@pytest.fixture
def policy(tmp_path):
    def load(text):
        path = tmp_path / "policy.toml"
        path.write_text(text)
        return load_policy(path)

    return load


def test_the_shipped_policy_is_the_design():
    shipped = load_policy(policy_path())
    rule = shipped.rule("any")
    assert (rule.allowed, rule.alpha) == (0.10, 0.05)
    tolerances = shipped.tolerances("mlm", "masked-lm", "any")
    assert tolerances.delta > tolerances.within
    assert tolerances.by > 0
    assert dict(shipped.on) == {"inconclusive": "fail", "invalid": "fail"}


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
    assert said.tolerances("mlm", "masked-lm", "test_two").within == 0.05
    assert said.tolerances("mlm", "candidates", "test_two").within == 0.02
    one = said.tolerances("mlm", "candidates", "test_one")
    assert (one.within, one.by) == (0.01, 0.01)
    assert (said.rule("test_one").allowed, said.rule("test_two").allowed) == (0.2, 0.1)


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
        ("[defaults]\nalpha = true", r"defaults\.alpha: True has to be a number"),
        ("[defaults]\nalpha = nan", r"defaults\.alpha: nan has to be a number"),
        ("[tolerances.mlm.maskedlm]\nby = 0.1", r"tolerances\.mlm\.maskedlm: .* 'masked-lm'"),
        ("[behaviors.test_x]\nwithin = 0.9", r"behaviors\.test_x: delta 0\.15 has to be above within 0\.9"),
        ("[tolerances.mlm]\nby = 0", r"tolerances\.mlm\.by: 0 has to be a number above 0"),
        ("[tolerances.mlm]\nwithin = 0.3", r"tolerances\.mlm: delta 0\.15 has to be above within 0\.3"),
        ("[defaults]\nband = [0.2, 0.1]", r"defaults\.band: .* the lower one first"),
        ("[defaults]\nband = 0.1", r"defaults\.band: "),
        ("defaults = 3", r"defaults: 3 has to be a table"),
        ("[defaults", r"not TOML"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_key(policy, text, said):
    with pytest.raises(UsageError, match=rf"--vl-policy .*policy\.toml: .*{said}"):
        policy(text)


def test_a_policy_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"--vl-policy .*absent\.toml: cannot be read"):
        load_policy(tmp_path / "absent.toml")
