"""Selection of cases: the cases that a behavior asks for, and the order in which they are chosen."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from vlcheck.cases.case import Case


class Outlined(Protocol):
    """The part of a case that a selection looks at."""

    @property
    def target(self) -> str: ...

    @property
    def tags(self) -> frozenset[str]: ...

    @property
    def bare(self) -> str | None: ...


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

    def accepts(self, case: Outlined) -> bool:
        """Return True if the selection asks for this case, or for one of this outline."""
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


@runtime_checkable
class Indexed(Protocol):
    """Cases by the name of their image, with an index that finds those of a selection before they are made."""

    def images_of(self, selection: Selection, seed: int) -> Mapping[str, Sequence[str]]:
        """Return the images of the accepted cases by target, once for each case, in the order of `order_rank`.

        Args:
            selection: the cases that are asked for.
            seed: determines the order.
        """


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
    images = offered.images_of(selection, seed) if isinstance(offered, Indexed) else _images(offered, selection, seed)
    in_order = sorted(images, key=lambda target: (len(images[target]), order_rank(seed, target)))
    of_target = _Queues(offered, selection, seed, identify)
    queues = deque(of_target.untaken(target, images[target]) for target in in_order)
    while queues:
        queue = queues.popleft()
        if (case := next(queue, None)) is not None:
            yield case
            queues.append(queue)


def _images(offered: Mapping[str, Sequence[Case]], selection: Selection, seed: int) -> Mapping[str, Sequence[str]]:
    """Return the images of the accepted cases by target, as `Indexed.images_of`."""
    found: dict[str, list[str]] = {}
    for image in sorted(offered, key=lambda name: order_rank(seed, name)):
        for case in filter(selection.accepts, offered[image]):
            found.setdefault(case.target, []).append(image)
    return found


@dataclass
class _Queues:
    """The cases of each target in their order, of which none may show a picture that another one has taken."""

    offered: Mapping[str, Sequence[Case]]
    selection: Selection
    seed: int
    identify: Identify
    taken: set[str] = field(default_factory=set)

    def untaken(self, target: str, images: Sequence[str]) -> Iterator[Case]:
        """Yield the next case of a target whose picture is not taken, and take it.

        Args:
            target: the target.
            images: the images of its cases; of one that is taken, no case shows another part.
        """
        for image in dict.fromkeys(images):
            for case in () if image in self.taken else self._of(image, target):
                if image not in self.taken and self._take(image, case):
                    yield case

    def _take(self, image: str, case: Case) -> bool:
        """Take the picture of a case; return False if it is taken, or the case is to be skipped."""
        key = self.identify(image, case)
        if key is None or key in self.taken:
            return False
        self.taken.update((image, key))
        return True

    def _of(self, image: str, target: str) -> Sequence[Case]:
        """Return the accepted cases of an image with a target, in their order."""
        accepted = [case for case in self.offered[image] if case.target == target and self.selection.accepts(case)]
        return sorted(accepted, key=lambda case: order_rank(self.seed, case.id))


def order_rank(seed: int, name: str) -> bytes:
    """Return a place in a shuffled order that is the same in every process.

    Args:
        seed: determines the order.
        name: the name of an image, a case or a target.
    """
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
