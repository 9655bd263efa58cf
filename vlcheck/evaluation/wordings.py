"""A model in the other wordings of its question: it is judged by the same tests in each of them."""

from __future__ import annotations

from dataclasses import replace

from vlcheck.errors import UsageError, parameter
from vlcheck.evaluation.calibration import Operating
from vlcheck.evaluation.evaluator import ModelUnderTest
from vlcheck.metrics.itm import Rewords
from vlcheck.models.protocol import VisionLanguageModel


def wordings_of(model: VisionLanguageModel) -> tuple[str, ...]:
    """Return the wordings of the question that a model is asked, the usual one first.

    Raises:
        UsageError: the model is asked no question in words, or has one wording of it alone.
    """
    known = tuple(model.wordings) if isinstance(model, Rewords) and "itm" in model.metrics else ()
    if len(known) < 2:
        kind = model.kinds.get("itm", "none")
        raise UsageError(
            f"{parameter('wordings')}: {model.name} is asked no question in words, which could be worded in another"
            f" way (its itm is {kind}). Accepted: a model whose itm is yes-no or yes-no-thought. Leave it out."
        )
    return known


def with_wordings(model: ModelUnderTest) -> ModelUnderTest:
    """Return a model that is also judged in the other wordings of its question, each on an operating scale of its own.

    Raises:
        UsageError: the model is asked no question in words.
    """
    return replace(model, reworded=tuple(_in_wording(model, one) for one in wordings_of(model.adapter)[1:]))


def _in_wording(model: ModelUnderTest, wording: str) -> ModelUnderTest:
    trials, operating = model.trials.in_wording(wording), model.operating
    return replace(
        model,
        trials=trials,
        operating=Operating(trials, operating.kinds, operating.schedule, operating.ask),
        _ended={},
        _readers={},
    )
