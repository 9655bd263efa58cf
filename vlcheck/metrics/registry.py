"""The metrics by name, and the kinds of score that they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from vlcheck.cases.view import View
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.contribution_map import ContributionMap
from vlcheck.metrics.definition import MetricDefinition
from vlcheck.metrics.itm import ImageTextMatching
from vlcheck.metrics.kinds import Kind, Metric
from vlcheck.metrics.mlm import MaskedWords
from vlcheck.metrics.mm_shap import TextContribution
from vlcheck.metrics.mrc import MaskedRegions
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Answers, Heard

METRICS: Mapping[str, MetricDefinition] = MappingProxyType(
    {
        metric.name: metric
        for metric in (MaskedWords(), ImageTextMatching(), MaskedRegions(), TextContribution(), ContributionMap())
    }
)

# Metrics that models themselves answer; explanations of a model answer the others.
OF_MODELS: tuple[Metric, ...] = tuple(metric.name for metric in METRICS.values() if not metric.explained)

# Metrics that a model of whole pictures can offer.
OF_PICTURES: tuple[Metric, ...] = tuple(name for name in OF_MODELS if not METRICS[name].needs_regions)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {name: kind for metric in METRICS.values() for name, kind in metric.kinds.items()}
)

# Kinds whose scores are shares among the words or texts of one question; they do not score a word or text on its own.
COMPARING = frozenset(name for name, kind in KINDS.items() if kind.among)

# Kinds that compare whole texts: they are asked with foils.
RELATIVE = frozenset(
    name for metric in METRICS.values() if metric.compares_texts for name in COMPARING.intersection(metric.kinds)
)

WITH_REGIONS: Mapping[str, str] = MappingProxyType({name: METRICS[name].default_kind for name in OF_MODELS})

DEFAULT_KINDS: Mapping[str, str] = MappingProxyType({name: WITH_REGIONS[name] for name in OF_PICTURES})


def ask(
    metric: Metric,
    view: View,
    compared: Iterable[str] = (),
    foils: Sequence[str] | None = None,
    *,
    method: str = "",
) -> Question:
    """Word a metric's question for a view. See `MetricDefinition.ask`.

    Args:
        metric: the metric's name.
        view: the picture and the text.
        compared: words that are asked about beside the target.
        foils: false texts for a model that only compares texts; None for any other model.
        method: the method that explains the model, for a metric whose answers depend on it; "" for none.

    Raises:
        NotApplicable: the question makes no sense for the view.
    """
    return METRICS[metric].by_method(method).ask(view, compared, foils)


def hear(question: Question | str, answers: Answers) -> Heard | Answer:
    """Read the scores of a question from the answers to its queries.

    Args:
        question: the question, or the reason why none is asked.
        answers: the answers, by the queries' keys.

    Returns:
        The reading; or, if a query has no values, its answer, which has the reason.
    """
    if isinstance(question, str):
        return Answer(unasked=question)
    heard = {word: answers[query.key] for word, query in question.queries.items()}
    for answer in heard.values():
        if answer.unasked or answer.error:
            return answer
    return METRICS[question.metric].read(question, heard)
