"""Whether a method applies to a model is found out before anything is scored."""

import pytest

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.applicable import demand_method
from vlcheck.explain.attribution.saliency import Saliency


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
