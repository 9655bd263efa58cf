"""The operating scale: what a model knows decides where its scores come to, and not how it expresses them."""

import math

import numpy as np
import pytest

from vlcheck.stats.operating_scale import CERTAIN, RAW, Scale, fit_alone, fit_closed, fit_shares, separation

RANDOM = np.random.default_rng(7)
TRUE, FALSE = RANDOM.normal(4, 1.5, 60), RANDOM.normal(-3, 2, 60)  # log-odds
AFFINE = [(1, 3), (1, -3), (1, 6.5), (1, -6.5), (0.3, 0), (3, 0), (0.8, -6.5)]


def probability(odds):
    return [1 / (1 + math.exp(-one)) for one in odds]


def test_the_raw_scale_changes_nothing():
    assert [RAW.level(score) for score in (0.0, 1e-12, 0.3, 1.0)] == [0.0, 1e-12, 0.3, 1.0]
    assert RAW.share(0.2, [0.1, 0.1]) == pytest.approx(0.5)


@pytest.mark.parametrize(("gain", "shift"), AFFINE)
def test_a_gain_and_a_shift_of_the_log_odds_do_not_show(gain, shift):
    plain = fit_alone(probability(TRUE), probability(FALSE))
    mapped = fit_alone(probability(gain * TRUE + shift), probability(gain * FALSE + shift))
    for odds in (-5.0, -1.0, 0.0, 0.7, 3.0):
        (before,), (after,) = probability([odds]), probability([gain * odds + shift])
        assert mapped.level(after) == pytest.approx(plain.level(before), abs=1e-6)


def test_the_middle_is_where_true_and_false_are_equally_likely():
    """Two normal distributions of one spread: the log-odds of the truth are linear, with 0 half-way."""
    true, false = RANDOM.normal(-1, 1, 20_000), RANDOM.normal(-5, 1, 20_000)
    scale = fit_alone(probability(true), probability(false))
    assert scale.level(*probability([-3.0])) == pytest.approx(0.5, abs=0.02)
    assert scale.level(*probability([-2.0])) == pytest.approx(1 / (1 + math.exp(-4)), abs=0.02)


def test_what_is_wholly_apart_comes_to_what_is_certain():
    scale = fit_alone([0.9] * 10, [0.1] * 10)
    assert scale.level(0.9) == pytest.approx(CERTAIN)
    assert scale.level(0.1) == pytest.approx(1 - CERTAIN)


def test_scores_of_exactly_0_and_1_are_taken_for_the_least_and_the_highest_that_were_seen():
    saturated = fit_alone([1.0, 1.0, 0.9999, 0.99], [0.0, 0.0001, 0.002, 0.01])
    assert saturated.level(1.0) == saturated.level(0.9999) > 0.9
    assert saturated.level(0.0) == saturated.level(0.0001) < 0.1
    rounded = fit_alone([1.0] * 10, [0.0] * 8 + [0.01] * 2)  # two decimals: no true score is finite
    assert rounded.level(1.0) > 0.9 > 0.1 > rounded.level(0.01) >= rounded.level(0.0)
    assert fit_alone([1.0] * 5, [0.0] * 5).level(1.0) == pytest.approx(CERTAIN)


def test_a_score_that_is_constant_has_no_gain_and_a_flipped_one_a_negative_gain():
    assert fit_alone([0.5] * 20, [0.5] * 20).gain == pytest.approx(0, abs=1e-9)
    assert fit_alone(probability(FALSE), probability(TRUE)).gain < 0


def test_no_number_stays_none():
    assert math.isnan(Scale(gain=0.5, offset=1.0).level(math.nan))
    assert math.isnan(Scale(power=0.5).share(math.nan, [0.1]))


@pytest.mark.parametrize("temperature", [0.3, 0.5, 3])
def test_a_temperature_of_closed_sets_does_not_show(temperature):
    scores = RANDOM.dirichlet(np.full(8, 0.4), 50)
    sets = [(max(row), sorted(row)[:-1]) for row in scores.tolist()]
    hotter = [(true ** (1 / temperature), [one ** (1 / temperature) for one in others]) for true, others in sets]
    plain, mapped = Scale(power=fit_closed(sets)), Scale(power=fit_closed(hotter))
    for one, other in zip(sets, hotter, strict=True):
        assert mapped.share(*other) == pytest.approx(plain.share(*one), abs=1e-6)


def test_closed_sets_keep_their_order_and_their_sum():
    scale, scores = Scale(power=0.4), [0.6, 0.3, 0.05]
    shares = [scale.share(one, [other for other in scores if other != one]) for one in scores]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert Scale(power=3.0).share(0.0, [0.0, 0.0]) == 0.0


def test_shares_of_texts_keep_their_middle():
    scale = fit_shares([(0.6, 1), (0.7, 1), (0.55, 1), (0.9, 1)])
    assert scale.level(0.5) == pytest.approx(0.5)
    assert scale.level(0.6) > 0.6  # a model that is right, and less sure than it could be


def text_levels(logits, heat):
    """Where a true and a false text come to among the others, on the scale of the true ones' shares: (2, n)."""
    heated = np.exp((logits - logits.max(axis=1, keepdims=True)) / heat)
    shares, foils = (heated / heated.sum(axis=1, keepdims=True)).T.tolist(), logits.shape[1] - 1
    scale = fit_shares([(share, foils) for share in shares[0]])
    return np.array([[scale.level(share, foils) for share in shares[place]] for place in (0, 1)])


@pytest.mark.parametrize("temperature", [0.5, 3, 10])
def test_a_temperature_of_two_texts_does_not_show(temperature):
    logits = RANDOM.normal((5, 0), 1, (40, 2))
    assert text_levels(logits, temperature) == pytest.approx(text_levels(logits, 1), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("temperature", "off"), [(0.3, 0.01), (3, 0.005), (10, 0.1)])
def test_a_temperature_of_texts_far_from_their_foils_hardly_shows(temperature, off, seed):
    """Also where shares are 1 to the last digit, or all below a half."""
    logits = np.random.default_rng(seed).normal((17, *[0] * 13), 1, (40, 14))
    levels = text_levels(logits, temperature)
    assert levels == pytest.approx(text_levels(logits, 1), abs=off)
    assert levels[0].min() > 0.9 > 0.3 > levels[1].max()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("temperature", [0.3, 3])
def test_a_temperature_of_texts_near_their_foils_shows_in_some_of_them(temperature, seed):
    """A share tells nothing of how the foils are spread: the colder the softmax, the more the nearest one weighs."""
    logits = np.random.default_rng(seed).normal((6, *[0] * 13), 1, (40, 14))
    moved = np.abs(text_levels(logits, temperature) - text_levels(logits, 1))
    assert moved.mean() < 0.03
    assert (moved > 0.1).mean() < 0.1


def test_the_area_under_the_curve_against_counting_by_hand():
    found = separation([0.9, 0.5, 0.4], [0.5, 0.1])
    assert found.auc == pytest.approx((2 + 1.5 + 1) / 6)
    assert (found.pairs, found.low < found.auc) == (2, True)
    assert separation([1.0] * 29, [0.0] * 29).low == pytest.approx(0.05 ** (1 / 29))
    assert separation([0.0], [1.0]).low == 0


def test_the_bound_of_the_area_holds():
    """Of a score that tells nothing, the lower bound is above 0.5 in at most 5 of 100."""
    draws = RANDOM.random((400, 2, 25))
    assert sum(separation(*draw).low > 0.5 for draw in draws) / 400 <= 0.05


def test_nothing_is_separated_from_nothing():
    with pytest.raises(ValueError, match="a true and a false"):
        separation([], [0.5])


def test_a_few_wrong_labels_move_no_scale():
    """Three of 60 true captions are wrong, and the model is sure of it."""
    plain = fit_alone([0.9, 0.85, 0.95] * 20, [0.1, 0.2, 0.05] * 20)
    wrong = fit_alone([0.9, 0.85, 0.95] * 19 + [1e-12] * 3, [0.1, 0.2, 0.05] * 20)
    assert wrong.level(0.9) == pytest.approx(plain.level(0.9), abs=0.01)
    assert wrong.level(0.1) == pytest.approx(plain.level(0.1), abs=0.01)
    sets = [(0.9, [0.05, 0.01]), (0.8, [0.1, 0.1]), (0.95, [0.02, 0.01])] * 33
    moved = Scale(power=fit_closed([*sets, (0.0, [0.5, 0.5])])).share(0.9, [0.05])
    assert moved == pytest.approx(Scale(power=fit_closed(sets)).share(0.9, [0.05]), abs=0.01)
    shares = [(0.9, 5), (0.8, 5), (0.95, 5)] * 33
    assert fit_shares([*shares, (0.0, 5)]).gain == pytest.approx(fit_shares(shares).gain, rel=0.1)


def test_a_word_as_unlikely_as_the_others_sets_no_exponent():
    assert fit_closed([(0.0, [0.0, 0.0])] * 6) < 1e-6
