"""The least number of images with which a behavior can pass, and foils that no model could be ahead on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from vlcheck._util.numbers import counted, share
from vlcheck.policy.policy import Rule
from vlcheck.stats.bounds import Test, exact
from vlcheck.stats.decision import Claim
from vlcheck.stats.lead import unbeatable
from vlcheck.stats.power import fewest_ahead, fewest_inside, fewest_that_pass


def told_by_words(rivals: Sequence[Mapping[str, float]], images: Sequence[str], rule: Rule, test: Test = exact) -> str:
    """Return that words alone tell the foils, if even a model that is always right could not pass; else "".

    Too few images to be ahead of a coin are no such reason.

    Args:
        rivals: the credits of the choices by the words alone, for each case; empty if no lead is claimed.
        images: the image of each case.
        rule: the policy's statistical limits.
        test: the statistical test; it has to allow for the number of looks.
    """
    names = dict.fromkeys(name for one in rivals for name in one)
    least = fewest_needed("lead", rule, test) if names else None
    if least is None or len({*images}) < least:
        return ""
    each = {name: [one.get(name) for one in rivals] for name in names}
    lead = unbeatable(each, images, alpha=rule.alpha, test=test)
    if lead is None:
        return ""
    return f"words alone tell these foils ({lead.rival} in {share(lead.right)} of {counted(lead.n, 'image')})"


@cache
def fewest_needed(claim: Claim, rule: Rule, test: Test = exact) -> int | None:
    """Return the least number of images with which a behavior can pass; None if it cannot pass with any number.

    Args:
        claim: "rate", "mean" or "lead", what the behavior makes a claim about.
        rule: the policy's statistical limits.
        test: the statistical test of the bounds.
    """
    if claim == "rate":
        return fewest_that_pass(rule.allowed, rule.alpha, test=test)
    if claim == "lead":
        return fewest_ahead(rule.alpha, test=test)
    return fewest_inside(rule.band, rule.alpha, test=test)
