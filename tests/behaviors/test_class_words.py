"""A model that has scores only for some words is asked among these: no foil without a score makes the target win."""

import pytest

from tests.doubles import Competent
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.class_words import among_classes
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, with_target
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.scenes.sampling import WORDS
from vlcheck.errors import NotApplicable
from vlcheck.expect import Beats, Skew
from vlcheck.explain.mm_shap.explained import WithMMShap
from vlcheck.models.loading.foreign_model import ForeignModel
from vlcheck.models.loading.pair import Pair
from vlcheck.perturb import Solid

NAMED = frozenset(WORDS[:6])
UNNAMED = "the target names no class of the model"
FEW = open_source("scenes:2").cases
RED = Solid((64, 48), (200, 0, 0))


def case(target, *candidates):
    return Case(id=target, image=RED, caption=f"a {target}", target=target, candidates=candidates)


@pytest.fixture(scope="module")
def source():
    return open_source("scenes:30")


@pytest.fixture(scope="module")
def trials(source):
    return Trials(source, can_name=NAMED.__contains__)


@pytest.mark.parametrize("expect", [Beats(), Beats(all=True), Skew()])
def test_only_words_with_a_score_are_asked_about(trials, expect):
    stated = Behavior(name=f"test_{expect}", bias="color", cases=with_target("object"), expect=expect)
    found = trials.of(stated, "mlm")
    asked = [trial for trial in found if trial.askable]
    assert len(asked) == 30  # others were drawn in place of those without a label
    assert {word for trial in asked for query in trial.queries() for word in query.words} <= NAMED
    assert all(trial.case.target in NAMED and {*trial.case.candidates} < NAMED for trial in asked)
    assert {trial.arms["before"] for trial in found if not trial.askable} == {UNNAMED}


def test_the_closed_set_of_an_answer_is_that_of_the_question(source, trials):
    own = next(case for case in source.select(with_target("object")) if case.target in NAMED)
    question = trials.plain(own, "mlm")
    (query,) = question.queries.values()
    assert {*question.view.candidates, own.target} == {*query.words} <= NAMED
    assert len(query.words) < len(own.candidates) + 1


class NamesSome(Competent):
    def can_name(self, word):
        return word in NAMED


def asked_words(trials, metric):
    """The targets of the cases that a behavior is asked about."""
    stated = Behavior(name="test_all_words", bias="color", cases=with_target("object"), expect=Beats())
    return {trial.case.target for trial in trials.of(stated, metric) if trial.askable}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: ForeignModel(model, model.kinds),
        WithMMShap,
        lambda model: Pair({"itm": Competent(FEW, name="other"), "mlm": model}),
        lambda model: WithMMShap(Pair({"itm": Competent(FEW, name="other"), "mlm": model})),
    ],
    ids=["foreign", "mmshap", "pair", "pair with mmshap"],
)
def test_a_wrapper_of_the_model_keeps_its_words(source, wrap):
    own = Trials.for_model(source, wrap(NamesSome(FEW)))
    assert asked_words(own, "mlm") <= NAMED
    assert asked_words(own, "itm") > NAMED  # matched as texts: any word will do


def test_the_matcher_of_a_pair_may_lack_words(source):
    pair = Pair({"itm": NamesSome(FEW, name="other"), "mlm": Competent(FEW)})
    assert asked_words(Trials.for_model(source, pair), "mlm") > NAMED


def test_a_case_without_a_word_to_compare_with_is_not_asked():
    named = {"dog", "cat"}.__contains__
    assert among_classes(case("dog", "cat", "giraffe"), named).candidates == ("cat",)
    assert among_classes(case("dog"), named).candidates == ()  # no closed set: P(dog) itself
    with pytest.raises(NotApplicable, match=UNNAMED):
        among_classes(case("giraffe", "dog"), named)
    with pytest.raises(NotApplicable, match="none of the other words does"):
        among_classes(case("dog", "giraffe", "zebra"), named)
