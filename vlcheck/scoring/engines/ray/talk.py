"""The questions of a run that are on their way to a cluster, and the answers that come back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from vlcheck._util.foreign_code import describe_error
from vlcheck.errors import UsageError, argument
from vlcheck.metrics.answer import Answer
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.ray.code import Code
from vlcheck.scoring.engines.ray.copy_of_model import Answers, Orders
from vlcheck.scoring.engines.ray.link import Link
from vlcheck.scoring.engines.ray.messages import Answered, Ask, CannotGoOn, Capacity, Model, Notice, Unanswered
from vlcheck.scoring.engines.ray.pictures import pickled
from vlcheck.scoring.plan import Chunk


class Talk:
    """The chunks that the driver was sent, and those that it may be sent.

    Args:
        link: the connection to the driver.
        said: called with lines for the user.

    Attributes:
        link: the connection to the driver.
    """

    def __init__(self, link: Link, said: Callable[[str], None]) -> None:
        self.link = link
        self._said = said
        self._room = 1
        self._numbers = count()
        self._asked: dict[int, tuple[Chunk, CachedScorer]] = {}
        self._models: dict[str, int] = {}  # by fingerprint
        self._with_files = False  # whether any node does not see the pictures' files

    @property
    def waits(self) -> bool:
        """True if chunks are on their way."""
        return bool(self._asked)

    @property
    def has_room(self) -> bool:
        """True if the driver takes another chunk."""
        return len(self._asked) < self._room

    def ask(self, chunk: Chunk, scorer: CachedScorer) -> None:
        """Send a chunk; only its missing queries are asked.

        Args:
            chunk: the chunk.
            scorer: takes in the answers.

        Raises:
            Gone: the driver has ended.
            UsageError: a part of the question, or the model, cannot be sent.
        """
        model = self._model(scorer)
        number = next(self._numbers)
        self._asked[number] = chunk, scorer
        self._send(number, model)

    def _send(self, number: int, model: int) -> None:
        chunk, scorer = self._asked[number]
        left = scorer.left(chunk)
        try:
            content = pickled(left, with_files=self._with_files)
        except Exception as error:  # objects say in many ways that they cannot be pickled
            raise _unsendable(_culprit(left), error) from error
        self.link.send(Ask(number, model, content))

    def listen(self) -> Iterator[Chunk]:
        """Wait for a message; yield a chunk if all of it is answered now.

        Raises:
            Gone: the driver has ended.
            CannotGoOn: the cluster cannot answer.
        """
        match self.link.receive():
            case Capacity(chunks=room):
                self._room = room
            case Notice(line=line):
                self._said(line)
            case CannotGoOn() as fault:
                raise fault
            case Answered(number=number, answers=None):
                self._with_files = True
                self._send(number, self._model(self._asked[number][1]))
            case Answered(number=number, answers=bytes() as answers):
                yield self._take_in(number, pickle.loads(answers))  # noqa: S301 - of a copy of the model
            case Unanswered(number=number, why=why):
                chunk, scorer = self._asked[number]
                spoilt = {query.key: Answer(error=why) for query in scorer.left(chunk).queries}
                yield self._take_in(number, Answers(spoilt))

    def _take_in(self, number: int, answers: Answers) -> Chunk:
        chunk, scorer = self._asked.pop(number)
        asked = {query.key: query for query in chunk.queries}
        scorer.take_in([(asked[key], answer) for key, answer in answers.values.items()], answers.pictures)
        return chunk

    def _model(self, scorer: CachedScorer) -> int:
        """Return the number of a scorer's model; the driver is told of a new one."""
        fingerprint = scorer.scorer.model.fingerprint
        if fingerprint not in self._models:
            self._models[fingerprint] = len(self._models)
            self.link.send(Model(self._models[fingerprint], orders_of(scorer)))
        return self._models[fingerprint]


def orders_of(scorer: CachedScorer) -> bytes:
    """Return the pickled orders of the copies of a scorer's model. Raises UsageError if they cannot be pickled."""
    asker = scorer.scorer
    orders = Orders(
        load=asker.load or partial(_itself, asker.model),
        fingerprint=asker.model.fingerprint,
        versions=dict(scorer.store.versions),
        batch_size=asker.batch_size,
        top=asker.top,
        thumbnails=scorer.thumbnails,
        code=Code.of(Path.cwd()),
    )
    try:
        return pickled(orders)
    except Exception as error:  # as in _send
        raise _unsendable(f"the model {asker.model.name}", error) from error


def _itself(model: VisionLanguageModel) -> VisionLanguageModel:
    return model


def _unsendable(what: str, error: Exception) -> UsageError:
    return UsageError(
        f"{argument('engine', 'ray')}: {what} cannot be sent to other processes. {describe_error(error)}. Let pickle"
        " take it, or name a model by its spec, or leave the engine out."
    )


def _culprit(chunk: Chunk) -> str:
    """Name the part of a chunk that cannot be pickled."""
    parts: list[Any] = [part for picture in chunk.pictures for part in (*picture.edits, picture.source)]
    for part in parts:
        try:
            pickled(part)
        except Exception:  # noqa: BLE001 - as in Talk._send
            return f"{type(part).__module__}.{type(part).__qualname__}"
    return "a question"
