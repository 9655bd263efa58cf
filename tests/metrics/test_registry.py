"""The definitions of the metrics, and the tables that are made of them."""

from __future__ import annotations

from typing import get_args

from vlcheck.explain.attribution.registry import METHODS
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.registry import COMPARING, DEFAULT_KINDS, KINDS, METRICS, OF_PICTURES, RELATIVE, WITH_REGIONS, hear


def test_each_metric_has_one_definition_of_its_name() -> None:
    assert tuple(METRICS) == get_args(Metric)
    assert [metric.name for metric in METRICS.values()] == [metric.reading.metric for metric in METRICS.values()]


def test_the_kinds_are_those_of_the_metrics() -> None:
    assert {name: list(metric.kinds) for name, metric in METRICS.items()} == {
        "mlm": ["masked-lm", "candidates", "choice", "image-labels"],
        "itm": ["match-head", "contrastive", "sigmoid", "ranking", "yes-no", "yes-no-thought"],
        "mrc": ["masked-region"],
        "mm-shap": ["shapley-share"],
        "map": [*METRICS["map"].kinds],
    }
    assert sum(len(metric.kinds) for metric in METRICS.values()) == len(KINDS)
    assert {"candidates", "choice", "contrastive", "ranking"} == COMPARING
    assert {"contrastive", "ranking"} == RELATIVE


def test_each_attribution_method_is_a_kind_of_map() -> None:
    assert METRICS["map"].kinds.keys() == METHODS.keys()


def test_a_model_of_whole_pictures_is_not_asked_about_regions() -> None:
    assert OF_PICTURES == ("mlm", "itm")
    assert DEFAULT_KINDS == {"mlm": "masked-lm", "itm": "match-head"}
    assert WITH_REGIONS == {**DEFAULT_KINDS, "mrc": "masked-region"}


def test_a_kind_of_another_metric_compares_nothing() -> None:
    compared = {name: {kind for kind in KINDS if metric.compares(kind)} for name, metric in METRICS.items()}
    comparing = {"mlm": {"candidates", "choice"}, "itm": {"contrastive", "ranking"}}
    assert compared == {name: comparing.get(name, set()) for name in METRICS}
    assert not any(metric.compares(None) for metric in METRICS.values())


def test_what_is_not_asked_is_heard_as_the_reason() -> None:
    assert hear("the photograph has no region", {}) == Answer(unasked="the photograph has no region")
