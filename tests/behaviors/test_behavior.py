"""What a behavior asks of its cases."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.plugin.conftest import write_cases
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import MASK, Box, Case, CaseSource, with_target
from vlcheck.cases.offer import Offer
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.expect.aggregate import Balance
from vlcheck.expect.base import AFTER, BEFORE, OTHER
from vlcheck.expect.directional import Drops
from vlcheck.expect.invariance import Preserved
from vlcheck.perturb import Bare, Compose, CutOut, Each, Mirror, Opening, RotateHue, ShuffleWords, Solid


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


def test_a_case_of_a_behavior_has_the_trials_that_were_made_with_it():
    source = open_source("scenes:3")
    trials, stated = Trials(source), behavior(perturb=Each(Opening(5), Opening(10)))
    own = source.select(with_target("single"))[1]
    alone = trials.of_case(stated, "itm", own)
    made = [trial for trial in trials.of(stated, "itm") if trial.case.id == own.id]
    again = trials.of_case(stated, "itm", own)
    assert list(map(id, again)) == list(map(id, made))
    keys = [[query.key for trial in each for query in trial.queries()] for each in (alone, again)]
    assert keys[0] == keys[1] != []
    others = [case for case in source.cases if case.id != own.id and case not in source.select(with_target("single"))]
    assert [trial.case.id for trial in trials.of_case(stated, "itm", others[0])] == [others[0].id] * 2


def test_one_perturbation_is_one_trial_and_none_has_no_after():
    source = open_source("scenes:3")
    case = source.select(with_target("single"))[0]
    (trial,) = Trials(source).of_case(behavior(perturb=Mirror()), "mlm", case)
    assert trial.perturbation == "mirror v1"
    (trial,) = Trials(source).of_case(behavior(), "mlm", case)
    assert (trial.perturbation, AFTER in trial.arms) == ("", False)


def test_what_is_given_holds_before_and_after():
    source = open_source("scenes:3")
    stated = behavior(given=Compose(Bare(), CutOut("middle")), perturb=CutOut("top"))
    (trial,) = Trials(source).of_case(stated, "mlm", source.select(with_target("single"))[0])
    before, after = trial.arms[BEFORE].view, trial.arms[AFTER].view
    assert before.template == after.template == "a photo of a [MASK]"
    assert before.region[0].y > after.region[0].y
    assert before.region[0].x == after.region[0].x


@pytest.mark.parametrize(
    ("expect", "perturb", "askable"),
    [
        (Drops(), Mirror(), True),
        (Drops(), CutOut("top"), False),  # the case has no region
        (Drops(decided_by=CutOut("top")), Mirror(), False),
        (Preserved(), Mirror(), False),  # there is no other picture to tell by if the model knows the case
        (Balance(), Mirror(), True),  # which not each case of a mean has to be
        (Balance(), CutOut("top"), False),
    ],
)
def test_a_case_is_askable_where_the_data_has_all_that_its_margin_takes(tmp_path, expect, perturb, askable):
    trials = Trials(open_source(f"jsonl:{write_cases(tmp_path, 1)}"))
    stated = replace(behavior(perturb=perturb), cases=with_target("object"), expect=expect)
    (trial,) = trials.of(stated, "itm")
    assert trial.askable is askable
    assert isinstance(trial.arms.get(OTHER, ""), str)


def itm(trial, arm):
    """A question's text, and what it is asked against."""
    query = trial.arms[arm].queries[trial.arms[arm].view.target]
    return query.text, set(query.words)


def test_a_model_that_only_compares_is_asked_against_the_other_words():
    source = open_source("scenes:3")
    stated = behavior(perturb=Opening(5))
    plain, relative = (Trials(source, relative=relative).of(stated, "itm")[0] for relative in (False, True))
    case = plain.case
    assert itm(plain, BEFORE) == (case.caption, set())
    for arm in (BEFORE, AFTER):
        text, foils = itm(relative, arm)
        template = relative.arms[arm].view.template
        assert text == itm(plain, arm)[0]
        assert foils == {template.replace(MASK, word) for word in case.candidates}
    assert itm(relative, BEFORE)[1].isdisjoint(itm(relative, AFTER)[1])  # one is as true as the other
    assert Trials(source, relative=True).of(stated, "mlm")[0].arms == Trials(source).of(stated, "mlm")[0].arms


def test_texts_that_are_not_both_true_are_foils_of_one_another():
    source = open_source("scenes:3")
    stated = replace(behavior(perturb=ShuffleWords()), cases=with_target("binding"), expect=Drops())
    trial = Trials(source, relative=True).of(stated, "itm")[0]
    (before, foils_before), (after, foils_after) = itm(trial, BEFORE), itm(trial, AFTER)
    assert before in foils_after
    assert after in foils_before


def test_a_text_without_a_foil_is_not_asked_of_a_model_that_only_compares(tmp_path):
    source = open_source(f"jsonl:{write_cases(tmp_path, 1, candidates=[])}")
    stated = replace(behavior(), cases=with_target("object"))
    (trial,) = Trials(source, relative=True).of(stated, "itm")
    assert "no other is known to be false" in trial.arms[BEFORE]
    with pytest.raises(NotApplicable, match="only compares texts"):
        Trials(source, relative=True).plain(trial.case, "itm")
    assert Trials(source, relative=True).plain(trial.case, "mlm").queries.keys() == {MASK}


def numbered(count):
    """Cases of which each third has a region."""
    for number in range(count):
        picture = Solid((8, 8), (number % 256, number // 256, 0))
        region = (Box(0, 0, 4, 4),) if number % 3 == 0 else ()
        yield Case(
            id=str(number), image=picture, caption="a dog", target="dog", tags=frozenset({"object"}), region=region
        )


def test_as_many_are_asked_about_as_were_asked_for_not_counting_what_the_data_refuses():
    offer = Offer({case.id: (case,) for case in numbered(150)}, Counter(), lambda case: None)
    source = CaseSource("numbered", offer, images=40, seed=0)
    stated = replace(behavior(perturb=RotateHue()), cases=with_target("object"), expect=Drops())
    trials = Trials(source)
    found = trials.of(stated, "mlm")
    assert sum(trial.askable for trial in found) == 40
    chosen = source.select(stated.cases)
    assert [trial.case for trial in found[:40]] == list(chosen)
    assert all(trial.askable for trial in found[40:])
    spare = [trial.case.id for trials in trials.spare(stated, "mlm") for trial in trials]
    assert len(spare) == 10
    assert not set(spare) & {trial.case.id for trial in found}


def test_where_the_data_runs_out_all_that_it_has_is_asked_about():
    offer = Offer({case.id: (case,) for case in numbered(60)}, Counter(), lambda case: None)
    stated = replace(behavior(perturb=RotateHue()), cases=with_target("object"), expect=Drops())
    trials = Trials(CaseSource("numbered", offer, images=40, seed=0))
    assert sum(trial.askable for trial in trials.of(stated, "mlm")) == 20
    assert list(trials.spare(stated, "mlm")) == []
