"""Selection of cases: the cases that a behavior asks for, and the order in which they are chosen."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck.cases.case import Case


@dataclass(frozen=True)
class Selection:
    """The cases that a behavior asks for.

    Attributes:
        kinds: target kinds (tags); a case needs any of them.
        having: tags; a case needs all of them.
        lacking: tags; a case may have none of them.
        bare: accept only cases with a text without the hint.
    """

    kinds: tuple[str, ...]
    having: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    bare: bool = False

    @property
    def label(self) -> str:
        """The selection as results show it, e.g. "object, bare, without names-side"."""
        parts = [" or ".join(self.kinds), *sorted(self.having), *(["bare"] if self.bare else [])]
        return ", ".join([*parts, *(f"without {tag}" for tag in sorted(self.lacking))])

    def accepts(self, case: Case) -> bool:
        """Return True if the selection asks for this case."""
        return (
            not case.tags.isdisjoint(self.kinds)
            and self.having <= case.tags
            and self.lacking.isdisjoint(case.tags)
            and (case.bare is not None or not self.bare)
        )


def with_target(*kinds: str, having: Iterable[str] = (), lacking: Iterable[str] = (), bare: bool = False) -> Selection:
    """Ask for cases whose target is of one of the kinds: "object", "color", "side", "hand" or a tag of your own.

    Args:
        *kinds: kinds of target; a case needs any of them.
        having: tags that a case must have as well, e.g. "chromatic".
        lacking: tags that it may not have, e.g. "legible-text".
        bare: accept only cases with a text without the hint.

    Returns:
        The selection, for the `cases` of a behavior.

    Raises:
        ValueError: If no kind is named, or a single text is given in place of several tags.

    Example:
        >>> with_target("object", lacking=["legible-text"]).label
        'object, without legible-text'
    """
    if not kinds:
        raise ValueError('with_target: name a kind of target, e.g. with_target("object")')
    for name, tags in (("having", having), ("lacking", lacking)):
        if isinstance(tags, str):
            raise ValueError(f"with_target: {name} takes several tags, e.g. {name}=({tags!r},)")
    return Selection(kinds, frozenset(having), frozenset(lacking), bare)


Identify = Callable[[str, Case], str | None]
"""Maps an image's name and a case to the key of the case's picture, or to None if the case is to be skipped."""


def in_turn(
    offered: Mapping[str, Sequence[Case]],
    selection: Selection,
    *,
    seed: int,
    identify: Identify = lambda _, case: case.image.key,
) -> Iterator[Case]:
    """Yield one case an image, balanced over the target words; copies and parts of a picture count as one image.

    The targets take turns, the rarest first, each with its next image that no other target has taken. The order of
    images depends on the seed and their names alone, so that behaviors prefer the same images, and a smaller choice is
    the beginning of a larger one.

    Args:
        offered: cases by the name of their image.
        selection: the cases that are asked for.
        seed: determines the order.
        identify: returns the key of a case's picture. It is called when the case's turn comes, since it reads a file.

    Yields:
        Cases, each on a picture of its own.
    """
    queues = _queues(offered, selection, seed)
    taken: set[str] = set()
    while queues:
        for queue in queues:
            yield from _next(queue, taken, identify)
        queues = [queue for queue in queues if queue]


_Queue = deque[tuple[str, Case]]


def _queues(offered: Mapping[str, Sequence[Case]], selection: Selection, seed: int) -> list[_Queue]:
    queues: dict[str, _Queue] = {}
    for image in sorted(offered, key=lambda name: order_rank(seed, name)):
        accepted = [case for case in offered[image] if selection.accepts(case)]
        for case in sorted(accepted, key=lambda case: order_rank(seed, case.id)):
            queues.setdefault(case.target, deque()).append((image, case))
    in_order = sorted(queues, key=lambda target: (len(queues[target]), order_rank(seed, target)))
    return [queues[target] for target in in_order]


def _next(queue: _Queue, taken: set[str], identify: Identify) -> Iterator[Case]:
    """Yield the next case whose picture is not taken, if there is one, and take it."""
    while queue:
        image, case = queue.popleft()
        if image in taken:  # of which this case may show another part
            continue
        key = identify(image, case)
        if key is not None and key not in taken:
            taken.update((image, key))
            yield case
            return


def order_rank(seed: int, name: str) -> bytes:
    """Return a place in a shuffled order that is the same in every process.

    Args:
        seed: determines the order.
        name: the name of an image, a case or a target.
    """
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
