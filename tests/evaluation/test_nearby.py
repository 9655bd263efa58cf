"""What a case may come to if its scores move: nothing that random moves within the bounds find is missed."""

import random

import pytest

from vlcheck import expect
from vlcheck.cases import Case
from vlcheck.evaluation.nearby import Possible, possible
from vlcheck.expect import (
    Balance,
    Beats,
    BeatsBlind,
    BothContribute,
    ContextReliance,
    Drops,
    Flips,
    FollowsObject,
    MirroredMap,
    NeitherAlone,
    Preserved,
    SidePreference,
    Skew,
    Swaps,
)
from vlcheck.expect.base import AFTER, BEFORE, BaseExpectation, Sample
from vlcheck.metrics.itm import MatchReading
from vlcheck.metrics.mlm import MaskedWordsReading
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import Block, Solid
from vlcheck.stats.log_odds import shifted
from vlcheck.stats.operating_scale import Scale

RED = Solid((8, 8), (200, 0, 0))
SCALES = (Scale(), Scale(gain=0.7, offset=-0.4, power=0.8, edges=(-9.0, 9.0)))
WORDS = ("left", "right", "above", "below")
TOLERANCES = Tolerances(floor=0.2)  # so that it decides some of these
EXPECTATIONS = (
    Balance(),
    Beats(),
    Beats(all=True),
    BeatsBlind(),
    ContextReliance(),
    Drops(),
    Drops(decided_by=Block()),
    Flips(),
    NeitherAlone(),
    Preserved(),
    SidePreference(),
    Skew(),
    Swaps(),
)


def drawn(rng, expect, reading):
    """A case with scores at random, many near one another or near one half, and bounds of each."""
    target, *others = rng.sample(WORDS[:2], 2) + list(WORDS[2:])
    false = tuple(others)
    case = Case(id="x", image=RED, caption=f"{target} ball", target=target, candidates=false, foils=false)
    arms = [*dict.fromkeys((BEFORE, AFTER, *expect.arms()))]
    scale = rng.choice(SCALES)
    middle = rng.choice((0.1, 0.4, 0.5, 0.9))
    readings = {
        arm: reading(
            target,
            {word: shifted(middle, rng.gauss(0, 1.0)) for word in (target, *others)},
            candidates=false,
            scale=scale,
            mass=rng.choice((None, 0.19, 0.5)),
        )
        for arm in arms
    }
    bounds = {arm: {word: rng.choice((0.0, 0.1, 0.4)) for word in WORDS} for arm in arms}
    return Sample(case, readings), bounds


def shaken(rng, sample, bounds):
    """The sample with each score somewhere within its bound, most of them at an end."""
    readings = {}
    for arm, reading in sample.readings.items():
        by = {word: bounds[arm][word] * rng.choice((-1, 1, rng.uniform(-1, 1))) for word in reading.scores}
        scores = {word: shifted(score, by[word]) for word, score in reading.scores.items()}
        most = max(bounds[arm].values())
        mass = None if reading.mass is None else shifted(reading.mass, rng.uniform(-most, most))
        readings[arm] = type(reading)(
            reading.target, scores, candidates=reading.candidates, scale=reading.scale, mass=mass
        )
    return Sample(sample.case, readings)


@pytest.mark.parametrize("reading", [MatchReading, MaskedWordsReading])
@pytest.mark.parametrize("expect", EXPECTATIONS, ids=repr)
def test_nothing_that_a_move_within_the_bounds_leads_to_is_missed(expect, reading):
    rng = random.Random(f"{expect!r} {reading.__name__}")
    missed = turned = 0
    for _ in range(60):
        sample, bounds = drawn(rng, expect, reading)
        known = possible(sample, bounds, expect, TOLERANCES)
        counts = {one.counts(expect) for one in known}
        turned += len(counts) > 1
        for _ in range(12):
            found = Possible.of(shaken(rng, sample, bounds), expect, TOLERANCES)
            if len(counts) == 1:  # what is in doubt is asked again, whatever it may come to
                missed += found.counts(expect) not in counts
                for claim, value in found.margins.items():
                    ends = [one.margins[claim] for one in known]
                    missed += not min(ends) - 1e-9 <= value <= max(ends) + 1e-9
    assert missed == 0
    assert turned or expect.claim == "mean"


def test_each_expectation_is_tried_whose_scores_may_be_fast():
    own = {one for one in vars(expect).values() if isinstance(one, type) and issubclass(one, BaseExpectation)}
    exact = {BothContribute, FollowsObject, MirroredMap}  # of explanations, which float32 alone is asked
    assert {*map(type, EXPECTATIONS)} == own - exact - {BaseExpectation}


def test_a_case_whose_scores_are_exact_comes_to_one_thing():
    rng = random.Random(0)
    sample, bounds = drawn(rng, Preserved(), MatchReading)
    exact = {arm: dict.fromkeys(each, 0.0) for arm, each in bounds.items()}
    assert len(possible(sample, exact, Preserved(), TOLERANCES)) == 1


def test_without_a_bound_everything_is_possible():
    case = Case(id="x", image=RED, caption="a red ball", target="red")
    sure = {BEFORE: 0.99, AFTER: 0.99, "other": 0.01}
    sample = Sample(case, {arm: MatchReading("red", {"red": score}) for arm, score in sure.items()})
    unknown = {arm: {"red": float("inf")} for arm in sure}
    counts = {one.counts(Preserved()) for one in possible(sample, unknown, Preserved(), Tolerances())}
    assert len(counts) == 3  # it holds, it is violated, it is not known
