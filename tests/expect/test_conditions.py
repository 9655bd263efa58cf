"""A case that violates names the condition that failed, with the numbers on both sides of it."""

import re

import pytest

from tests.evaluation.test_outcomes import TOLERANCES, found, verdict
from vlcheck.evaluation.evidence import Row
from vlcheck.expect.aggregate import Balance, SidePreference, Skew
from vlcheck.expect.base import AFTER, BEFORE, OTHER, TRUE_BEFORE, WHOLE
from vlcheck.expect.directional import Drops, Flips, Swaps
from vlcheck.expect.functionality import Beats
from vlcheck.expect.invariance import Preserved

LEFT = {"left": 0.8, "right": 0.2}
RIGHT = {"left": 0.2, "right": 0.8}
EVEN = {"left": 0.52, "right": 0.48}


@pytest.mark.parametrize(
    ("expect", "arms", "target", "said"),
    [
        (
            Preserved(),
            {BEFORE: 0.9, AFTER: 0.5625, OTHER: 0.1},
            "red",
            "the loss from 0.900 to 0.562 is 0.338; it has to be under 0.1 (tolerance of the policy: within)",
        ),
        (
            Drops(),
            {BEFORE: 0.875, AFTER: 0.84375},
            "red",
            "the score after is 0.844; it has to be under 0.5 (tolerance of the policy: below)",
        ),
        (
            Drops(),
            {BEFORE: 0.5, AFTER: 0.484375},
            "red",
            "the drop from 0.500 to 0.484 is 0.016; it has to be above 0.05 (tolerance of the policy: by)",
        ),
        (
            Drops(),
            {BEFORE: 0.25, AFTER: 0.0625},
            "red",
            "the score before is 0.250; it has to be above 0.5 (tolerance of the policy: below)",
        ),
        (
            Swaps(),
            {BEFORE: LEFT, AFTER: EVEN},
            "left",
            "the share of left after is 0.520; it has to be under 0.45 (tolerance of the policy: 0.5 - by)",
        ),
        (
            Swaps(),
            {BEFORE: RIGHT, AFTER: RIGHT},
            "left",
            "the share of left before is 0.200; it has to be above 0.55 (tolerance of the policy: 0.5 + by)",
        ),
        (
            Flips(),
            {BEFORE: LEFT, AFTER: EVEN},
            "right",
            "the share of left after is 0.520; it has to be under 0.45 (tolerance of the policy: 0.5 - by)",
        ),
        (
            Flips(),
            {BEFORE: RIGHT, AFTER: EVEN},
            "right",
            "the share of left after is 0.520; it has to be above 0.55 (tolerance of the policy: 0.5 + by)",
        ),
        (
            Beats(),
            {BEFORE: {"red": 0.26, "green": 0.24, "blue": 0.24}},
            "red",
            "the share of red against green before is 0.520; it has to be above 0.55"
            " (tolerance of the policy: 0.5 + by)",
        ),
    ],
)
def test_the_condition_that_fails_is_named_with_its_numbers(expect, arms, target, said):
    one = found(expect, 0, arms, target=target)
    assert one.violated == said
    assert min(one.margins.values()) <= 0
    row = Row(one.sample.case, one.margins, violated=one.violated, perturbation="grey v1")
    assert list(row.lines())[1] == f"  violated: {said}"


@pytest.mark.parametrize(
    ("expect", "arms", "target"),
    [
        (Preserved(), {BEFORE: 0.9, AFTER: 0.85, OTHER: 0.1}, "red"),
        (Drops(), {BEFORE: 0.9, AFTER: 0.1}, "red"),
        (Swaps(), {BEFORE: LEFT, AFTER: RIGHT}, "left"),
        (Flips(), {BEFORE: RIGHT, AFTER: LEFT}, "left"),
        (Beats(), {BEFORE: {"red": 0.8, "green": 0.1, "blue": 0.1}}, "red"),
    ],
)
def test_where_all_conditions_hold_none_is_named(expect, arms, target):
    one = found(expect, 0, arms, target=target)
    assert (one.violated, min(one.margins.values()) > 0) == ("", True)


def test_the_condition_and_the_margin_are_on_the_same_side_also_at_the_edge():
    for after in (0.8, 0.79999, 0.80001):
        one = found(Preserved(), 0, {BEFORE: 0.9, AFTER: after, OTHER: 0.1})
        (margin,) = one.margins.values()
        assert bool(one.violated) == (margin <= 0)
        if one.violated:
            loss = float(re.search(r"is ([\d.]+);", one.violated)[1])
            assert loss >= TOLERANCES.within


class Halved(Preserved):
    def margins(self, sample, tolerances):
        return {WHOLE: tolerances.within / 2 - abs(self.effect(sample))}


def test_an_heir_with_margins_of_its_own_is_not_said_to_violate_what_it_does_not_ask():
    one = found(Halved(), 0, {BEFORE: 0.9, AFTER: 0.5, OTHER: 0.1})
    assert (min(one.margins.values()) < 0, one.violated) == (True, "")


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        (Preserved(), "preserves everything"),
        (Drops(), "drops by chance"),
        (Swaps(), "change by chance"),
        (Flips(), "change by chance"),
        (Beats(), "beats another one by chance"),
        (Balance(), "leans on none"),
        (Skew(), "no word a favourite"),
        (SidePreference(), "prefer neither"),
    ],
)
def test_why_a_pass_would_be_hollow_fits_what_is_claimed(expect, says):
    assert says in expect.hollow
    assert ("preserve" in expect.hollow) == isinstance(expect, Preserved)


def test_the_reason_of_an_invalid_mean_does_not_speak_of_what_is_preserved():
    said = verdict(Balance(), [{"bare": 0.5, AFTER: 0.5 + i / 1e4, OTHER: 0.5, BEFORE: 0.5} for i in range(60)])
    assert (said.status, said.cause) == ("invalid", "unknown")
    assert "leans on none of them" in said.reason
    assert "preserve" not in said.reason


@pytest.mark.parametrize(
    ("expect", "arms", "target", "shares", "of"),
    [
        (Swaps(), {BEFORE: LEFT, AFTER: EVEN}, "left", (0.8, 0.52), TRUE_BEFORE),
        (Swaps(), {BEFORE: LEFT, AFTER: EVEN}, "right", (0.2, 0.48), TRUE_BEFORE),
        (Flips(), {BEFORE: LEFT, AFTER: EVEN}, "right", (0.8, 0.52), "left"),
        (Flips(), {BEFORE: RIGHT, AFTER: EVEN}, "right", (0.2, 0.52), "left"),
        (Beats(), {BEFORE: {"red": 0.6, "green": 0.2}}, "red", (0.75,), "the true word"),
        (Drops(), {BEFORE: 0.875, AFTER: 0.25}, "red", (), ""),
        (Preserved(), {BEFORE: 0.875, AFTER: 0.25, OTHER: 0.1}, "red", (), ""),
    ],
)
def test_a_claim_about_two_words_keeps_the_share_that_its_margin_is_made_of(expect, arms, target, shares, of):
    one = found(expect, 0, arms, target=target)
    assert one.shares == pytest.approx(shares)
    assert expect.share_of == of
