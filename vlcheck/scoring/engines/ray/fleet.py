"""The copies of the model on the nodes of a cluster, and the chunks that each of them has."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import ActorUnschedulableError, RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from vlcheck._util.numbers import duration
from vlcheck.scoring.engines.ray.copy_of_model import CopyOfModel
from vlcheck.scoring.engines.ray.messages import Answered, Ask, CannotGoOn, Capacity, Model, Notice, Unanswered
from vlcheck.scoring.engines.ray.node_part import NodePart

AHEAD = 2  # chunks that a copy has at a time, so that it never waits for the next one
TRIES = 3  # copies that may die of one chunk, or before any of them has loaded a model
LONGEST = 900.0  # seconds after which a copy that has not answered is taken for one that hangs
_BETWEEN_LOOKS = 5.0  # seconds between looks at the nodes of the cluster
_ABSENCE = 30.0  # seconds that no node may have room at all
_UNHEARD = 60.0  # seconds without a copy that is ready after which the user hears of it
_LOST = (RayActorError, ActorUnschedulableError)
_DIED = "its process ended: it crashed, or was killed for want of memory"


@dataclass(eq=False)
class _Copy:
    """A copy of the model, and its tasks.

    Attributes:
        actor: its handle.
        node: the id of its node.
        host: the name of its node, for messages.
        models: numbers of the models that it has loaded, or is loading.
        tasks: the chunks that it was asked, by the references of the answers; None for a model to load.
        since: the time of its last answer, or of the first question after a pause.
        ready: whether it has loaded a model.
    """

    actor: Any
    node: str
    host: str
    models: set[int] = field(default_factory=set)
    tasks: dict[Any, Ask | None] = field(default_factory=dict)
    since: float = 0.0
    ready: bool = False


class Fleet:
    """Hands chunks to copies of the model, passes their answers on, and replaces copies that are lost.

    A chunk whose copy is lost is given to another one at once. Nodes may join the cluster at any time.

    Args:
        part: the part of a node for each copy.
        tell: sends a message to the run.
    """

    def __init__(self, part: NodePart, tell: Callable[[object], None]) -> None:
        self._part, self._tell = part, tell
        self._models: dict[int, Any] = {}  # references to the orders, by number
        self._copies: list[_Copy] = []
        self._waiting: deque[Ask] = deque()
        self._deaths: Counter[int] = Counter()  # copies that died of a chunk, by its number
        self._unproven_deaths = 0
        self._proven = False  # whether any copy has loaded a model
        self._stillborn: Counter[str] = Counter()  # copies that died before any on their node was ready, by node
        self._left_out: set[str] = set()  # nodes on which a model cannot be loaded
        self._looked = 0.0
        self._with_room = self._begun = time.monotonic()
        self._heard = False

    def take(self, message: Model | Ask) -> None:
        """Take a model or a chunk of the run."""
        if isinstance(message, Model):
            self._models[message.number] = ray.put(message.orders)
        else:
            self._waiting.append(message)

    def step(self, patience: float) -> None:
        """Hand out waiting chunks, and pass on an answer.

        Args:
            patience: longest time to wait for an answer, in seconds.
        """
        now = time.monotonic()
        if self._models and now - self._looked >= _BETWEEN_LOOKS:
            self._looked = now
            self._end_hanging(now)
            self._fill_nodes(now)
        self._hand_out()
        self._collect(patience)

    def _end_hanging(self, now: float) -> None:
        for copy in [copy for copy in self._copies if copy.ready and copy.tasks and now - copy.since > LONGEST]:
            self._lose(copy, f"it has not answered for {duration(LONGEST)}")

    def _fill_nodes(self, now: float) -> None:
        """Begin copies on nodes that have room for more."""
        for node in ray.nodes():
            if node["Alive"] and node["NodeID"] not in self._left_out:
                self._fill(node["NodeID"], node["NodeManagerHostname"], self._part.copies(node["Resources"]))
        if self._copies:
            self._with_room = now
            self._tell(Capacity(AHEAD * len(self._copies)))
        elif not self._proven or now - self._with_room > _ABSENCE:
            self._tell(CannotGoOn(f"no node of the cluster has {self._part}, which a copy of the model takes"))
        if not (self._heard or self._proven) and now - self._begun > _UNHEARD:
            self._heard = True
            self._tell(Notice("no copy of the model is ready yet: other jobs have the nodes, or it takes long to load"))

    def _fill(self, node: str, host: str, room: int) -> None:
        """Begin the copies that a node has room for, unless each of them has died several times."""
        if room and self._stillborn[node] >= TRIES * room:
            self._leave_out(node, host, f"no copy of the model could be started in {TRIES} tries")
            return
        for _ in range(sum(copy.node == node for copy in self._copies), room):
            self._begin(node, host)

    def _leave_out(self, node: str, host: str, why: str) -> None:
        if node not in self._left_out:
            self._tell(Notice(f"node {host} is left out: {why}"))
        self._left_out.add(node)

    def _begin(self, node: str, host: str) -> None:
        actor = (
            ray.remote(CopyOfModel)
            .options(
                num_cpus=self._part.cores,
                num_gpus=self._part.gpus,
                max_restarts=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            )
            .remote(self._part.cores)
        )
        copy = _Copy(actor, node, host)
        self._load(copy, min(self._models))
        self._copies.append(copy)

    def _load(self, copy: _Copy, model: int) -> None:
        copy.models.add(model)
        copy.tasks[copy.actor.load.remote(model, self._models[model])] = None

    def _hand_out(self) -> None:
        """Give copies their next chunks, so that each has one before any has two."""
        ready = [copy for copy in self._copies if copy.ready]
        for full in range(AHEAD):
            for copy in ready:
                if self._waiting and len(copy.tasks) == full:
                    self._give(copy, self._waiting.popleft())

    def _give(self, copy: _Copy, ask: Ask) -> None:
        if not copy.tasks:
            copy.since = time.monotonic()
        if ask.model not in copy.models:
            self._load(copy, ask.model)
        copy.tasks[copy.actor.score.remote(ask.model, ask.chunk)] = ask

    def _collect(self, patience: float) -> None:
        owners = {reference: copy for copy in self._copies for reference in copy.tasks}
        if not owners:
            time.sleep(patience)
            return
        done, _ = ray.wait([*owners], timeout=patience)
        for reference in done:
            self._finish(owners[reference], reference)

    def _finish(self, copy: _Copy, reference: Any) -> None:
        copy.since = time.monotonic()
        try:
            value = ray.get(reference)
        except _LOST as error:
            self._lose(copy, _said(error))
        except RayError as error:  # of vlcheck's own code: a model's errors are answers
            ask = copy.tasks.pop(reference)
            self._tell(Unanswered(ask.number, _said(error)) if ask else CannotGoOn(_said(error)))
        else:
            ask = copy.tasks.pop(reference)
            self._tell(Answered(ask.number, value)) if ask else self._loaded(copy, value)

    def _loaded(self, copy: _Copy, fault: str) -> None:
        """Begin to ask a copy; where it cannot load the model, go on without its node, if others can."""
        if not fault:
            copy.ready = self._proven = True
            self._stillborn.pop(copy.node, None)
        elif not self._proven:
            self._tell(CannotGoOn(f"on node {copy.host}: {fault}"))
        else:
            self._leave_out(copy.node, copy.host, fault)
            self._waiting.extendleft(reversed(self._end(copy)))

    def _lose(self, copy: _Copy, why: str) -> None:
        """Give the chunks of a lost copy to others; one of which several copies died is given up."""
        asked = self._end(copy)
        self._stillborn[copy.node] += not copy.ready
        if not (copy.ready or self._proven):
            self._unproven_deaths += 1
            if self._unproven_deaths >= TRIES:
                self._tell(CannotGoOn(f"on node {copy.host}: no copy of the model could be started: {why}"))
        if asked and copy.ready:
            self._deaths[asked[0].number] += 1  # it was at the first one
            if self._deaths[asked[0].number] >= TRIES:
                lost = f"{TRIES} copies of the model were lost, the last because {why}"
                self._tell(Unanswered(asked.pop(0).number, lost))
        self._waiting.extendleft(reversed(asked))

    def _end(self, copy: _Copy) -> list[Ask]:
        """End a copy; return the chunks that it was asked."""
        self._copies.remove(copy)
        ray.kill(copy.actor)
        return [ask for ask in copy.tasks.values() if ask]


def _said(error: RayError) -> str:
    """Return the one line of Ray's report that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if line.partition(":")[0].endswith("Error") and not line.startswith("ray.")]
    return named[-1] if named else _DIED
