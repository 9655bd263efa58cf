"""Arms and legs, and the hand or foot that a thing is at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import dist, hypot
from typing import Literal, NamedTuple

from vlcheck.cases.box import Box
from vlcheck.datasets.scenes.scene import Limb, Side

SIDES: tuple[Side, Side] = ("left", "right")
# Joints from the trunk to the end. The length of a hand is about 0.6 of a forearm, that of a foot 0.6 of a shin.
CHAINS: Mapping[Limb, tuple[str, str, str]] = {"hand": ("shoulder", "elbow", "wrist"), "foot": ("hip", "knee", "ankle")}
REACH = 0.6
AWAY = 1.0  # in lengths of a forearm or shin; no hand or foot reaches so far

Whose = Side | Literal["nobody", "unclear"]


class Joint(NamedTuple):
    """A joint's place.

    Attributes:
        x: distance from the left edge, in pixels.
        y: distance from the upper edge, in pixels.
        visible: False if it is hidden behind something.
    """

    x: float
    y: float
    visible: bool


@dataclass(frozen=True)
class Pose:
    """A person's marked joints.

    Attributes:
        joints: the joints by name, e.g. "left_wrist"; left and right are the person's own.
    """

    joints: Mapping[str, Joint]

    def distance(self, end: str, box: Box) -> float:
        """Return the distance in pixels from a marked joint to a box; 0 within the box.

        Args:
            end: the joint's name.
            box: the box.
        """
        x, y, _ = self.joints[end]
        return hypot(max(box.x - x, x - box.x - box.width, 0), max(box.y - y, y - box.y - box.height, 0))

    def length(self, limb: Limb) -> float:
        """Return the length of the longest marked part of an arm or a leg, which is foreshortened least."""
        joints = ([self.joints.get(f"{side}_{joint}") for joint in CHAINS[limb]] for side in SIDES)
        parts = (pair for first, second, third in joints for pair in ((first, second), (second, third)))
        return max((dist(one[:2], other[:2]) for one, other in parts if one and other), default=0.0)

    def side_of(self, box: Box, limb: Limb) -> Whose:
        """Return the side of the hand, or foot, that a thing is at: within REACH of one, and AWAY from the other.

        Args:
            box: the thing's box.
            limb: "hand" or "foot".

        Returns:
            The side; "nobody" if it is near neither, "unclear" if the side cannot be determined.
        """
        length, end = self.length(limb), CHAINS[limb][-1]
        ends = {side: f"{side}_{end}" for side in SIDES if f"{side}_{end}" in self.joints}
        near = [side for side in ends if self.distance(ends[side], box) <= AWAY * length]
        if not near:
            return "nobody"
        at = near[0]
        sure = len(near) == 1 and len(ends) == 2 and length > 0 and self.joints[ends[at]].visible
        return at if sure and self.distance(ends[at], box) <= REACH * length else "unclear"


def whose(box: Box, persons: Iterable[Pose], limb: Limb) -> Whose:
    """Return the side of the hand, or foot, that a thing is at, if it is near one person only.

    Args:
        box: the thing's box.
        persons: the persons in the picture.
        limb: "hand" or "foot".

    Returns:
        The side; "nobody" if it is near no person, "unclear" if the side cannot be determined.
    """
    sides = [side for side in (person.side_of(box, limb) for person in persons) if side != "nobody"]
    return sides[0] if len(sides) == 1 else "unclear" if sides else "nobody"
