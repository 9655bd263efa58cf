"""The results of a control, e.g. of a model that sees no picture: a fault of its own is kept, and fails no test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain

from msgspec.structs import replace as replaced

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.evaluation.evidence import Judgement
from vlcheck.evaluation.session import Session
from vlcheck.explain.words.knowledge import ask_words
from vlcheck.models.protocol import VisionLanguageModel, sees_pictures
from vlcheck.results.records import FaultRecord, Record, WordsLine

Keep = Callable[[Iterable[Record]], None]
Say = Callable[[Exception], str]
WORDS_ALONE = "vlcheck words"  # stands for a test in the line of a fault


def judge_control(session: Session, test: BehaviorTest, keep: Keep, say: Say = str) -> None:
    """Judge a control by a test whose metric it has; no known bias of the policy excuses it, and it stops no release.

    Args:
        session: the session of the control.
        test: the test.
        keep: takes the lines of its results: the verdict with its evidence, or the reason why there is none.
        say: gives the message of an error.
    """

    def record(judgement: Judgement) -> None:
        own = replace(judgement, known=None, gates=False)
        keep(chain(session.images(own), own.records(test.id)))

    model = replace(session.model, record=record)
    if not model.lacks(test.metric):
        try:
            model.judge(test.behavior, test.metric)
        except (UsageError, ForeignFault) as error:
            keep([FaultRecord(test=test.id, behavior=test.behavior.name, metric=test.metric, reason=say(error))])


def tell_words(model: VisionLanguageModel, keep: Keep, say: Say = str) -> None:
    """Ask a control that sees no picture what it tells of visible properties from words alone.

    Args:
        model: the control; nothing is asked of one that sees pictures.
        keep: takes the line of its results: the accuracies, or the reason why there are none.
        say: gives the message of an error.
    """
    if sees_pictures(model):
        return
    try:
        with contained():
            found = [replaced(one, answers=()) for one in ask_words(model).record.found]
    except (NotApplicable, UsageError, ForeignFault) as error:
        keep([words_fault(say(error))])
    else:
        keep([WordsLine(found=found)])


def words_fault(reason: str) -> FaultRecord:
    """Return the line that stands for what a control tells from words alone.

    Args:
        reason: why this is not known.
    """
    return FaultRecord(test=WORDS_ALONE, behavior="", metric="", reason=reason)
