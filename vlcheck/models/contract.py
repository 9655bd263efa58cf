"""The contract: clauses of the model protocol that every model has to keep, whatever its architecture.

Test an adapter of your own with it: `assert all(outcome.kept for outcome in examine(model, probes))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np
from PIL import Image

from vlcheck._util.foreign_code import contained, describe_error
from vlcheck._util.numbers import between, figure
from vlcheck.cases import MASK, Case
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.registry import KINDS, METRICS
from vlcheck.models.protocol import VisionLanguageModel, sees_pictures

BATCHES = (1, 7, 32)
PROBES = max(BATCHES)
SIDE = 2048  # pixels; models read smaller pictures
# The largest accepted difference of a score between two batches. The order of a sum may depend on the batch.
TOLERANCES: Mapping[str, float] = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}
NOISES = 8  # as a share of two probabilities differs more than each of them
_WORDS = 5  # the largest number of words in a probe
_FEW = 3  # the number of probes for clauses that need no more
_LONGER = (6, 3, 1)  # numbers of times that a text is appended to itself to make a longer one


@dataclass(frozen=True)
class Outcome:
    """The outcome of one clause: kept or broken, and the values that were found.

    Attributes:
        clause: the metric and the clause.
        kept: False if the model breaks it.
        found: the measured values, as text.
        note: True for an observation that no model is required to satisfy.
    """

    clause: str
    kept: bool
    found: str
    note: bool = False


Scores = list[np.ndarray]  # one array a probe
Ask = Callable[..., Scores]


def probes_of(cases: Iterable[Case]) -> list[Probe]:
    """Make at most PROBES probes of cases with different pictures, chosen evenly over all cases.

    If all chosen pictures have the same size, some are cropped to get three sizes. All pictures are in memory together,
    so one that is wider or higher than SIDE pixels is shrunk.
    """
    offered = list({case.image.key: case for case in cases if case.candidates}.values())
    chosen = offered[:: max(1, len(offered) // PROBES)][:PROBES]
    images = [_opened(case) for case in chosen]
    if len({image.size for image in images}) == 1:
        images = [_shaped(image, number) for number, image in enumerate(images)]
    return [
        Probe(image, case.masked, (case.target, *case.candidates)[:_WORDS])
        for image, case in zip(images, chosen, strict=True)
    ]


def _opened(case: Case) -> Image.Image:
    image = case.image.open()
    image.thumbnail((SIDE, SIDE))
    return image


def examine(model: VisionLanguageModel, probes: Sequence[Probe], *, tolerance: float = 1e-4) -> Iterator[Outcome]:
    """Try every clause of the contract under every metric of a model.

    A model that others run may have the attribute `noise`, the largest difference of a probability among repeats of a
    question: two answers to one question may then differ by NOISES times as much.

    Args:
        model: the model to try.
        probes: probes with different pictures; PROBES of them are needed to try every batch size.
        tolerance: the largest accepted difference of a score between two batches; TOLERANCES has it for each dtype.

    Yields:
        One outcome a clause.
    """
    again = NOISES * float(getattr(model, "noise", 0.0))
    tolerance = max(tolerance, again)
    for metric in sorted(model.metrics):
        try:
            asked = _of_classes(model, metric, probes) if KINDS[model.kinds[metric]].of_classes else probes
            if not asked:
                yield Outcome(f"{metric}: it answers", False, "no word of the probes is a class that it knows")
                continue
            limits = _Limits(tolerance, again, sees_pictures(model))
            yield from _outcomes(metric, partial(_scores, model, metric), asked, limits)
            yield from _of_few(model, metric, asked[:_FEW], tolerance)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a model is foreign code
            yield Outcome(f"{metric}: it answers", False, describe_error(error))


class _Limits(NamedTuple):
    """The largest accepted differences between two batches, and of the same batch; whether pictures have to matter."""

    tolerance: float
    again: float
    sees: bool


def _outcomes(metric: str, ask: Ask, probes: Sequence[Probe], limits: _Limits) -> Iterator[Outcome]:
    """Try the clauses that need all probes."""
    scores, tolerance = ask(probes), limits.tolerance
    yield Outcome(f"{metric}: each score is a probability", _is_probability(scores), _range(scores))
    same: tuple[tuple[str, Scores, float], ...] = (
        ("asked again", ask(probes), limits.again),
        ("in another order", ask(probes[::-1])[::-1], tolerance),
        ("with the words in another order", [own[::-1] for own in ask([*map(_turned, probes)])], tolerance),
        *((f"in batches of {size}", ask(probes, size), tolerance) for size in BATCHES),
    )
    for clause, again, most in same:
        distance = _distance(scores, again)
        yield Outcome(f"{metric}: the same {clause}", distance <= most, f"differs by {figure(distance)} at most")
    changed = sum(map(_differ, scores, ask(_exchanged(probes))))
    kept = bool(changed) == limits.sees
    what = "other pictures, other scores" if limits.sees else "the picture changes no score"
    yield Outcome(f"{metric}: {what}", kept, f"{changed} of {len(probes)} differ")


def _of_few(model: VisionLanguageModel, metric: str, probes: Sequence[Probe], tolerance: float) -> Iterator[Outcome]:
    """Try the clauses for which a few probes are enough."""
    ask = partial(_scores, model, metric)
    if METRICS[metric].compares(model.kinds[metric]):
        shares = METRICS[metric].probe(model, probes, [probe.words for probe in probes])
        yield _sums_to_one(metric, KINDS[model.kinds[metric]].among, shares, tolerance)
    yield _beside_longer(metric, ask, probes, tolerance)
    yield _capitals(metric, ask, probes, tolerance, cased=getattr(model, "cased", True))
    if not METRICS[metric].needs_regions:  # else all regions of the picture were removed
        yield _on_white(metric, ask, probes, tolerance)


def _sums_to_one(metric: str, among: str, shares: Scores, tolerance: float) -> Outcome:
    """Check that the shares of compared words or texts sum to 1; cosines, for example, do not."""
    sums = [float(own.sum()) for own in shares]
    kept = all(abs(total - 1) <= tolerance * len(own) for total, own in zip(sums, shares, strict=True))
    return Outcome(f"{metric}: the shares of {among} sum to 1", kept, between(min(sums), max(sums)))


def _beside_longer(metric: str, ask: Ask, probes: Sequence[Probe], tolerance: float) -> Outcome:
    """Check that a text gets the same score when a longer text in the batch makes padding necessary.

    The longest of some texts that the model accepts is used.
    """
    clause = f"{metric}: the same beside a longer text"
    alone = [ask([probe])[0] for probe in probes]
    for times in _LONGER:
        try:
            with contained():
                beside = [ask([probe, _longer(probe, times)])[0] for probe in probes]
        except (UsageError, NotApplicable, ForeignFault):  # a model may refuse what is too long for it
            continue
        distance = _distance(alone, beside)
        return Outcome(clause, distance <= tolerance, f"differs by {figure(distance)} at most")
    return Outcome(clause, True, "it refuses longer texts", note=True)


def _capitals(metric: str, ask: Ask, probes: Sequence[Probe], tolerance: float, *, cased: bool) -> Outcome:
    """Check that capitals change no score of a model of lower-case text; for other models, note the difference."""
    small, large = (ask([_written(probe, how) for probe in probes]) for how in (str.lower, str.title))
    distance = _distance(small, large)
    found = f"differs by {figure(distance)} at most"
    if not cased:
        return Outcome(f"{metric}: the same in capitals", distance <= tolerance, found)
    if distance > tolerance:
        found += "; a model that was trained on lower-case text has to lower its texts"
    return Outcome(f"{metric}: in capitals", True, found, note=True)


def _on_white(metric: str, ask: Ask, probes: Sequence[Probe], tolerance: float) -> Outcome:
    """Check that transparent pixels are read as white, or that pictures with an alpha channel are refused."""
    clause = f"{metric}: a transparent picture stands on white"
    given = [probe.image.convert("RGB") for probe in probes]
    cut_out = [_cut_out(image) for image in given]
    white = [Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB") for image in cut_out]
    seen = [*given, *white]
    shown = [*(image.convert("RGBA") for image in given), *cut_out]
    try:
        with contained():
            distance = _distance(*(ask(_showing([*probes, *probes], images)) for images in (seen, shown)))
    except (UsageError, NotApplicable, ForeignFault):
        return Outcome(clause, True, "it refuses pictures with an alpha channel", note=True)
    return Outcome(clause, distance <= tolerance, f"differs by {figure(distance)} at most")


def _scores(model: VisionLanguageModel, metric: str, probes: Sequence[Probe], batch: int = PROBES) -> Scores:
    """Return the scores of each probe's words, or of those that the metric samples of them."""
    asked = METRICS[metric]
    parts = [probes[start : start + batch] for start in range(0, len(probes), batch)]
    return list(chain.from_iterable(asked.probe(model, part, [*map(asked.sampled, part)]) for part in parts))


def _of_classes(model: VisionLanguageModel, metric: str, probes: Sequence[Probe]) -> list[Probe]:
    """Return the probes with those of their words that the model knows as classes."""
    words = {word for probe in probes for word in probe.words}
    known = {word for word in words if _is_class(model, metric, probes[0], word)}
    kept = [probe._replace(words=tuple(word for word in probe.words if word in known)) for probe in probes]
    return [probe for probe in kept if probe.words]


def _is_class(model: VisionLanguageModel, metric: str, probe: Probe, word: str) -> bool:
    try:
        METRICS[metric].probe(model, [probe], [(word,)])
    except NotApplicable:
        return False
    return True


def _turned(probe: Probe) -> Probe:
    return probe._replace(words=probe.words[::-1])


def _longer(probe: Probe, times: int) -> Probe:
    return probe._replace(template=" ".join([probe.template, *[probe.texts[0]] * times]))


def _written(probe: Probe, how: Callable[[str], str]) -> Probe:
    """Return the probe with its template changed by a function, except for the mask."""
    return probe._replace(template=MASK.join(map(how, probe.template.split(MASK))))


def _showing(probes: Sequence[Probe], images: Sequence[Image.Image]) -> list[Probe]:
    return [probe._replace(image=image) for probe, image in zip(probes, images, strict=True)]


def _cut_out(image: Image.Image) -> Image.Image:
    """Return the image with its left half transparent; the pixels of that half are still stored."""
    shown, alpha = image.copy(), Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, image.width // 2, image.height))
    shown.putalpha(alpha)
    return shown


def _exchanged(probes: Sequence[Probe]) -> list[Probe]:
    """Return each probe with the picture of the next one."""
    return [probe._replace(image=other.image) for probe, other in zip(probes, [*probes[1:], probes[0]], strict=True)]


def _shaped(image: Image.Image, number: int) -> Image.Image:
    """Return the image, depending on the number: whole, without its right quarter, or without its bottom quarter."""
    width, height = image.size
    return image.crop(
        (0, 0, *((width, height), (width - width // 4, height), (width, height - height // 4))[number % 3])
    )


def _is_probability(scores: Scores) -> bool:
    return all(bool(np.isfinite(own).all() and (own >= 0).all() and (own <= 1).all()) for own in scores)


def _range(scores: Scores) -> str:
    every = np.concatenate(scores)
    return between(float(every.min()), float(every.max()))


def _distance(one: Scores, other: Scores) -> float:
    return float(np.abs(np.concatenate(one) - np.concatenate(other)).max())


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one != other).any())
