"""A model's operating scale in a run: what sets it, whom it judges, and when there is none."""

from dataclasses import replace

import numpy as np
import pytest

from tests.doubles import Competent
from vlcheck.behaviors.schedule import ONCE, Batches, Sequentially
from vlcheck.behaviors.trials import Trials
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation.calibration import FEWEST, Operating
from vlcheck.metrics.answer import Answer
from vlcheck.policy.policy import Scaling
from vlcheck.results import scales
from vlcheck.results.schema import line_of, record_of

CALIBRATED, RAW = Scaling(), Scaling(scale="raw")


class Answers:
    """A model that is asked directly; counts what it is asked."""

    def __init__(self, says):
        self.says, self.asked = says, {}

    def __call__(self, queries):
        self.asked |= {query.key: query for query in queries}
        return {query.key: self.says(query) for query in self.asked.values()}


def of_a_double(cases, shift=0.0):
    """A competent double, whose log-odds of a match are shifted."""
    model = Competent(cases)

    def says(query):
        encoded = model.encode([query.picture.render()])
        if query.metric == "mlm":
            return Answer(tuple(model.mlm(encoded, [query.text], [query.words])[0].tolist()))
        odds = np.log(model.itm(encoded, [query.text]) / (1 - model.itm(encoded, [query.text]))) + shift
        return Answer(tuple((1 / (1 + np.exp(-odds))).tolist()))

    return Answers(says)


def operating(spec, says=None, schedule=ONCE, shift=0.0):
    source = open_source(spec)
    ask = Answers(says) if says else of_a_double(source.cases, shift)
    return Operating(Trials(source), {"itm": "match-head", "mlm": "masked-lm"}, schedule, ask)


def keys(one):
    return [case.image.key for case in one.trials.source.cases]


def test_a_shifted_model_is_read_as_the_model_that_it_was():
    plain, shifted = operating("scenes:20"), operating("scenes:20", shift=-6.5)
    case = plain.trials.source.cases[0]
    levels = [
        one.gauge("itm", CALIBRATED, keys(one)).scale(case).level(score)
        for one, score in ((plain, 0.9), (shifted, 1 / (1 + np.exp(6.5 - np.log(9)))))
    ]
    assert levels[0] == pytest.approx(levels[1]) == pytest.approx(0.999, abs=0.001)


def test_no_image_sets_the_scale_that_it_is_judged_by():
    one = operating("scenes:40")
    for case in one.trials.source.cases[:20]:
        group = one._division.group(case.image.key)
        assert all(case.image.key not in pair.images for pair in one._teaching("itm", group))
        assert len(one._teaching("itm", group)) >= FEWEST


def test_the_scale_is_the_same_whichever_images_are_judged():
    one, other = operating("scenes:20"), operating("scenes:20")
    case = one.trials.source.cases[3]
    alone = one.gauge("mlm", CALIBRATED, [case.image.key]).scale(case)
    assert alone == other.gauge("mlm", CALIBRATED, keys(other)).scale(case)


def test_what_is_asked_to_set_the_scale_is_what_it_asks():
    one = operating("scenes:20")
    foreseen = {query.key for query in one.queries("itm", CALIBRATED, keys(one))}
    one.gauge("itm", CALIBRATED, keys(one))
    assert foreseen == one.ask.asked.keys() != set()
    assert list(one.queries("itm", RAW, keys(one))) == list(one.queries("mrc", CALIBRATED, keys(one))) == []


@pytest.mark.parametrize("score", [0.5, 0.9])
def test_a_constant_score_is_hollow_and_stays_raw(score):
    one = operating("scenes:20", says=lambda query: Answer((score,) * max(1, len(query.words))))
    gauge = one.gauge("itm", CALIBRATED, keys(one))
    assert "not told apart" in gauge.hollow
    assert gauge.scale(one.trials.source.cases[0]).level(0.7) == 0.7
    assert gauge.record.used == "raw"


def test_a_flipped_score_is_hollow():
    source = open_source("scenes:20")
    straight = of_a_double(source.cases)
    one = operating("scenes:20", says=lambda query: Answer((1 - straight.says(query).values[0],)))
    gauge = one.gauge("itm", CALIBRATED, keys(one))
    assert gauge.whole.separation.auc < 0.1
    assert gauge.hollow


def test_too_few_pairs_say_how_many_it_takes_and_go_by_what_the_policy_says():
    one = operating("scenes:4")
    gauge = one.gauge("itm", CALIBRATED, keys(one))
    assert gauge.reason.startswith("4 pairs of an own and another picture: too few to calibrate")
    assert str(FEWEST) in gauge.reason
    assert (gauge.hollow, gauge.record.used) == ("", "raw")
    assert one.gauge("itm", Scaling(uncalibrated="invalid"), keys(one)).hollow == gauge.reason


def test_pairs_that_cannot_be_scored_set_no_scale():
    one = operating("scenes:20", says=lambda query: Answer(error="out of cheese"))
    assert one.gauge("itm", CALIBRATED, keys(one)).hollow == (
        "the pairs of pictures that set the scale could not be scored"
    )


def test_a_score_of_two_values_is_calibrated():
    source = open_source("scenes:20")
    straight = of_a_double(source.cases)
    one = operating("scenes:20", says=lambda query: Answer((float(straight.says(query).values[0] > 0.5),)))
    scale = one.gauge("itm", CALIBRATED, keys(one)).scale(source.cases[0])
    assert (scale.level(0.0), scale.level(1.0)) == (pytest.approx(0.001), pytest.approx(0.999))


def test_sequentially_the_scale_rests_on_images_that_were_looked_at_before():
    one = operating("scenes:40", schedule=Sequentially(0))
    images = sorted(dict.fromkeys(case.image.key for case in one._cases), key=one._division.place)
    first = one.gauge("itm", CALIBRATED, images[:8])
    assert {first.scale(case) for case in one._cases if case.image.key in images[:8]} == {None}
    later = one.gauge("itm", CALIBRATED, images[:20])
    for case in one._cases:
        group = one._division.group(case.image.key)
        for pair in one._teaching("itm", group):
            assert all(images.index(image) < images.index(case.image.key) for image in pair.images)
        if case.image.key in images[8:20]:
            assert later.scale(case) is not None
    asked = {image for query in one.ask.asked.values() for image in [query.picture.source.key]}
    assert asked <= set(images[:16])


def test_a_verdict_on_the_first_images_alone_says_that_nothing_was_calibrated_and_is_read_back():
    one = operating("scenes:40", schedule=Sequentially(0))
    images = sorted(dict.fromkeys(case.image.key for case in one._cases), key=one._division.place)
    gauge = one.gauge("itm", CALIBRATED, images[:3])
    assert gauge.record.used == "raw"
    assert gauge.record.pairs is None
    line = {"kind": "verdict", "test": "t", "bias": "b", "behavior": "b", "metric": "itm", "score_kind": "match-head"}
    line |= {"reason": "", "claim": "rate", "status": "invalid", "scale": line_of(gauge.record)}
    assert list(scales.scale_lines([record_of(line)]))
    case = next(case for case in one._cases if case.image.key == images[0])
    assert (gauge.judges(case), gauge.scale(case)) == (False, None)


def test_a_group_whose_scale_would_fall_has_none():
    """Few images of a weak score may teach a negative gain: nobody is read upside down."""
    one = operating("scenes:40", schedule=Sequentially(0))
    images = keys(one)
    sound = one.gauge("itm", CALIBRATED, images).lessons
    group = next(group for group, lesson in sound.items() if lesson)
    one._lessons["itm", group] = replace(sound[group], scale=replace(sound[group].scale, gain=-0.3))
    found = one.gauge("itm", CALIBRATED, images).lessons
    assert found[group] is None
    assert {other: lesson for other, lesson in found.items() if other != group} == {
        other: lesson for other, lesson in sound.items() if other != group
    }


def test_divisions_say_whom_they_teach():
    folds, batches = ONCE.division([str(image) for image in range(20)]), Batches(lambda image: image, ("b", "d"))
    assert [batches.group(image) for image in "abcde"] == [0, 0, 1, 1, 2]
    assert [batches.teaches("b", group) for group in (0, 1, 2)] == [False, True, True]
    assert [batches.beside("c")(other) for other in "ade"] == [True, True, False]
    assert [batches.continues(group) for group in (0, 1, 2)] == [True, True, False]
    assert [[folds.group(str(image)) for image in range(20)].count(fold) for fold in folds.demanded] == [4] * 5
    assert {folds.group(str(image)) for image in range(100)} == set(folds.demanded)
    assert folds.teaches("x", folds.summit([0, 1]))
