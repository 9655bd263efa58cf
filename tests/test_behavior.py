"""What a behavior asks of its cases."""

from vlcheck.behavior import Behavior, Trials
from vlcheck.cases import open_source, with_target
from vlcheck.expect import AFTER, BEFORE, Preserved
from vlcheck.perturb import Bare, Compose, CutOut, Each, Mirror, Opening


def behavior(**details):
    return Behavior(name="test", bias="place", cases=with_target("single"), expect=Preserved(), **details)


def test_a_case_has_a_trial_for_each_perturbation_under_its_name():
    source = open_source("scenes:3")
    cases = source.select(with_target("single"))
    trials = Trials(source).of(behavior(perturb=Each(Opening(5), Opening(10))), "itm")
    assert [trial.case.id for trial in trials] == [case.id for case in cases for _ in range(2)]
    assert [trial.perturbation for trial in trials[:2]] == ["opening(5) v1", "opening(10) v1"]
    assert {trial.arms[BEFORE].view.template for trial in trials[:2]} == {cases[0].masked}
    assert all(trial.arms[AFTER].view.template.endswith(f": {trial.case.masked}") for trial in trials)


def test_trials_are_made_once_until_a_behavior_of_the_name_states_something_else():
    trials = Trials(open_source("scenes:3"))
    first = trials.of(behavior(perturb=Mirror()), "mlm")
    assert trials.of(behavior(perturb=Mirror()), "mlm") is first
    other = trials.of(behavior(perturb=Mirror()), "itm")
    assert [list(trial.arms) for trial in other] == [list(trial.arms) for trial in first]
    assert {trial.arms[AFTER].metric for trial in other} == {"itm"}
    assert {trial.perturbation for trial in trials.of(behavior(perturb=Opening(5)), "mlm")} == {"opening(5) v1"}


def test_one_perturbation_is_one_trial_and_none_has_no_after():
    cases = open_source("scenes:3").select(with_target("single"))
    (trial,) = behavior(perturb=Mirror()).trials_of(cases[0], "mlm", cases)
    assert trial.perturbation == "mirror v1"
    (trial,) = behavior().trials_of(cases[0], "mlm", cases)
    assert (trial.perturbation, AFTER in trial.arms) == ("", False)


def test_what_is_given_holds_before_and_after():
    cases = open_source("scenes:3").select(with_target("single"))
    stated = behavior(given=Compose(Bare(), CutOut("middle")), perturb=CutOut("top"))
    (trial,) = stated.trials_of(cases[0], "mlm", cases)
    before, after = trial.arms[BEFORE].view, trial.arms[AFTER].view
    assert before.template == after.template == "a photo of a [MASK]"
    assert before.region[0].y > after.region[0].y
    assert before.region[0].x == after.region[0].x
