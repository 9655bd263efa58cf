"""Does the model read the words in their order, and not as a bag of words?"""

from vlcheck import behavior, with_target
from vlcheck.behaviors.tables import UnderEach
from vlcheck.expect import Beats, Drops, Preserved
from vlcheck.perturb import Bare, Each, Exchange, Opening, ShuffleWords

BIAS = "order"

objects = with_target("object")
attributes = with_target("binding")
roles = with_target("role")


@behavior(
    cases=objects,
    perturb=Each(Opening(5), Opening(10), Opening(15), Opening(20)),
    expect=Preserved(),
    metrics=("mlm", "itm"),
    tables=(UnderEach(),),
)
def test_neutral_opening_preserves(verdict):
    """ "What this picture shows: a dog on a bed" says no more and no less than "a dog on a bed"."""
    assert verdict.passed


@behavior(cases=objects, perturb=ShuffleWords(), expect=Drops(), metrics=("itm",))
def test_shuffled_words_drop_match(verdict):
    """ "bed a dog on a" is no caption: a model that accepts it looks for the words alone."""
    assert verdict.passed


@behavior(cases=attributes, given=Bare(), expect=Beats(), metrics=("mlm", "itm"))
def test_color_is_bound_to_its_object(verdict):
    """Beside a blue box, a red ball is red: the other thing's color is not its own."""
    assert verdict.passed


@behavior(cases=attributes, perturb=Exchange(), expect=Drops(), metrics=("itm",))
def test_exchanged_colors_drop_match(verdict):
    """ "a blue ball and a red box" is not "a red ball and a blue box", though the words are the same."""
    assert verdict.passed


@behavior(cases=roles, given=Bare(), expect=Beats(), metrics=("mlm", "itm"))
def test_thing_is_bound_to_who_holds_it(verdict):
    """The man holds what is in his hand, not what is in the woman's."""
    assert verdict.passed


@behavior(cases=roles, perturb=Exchange(), expect=Drops(), metrics=("itm",))
def test_exchanged_roles_drop_match(verdict):
    """The order of the words says who holds what: with the two exchanged, the same words are false."""
    assert verdict.passed
