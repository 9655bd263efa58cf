"""A thing of one photograph, cut out into each cell of a 3 x 3 grid, as the suite's bias `place` asks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from vlcheck._util.numbers import brief
from vlcheck.cases.box import Box
from vlcheck.cases.case import Case
from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES
from vlcheck.errors import NotApplicable, UsageError, argument, printable
from vlcheck.expect import AFTER, BEFORE, OTHER, Preserved, Sample
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.reading import Heard, Reading
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb.place import CELLS, Cell, CutOut
from vlcheck.report.single_image.places import PlacedScore, PlacedScores, box_text

TOLERANCES = Tolerances()
EXAMPLE_BOX = "120,80,60,90"

_NUMBER = r"\s*([0-9]+(?:\.[0-9]+)?)\s*"
_BOX = re.compile(",".join([_NUMBER] * 4))

Replies = Mapping[str, Mapping[Metric, Heard | Answer]]  # by the name of the view


def read_box(text: str) -> Box:
    """Read a box in pixels, "X,Y,WIDTH,HEIGHT".

    Raises:
        UsageError: it is none; the message says what would be.
    """
    found = _BOX.fullmatch(text)
    box = Box(*map(float, found.groups())) if found else None
    if box is None or box.area <= 0:
        raise UsageError(
            f"{argument('box', printable(text))}: has to be X,Y,WIDTH,HEIGHT in pixels, from the upper left corner,"
            f" with a width and a height above 0: {argument('box', EXAMPLE_BOX)}."
        )
    return box


def with_thing(case: Case, box: Box) -> Case:
    """Return a case with the box of the thing that its target names.

    Args:
        case: a case of one photograph.
        box: the box in pixels of the photograph.

    Raises:
        UsageError: the box is not inside the photograph, or the target is true of a place alone.
    """
    width, height = case.image.size
    given = argument("box", box_text(box))
    if box.x + box.width > width or box.y + box.height > height:
        raise UsageError(
            f"{given}: is not inside the photograph, which has {width} x {height} pixels: X + WIDTH is at most {width},"
            f" and Y + HEIGHT at most {height}."
        )
    if case.target.lower() in OPPOSITES:
        raise UsageError(
            f"{given}: the thing in the box is moved, and {case.target!r} says where it is. Put the brackets around its"
            " name, or around another word that stays true."
        )
    return replace(case, region=(box,))


def cut_out_views(case: Case) -> dict[str, View]:
    """Return the view of a case's thing in each cell."""
    return {cell: CutOut(cell)(View.of(case), ()) for cell in CELLS}


def placed_scores(case: Case, heard: Replies, metric: Metric) -> PlacedScores:
    """Return the scores of one metric in all cells.

    A score holds by the rule of the suite: it falls by less than `within`. The model has to know the thing in the
    middle, that is to score it higher than the blocked photograph.

    Args:
        case: the case, with the box.
        heard: the answers for the views of `cut_out_views`, and for "blocked".
        metric: the metric.
    """
    replies = {cell: heard[cell][metric] for cell in CELLS}
    readings = {cell: reply.reading for cell, reply in replies.items() if isinstance(reply, Heard)}
    missing = [reply.unasked or reply.error for reply in replies.values() if isinstance(reply, Answer)]
    if "middle" not in readings:
        return PlacedScores({}, tuple(dict.fromkeys(missing)))
    blocked = heard["blocked"][metric]
    others = {OTHER: blocked.reading} if isinstance(blocked, Heard) else {}
    absent = {} if others else {OTHER: "the blocked photograph has no score"}
    middle = Sample(case, {BEFORE: readings["middle"], **others}, absent)
    return PlacedScores(dict(_judged(middle, readings)), tuple(dict.fromkeys([*missing, *_unjudged(middle)])))


def _judged(middle: Sample, readings: Mapping[Cell, Reading]) -> Iterator[tuple[Cell, PlacedScore]]:
    known = not list(_unjudged(middle))
    for cell, reading in readings.items():
        sample = replace(middle, readings={**middle.readings, AFTER: reading})
        loss = middle[BEFORE].value - reading.value
        decided = known and not math.isnan(loss)
        holds = min(Preserved().margins(sample, TOLERANCES).values()) > 0 if decided else None
        yield cell, PlacedScore(reading.value, loss, holds)


def _unjudged(middle: Sample) -> Iterator[str]:
    """Yield the reason why no cell holds or falls, if there is one."""
    try:
        middle.demand_answered([BEFORE], TOLERANCES)
    except NotApplicable as reason:
        yield f"no cell holds or falls: {reason}"
        return
    if OTHER in middle.absent:
        yield f"no cell holds or falls: {middle.absent[OTHER]}"
    elif not Preserved().known(middle, TOLERANCES):
        yield (
            "no cell holds or falls: the model does not know the thing in the middle, since its score is not more than"
            f" {brief(TOLERANCES.delta)} above that of the blocked photograph"
        )
