"""A copy of the model on a node: an actor that loads the model once, and answers chunks."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from PIL import Image

from vlcheck._util.foreign_code import contained
from vlcheck._util.installed import version_changes, versions
from vlcheck.cases.picture import Picture
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, marked
from vlcheck.metrics.answer import Answer
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.scoring.cached import noted
from vlcheck.scoring.engines.ray.code import Code
from vlcheck.scoring.engines.ray.pictures import Unseen
from vlcheck.scoring.plan import Chunk
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import Thumbnail


@dataclass(frozen=True)
class Orders:
    """The orders by which a copy is asked as the run's own model is.

    Attributes:
        load: returns the model.
        fingerprint: the fingerprint of the run's own model.
        versions: versions of everything else that determines a score, in the run's process.
        batch_size: number of pictures that are encoded together.
        top: number of the likeliest words to take.
        thumbnails: whether small copies of the pictures are kept.
        code: the user's own modules.
    """

    load: Callable[[], VisionLanguageModel]
    fingerprint: str
    versions: dict[str, str]
    batch_size: int
    top: int
    thumbnails: bool
    code: Code


@dataclass
class Answers:
    """The answers to a chunk.

    Attributes:
        values: the answers, by the queries' keys.
        pictures: digests and small copies of the pictures that the model was shown, by the pictures' keys.
    """

    values: dict[str, Answer] = field(default_factory=dict)
    pictures: dict[str, Thumbnail] = field(default_factory=dict)


class CopyOfModel:
    """An actor of the cluster: it holds the models of a run, as the run's own process does.

    Its methods raise nothing of a model's, so that no message is a page of Ray's own frames.

    Args:
        threads: number of threads that a model may use; 0 leaves it to the libraries.
    """

    def __init__(self, threads: int) -> None:
        if threads:
            os.environ["OMP_NUM_THREADS"] = str(threads)  # torch is not imported yet
        self._held = ExitStack()
        self._models: dict[int, tuple[Scorer, bool]] = {}

    def load(self, number: int, orders: bytes) -> str:
        """Load a model.

        Args:
            number: its number.
            orders: the pickled Orders.

        Returns:
            The reason why it cannot be asked in place of the run's own process; "" if it can.
        """
        lacking = ""
        try:
            with contained():
                said: Orders = pickle.loads(orders)  # noqa: S301 - of the run
                lacking = said.code.lacking
                return self._load(number, said)
        except (UsageError, ForeignFault, NotApplicable) as error:
            return f"{marked(error)} {lacking}".rstrip()

    def _load(self, number: int, orders: Orders) -> str:
        if changed := "; ".join(version_changes(orders.versions, versions())):
            return f"its versions are not those of the run: {changed}".replace(" before, ", " in the run, ")
        if not self._models:
            self._held.enter_context(orders.code.in_place())
        model = orders.load()
        if model.fingerprint != orders.fingerprint:
            return "it loads another model: the weights or the code differ from those of the run"
        scorer = Scorer(model, batch_size=orders.batch_size, top=orders.top)
        self._models[number] = scorer, orders.thumbnails
        return ""

    def score(self, model: int, chunk: bytes) -> bytes | None:
        """Answer a chunk.

        Args:
            model: the number of the model.
            chunk: the pickled chunk.

        Returns:
            The pickled Answers; None if this node does not see the files of the pictures.
        """
        scorer, thumbnails = self._models[model]
        try:
            asked: Chunk = pickle.loads(chunk)  # noqa: S301 - of the run
        except Unseen:
            return None
        answers = Answers()

        def rendered(picture: Picture, image: Image.Image) -> None:
            answers.pictures[picture.key] = noted(image, thumbnails=thumbnails)

        for some in scorer.score(asked, rendered):
            answers.values.update((query.key, answer) for query, answer in some)
        return pickle.dumps(answers)
