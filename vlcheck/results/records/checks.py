"""Lines about a run as a whole: whether its model stayed the same, its number types, and its control."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from vlcheck.results.records.fields import Count, Number, NumberOrNone, Record, Text
from vlcheck.results.words import WordKnowledgeRecord


class IdentityRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="identity"):
    """The check that a model which others run is the same at the end, or that all workers have loaded one model.

    Attributes:
        process: name of the process.
        name: the model's name.
        noise: largest difference of a probability among repeats of a question, in [0, 1].
        changed: the difference from the model of the start, in words; "" if there is none.
    """

    process: Text
    name: Text
    noise: NumberOrNone = None
    changed: Text = ""


class DifferenceRecord(Record, frozen=True, kw_only=True):
    """The differences between the scores of two number types under one metric.

    Attributes:
        metric: the metric.
        n: number of queries that were asked in both.
        log_odds: the largest difference in log-odds.
        score: the largest difference of a score, in [0, 1].
    """

    metric: Text
    n: Count
    log_odds: Number
    score: Number


class PrecisionRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="precision"):
    """The number types of a verified run, at its end: what was asked in which, and how far they differ.

    Attributes:
        process: name of the process.
        exact: the type whose verdicts these are.
        fast: the type of the other scores; "" if there is one type alone.
        alone: why there is one type alone; "" if there are two.
        queries: number of queries.
        exact_alone: number of queries that were asked in the exact type alone.
        both: number of queries that were asked in both types.
        safety: factor by which the bound of a fast score's error is above the largest difference.
        differences: the differences, by metric.
    """

    process: Text
    exact: Text
    fast: Text = ""
    alone: Text = ""
    queries: Count = 0
    exact_alone: Count = 0
    both: Count = 0
    safety: Annotated[Number, Meta(description="a number")] = 1.0
    differences: Annotated[
        list[DifferenceRecord], Meta(description="a list of objects with metric, n, log_odds and score")
    ] = field(default_factory=list)


class WordsLine(Record, frozen=True, kw_only=True, tag_field="kind", tag="words"):
    """The accuracy of a control that sees no picture about visible properties of things, from words alone.

    Attributes:
        found: its accuracy, by property and probe, without the single answers.
    """

    found: Annotated[list[WordKnowledgeRecord], Meta(description="a list of objects, one a property and probe")]


class FaultRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="fault"):
    """The reason why a test has no verdict, in the results of a control: a fault of a control fails no test.

    Attributes:
        test: the test's id in pytest.
        behavior: the behavior's name.
        metric: the metric.
        reason: the message of the fault.
    """

    test: Text
    behavior: Text
    metric: Text
    reason: Text
