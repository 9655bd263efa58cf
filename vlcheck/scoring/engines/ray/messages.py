"""The messages between the run's process and the driver of the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from vlcheck.scoring.engines.ray.node_part import NodePart


@dataclass(frozen=True)
class Begin:
    """From the run: the cluster to use.

    Attributes:
        address: the cluster's address, as `ray.init` takes it.
        part: the part of a node for each copy of the model.
    """

    address: str
    part: NodePart


@dataclass(frozen=True)
class Model:
    """From the run: a model that it asks.

    Attributes:
        number: the number by which chunks name it.
        orders: the pickled Orders of its copies.
    """

    number: int
    orders: bytes


@dataclass(frozen=True)
class Ask:
    """From the run: a chunk.

    Attributes:
        number: the number of the chunk, which no other has.
        model: the number of the model that is asked.
        chunk: the pickled chunk.
    """

    number: int
    model: int
    chunk: bytes


@dataclass(frozen=True)
class Capacity:
    """From the driver: the number of chunks that it takes at a time."""

    chunks: int


@dataclass(frozen=True)
class Answered:
    """From the driver: the answers to a chunk, pickled; None if its node does not see the files of its pictures."""

    number: int
    answers: bytes | None


@dataclass(frozen=True)
class Unanswered:
    """From the driver: a chunk that is given up, and the reason."""

    number: int
    why: str


@dataclass(frozen=True)
class Notice:
    """From the driver: a line for the user, e.g. about a node that is left out; the run goes on."""

    line: str


class CannotGoOn(Exception):
    """From the driver: the reason why it cannot go on; the run raises it."""
