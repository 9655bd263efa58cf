"""Answers of a model, read back as scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vlcheck.behaviors.behavior import Question
from vlcheck.cases import MASK
from vlcheck.evaluation.evidence import Top
from vlcheck.expect.base import Reading
from vlcheck.metrics.answer import Answer
from vlcheck.models.protocol import ANY

Answers = Mapping[str, Answer]  # by the query's key


@dataclass(frozen=True)
class Heard:
    """A question's answers put together."""

    reading: Reading
    top: Top


def hear(question: Question | str, answers: Answers) -> Heard | Answer:
    """Put a question's answers together; where there is none, what came instead says why."""
    if isinstance(question, str):
        return Answer(unasked=question)
    heard = {word: answers[query.key] for word, query in question.queries.items()}
    for answer in heard.values():
        if answer.unasked or answer.error:
            return answer
    view = question.view
    if question.metric == "itm":
        scores = {word: answer.values[0] for word, answer in heard.items()}
        foils = len(question.queries[view.target].words)
        masses = [sum(share for _, share in answer.top) for answer in heard.values() if answer.top]
        reading = Reading("itm", view.target, scores, foils=foils, mass=min(masses, default=None))
        return Heard(reading, heard[view.target].top)
    query, answer = question.queries[MASK], heard[MASK]
    scores = dict(zip(query.words, answer.values, strict=True))
    candidates = view.candidates if question.metric == "mlm" else ()
    mass = dict(answer.top).get(ANY)
    return Heard(Reading(question.metric, view.target, scores, candidates, mass=mass), answer.top)
