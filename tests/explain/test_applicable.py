"""Whether a method applies to a model is found out before anything is scored."""

import pytest

import vlcheck
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.applicable import demand_method
from vlcheck.explain.attribution.explained import WithMaps
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.models.loading.pair import Pair
from vlcheck.models.protocol import lacks


class Own:
    """A model of a user's own that does not give its network."""

    name, metrics = "own", frozenset({"itm"})

    def __init__(self, error):
        self.error = error

    def differentiable(self):
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotApplicable("its weights are quantized"), "saliency: does not apply to own: its weights are quantized"),
        (RuntimeError("out of cheese"), r"saliency: does not apply to own: RuntimeError: out of cheese \(.*test_appl"),
    ],
)
def test_an_error_of_a_users_own_model_is_told_as_one_of_the_option(error, said):
    with pytest.raises(UsageError, match=said):
        demand_method(Own(error), Saliency())


class OfWords(Saliency):
    """A method that explains a word at a mask alone."""

    def maps(self, model, inputs):
        if not any(inputs.pieces):
            raise NotApplicable("it explains no match")
        return super().maps(model, inputs)


def test_maps_of_a_match_that_the_method_does_not_explain_are_lacking_with_the_reason():
    tiny = vlcheck.load_model("tiny")
    for model in (tiny, Pair({"itm": tiny, "mlm": tiny})):
        demand_method(model, OfWords())
        mapped = WithMaps(model, OfWords())
        assert mapped.metrics == {"itm", "mlm"}
        assert lacks(mapped, "map").endswith(" has no map: it explains no match")
    assert "map" in WithMaps(tiny, Saliency()).metrics
