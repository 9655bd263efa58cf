"""What every model has to keep to, whatever it is: the protocol's own contract, tried on a model.

An adapter of one's own is tested with it: `assert all(outcome.kept for outcome in examine(model, probes))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np
from PIL import Image

from vlcheck.cases import MASK, Case
from vlcheck.cases.provenance import Ablation, note_ablation
from vlcheck.errors import NotApplicable, printable
from vlcheck.models.protocol import RELATIVE, ClassifiesRegions, VisionLanguageModel

BATCHES = (1, 7, 32)
PROBES = max(BATCHES)
# By how much a score may depend on what is asked beside it: sums are made in another order in another batch.
TOLERANCES: Mapping[str, float] = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}
_WORDS = 5  # of a probe, at most


class Probe(NamedTuple):
    """A picture, a text about it with a mask, and words for the mask, the first of them the true one."""

    image: Image.Image
    template: str
    words: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The text with each of the words."""
        return tuple(self.template.replace(MASK, word) for word in self.words)


@dataclass(frozen=True)
class Outcome:
    """Whether a model keeps to a clause, and what was found."""

    clause: str
    kept: bool
    found: str


Scores = list[np.ndarray]  # a probe's
Ask = Callable[..., Scores]


def probes_of(cases: Iterable[Case]) -> list[Probe]:
    """Make PROBES of cases at most, of different pictures and from all over; pictures of one shape get three."""
    offered = list({case.image.key: case for case in cases if case.candidates}.values())
    chosen = offered[:: max(1, len(offered) // PROBES)][:PROBES]
    images = [case.image.open() for case in chosen]
    if len({image.size for image in images}) == 1:
        images = [_shaped(image, number) for number, image in enumerate(images)]
    return [
        Probe(image, case.masked, (case.target, *case.candidates)[:_WORDS])
        for image, case in zip(images, chosen, strict=True)
    ]


def examine(model: VisionLanguageModel, probes: Sequence[Probe], *, tolerance: float = 1e-4) -> Iterator[Outcome]:
    """Try every clause of the contract under every metric.

    Args:
        model: what is tried.
        probes: of different pictures, PROBES of them for every size of batch to be tried.
        tolerance: by how much a score may depend on what is asked beside it, see TOLERANCES.
    """
    for metric in sorted(model.metrics):
        try:
            asked = _of_classes(model, probes) if metric == "mrc" else probes
            if not asked:
                yield Outcome(f"{metric}: it answers", False, "no probe names a class of regions that it tells")
                continue
            yield from _outcomes(metric, partial(_scores, model, metric), asked, tolerance, _sees(model))
        except Exception as error:  # noqa: BLE001 - a model is foreign code
            yield Outcome(f"{metric}: it answers", False, printable(f"{type(error).__name__}: {error}"))


def _outcomes(metric: str, ask: Ask, probes: Sequence[Probe], tolerance: float, sees: bool) -> Iterator[Outcome]:
    scores = ask(probes)
    yield Outcome(f"{metric}: each score is a probability", _is_probability(scores), _range(scores))
    same: tuple[tuple[str, Scores, float], ...] = (
        ("asked again", ask(probes), 0.0),
        ("in another order", ask(probes[::-1])[::-1], tolerance),
        ("with the words in another order", [own[::-1] for own in ask([*map(_turned, probes)])], tolerance),
        *((f"in batches of {size}", ask(probes, size), tolerance) for size in BATCHES),
    )
    for clause, again, most in same:
        distance = _distance(scores, again)
        yield Outcome(f"{metric}: the same {clause}", distance <= most, f"differs by {distance:.1e} at most")
    changed = sum(map(_differ, scores, ask(_exchanged(probes))))
    kept = bool(changed) == sees
    what = "other pictures, other scores" if sees else "it reads words alone"
    yield Outcome(f"{metric}: {what}", kept, f"{changed} of {len(probes)} differ")


def _scores(model: VisionLanguageModel, metric: str, probes: Sequence[Probe], batch: int = PROBES) -> Scores:
    """Of each probe: mlm and mrc, one a word; itm, of the text with the first word and of that with the last."""
    parts = [probes[start : start + batch] for start in range(0, len(probes), batch)]
    return list(chain.from_iterable(_ask(model, metric, part) for part in parts))


def _ask(model: VisionLanguageModel, metric: str, probes: Sequence[Probe]) -> Scores:
    if metric == "mrc" and isinstance(model, ClassifiesRegions):
        hidden = model.encode([_without_regions(probe.image) for probe in probes])
        return [*map(np.asarray, model.mrc(hidden, _templates(probes), [probe.words for probe in probes]))]
    encoded = model.encode([probe.image for probe in probes])
    if metric == "mlm":
        return [np.asarray(own) for own in model.mlm(encoded, _templates(probes), [probe.words for probe in probes])]
    rows = [row for row in range(len(probes)) for _ in range(2)]
    texts = [text for probe in probes for text in (probe.texts[0], probe.texts[-1])]
    foils = [[one for one in probes[row].texts if one != text] for row, text in zip(rows, texts, strict=True)]
    found = np.asarray(model.itm(encoded[rows], texts, foils if model.kinds["itm"] in RELATIVE else None))
    return list(found.reshape(len(probes), 2))


def _of_classes(model: VisionLanguageModel, probes: Sequence[Probe]) -> list[Probe]:
    """The probes with those words alone that are classes of regions to the model."""
    known = {word for word in chain.from_iterable(probe.words for probe in probes) if _is_class(model, probes[0], word)}
    kept = [probe._replace(words=tuple(word for word in probe.words if word in known)) for probe in probes]
    return [probe for probe in kept if probe.words]


def _is_class(model: VisionLanguageModel, probe: Probe, word: str) -> bool:
    try:
        _ask(model, "mrc", [probe._replace(words=(word,))])
    except NotApplicable:
        return False
    return True


def _without_regions(image: Image.Image) -> Image.Image:
    ablated = image.copy()
    note_ablation(ablated, Ablation(image, ()))
    return ablated


def _templates(probes: Sequence[Probe]) -> list[str]:
    return [probe.template for probe in probes]


def _turned(probe: Probe) -> Probe:
    return probe._replace(words=probe.words[::-1])


def _exchanged(probes: Sequence[Probe]) -> list[Probe]:
    """Each with the next one's picture."""
    return [probe._replace(image=other.image) for probe, other in zip(probes, [*probes[1:], probes[0]], strict=True)]


def _shaped(image: Image.Image, number: int) -> Image.Image:
    """As it is, without its right quarter, or without its lowest."""
    width, height = image.size
    return image.crop(
        (0, 0, *((width, height), (width - width // 4, height), (width, height - height // 4))[number % 3])
    )


def _is_probability(scores: Scores) -> bool:
    return all(bool(np.isfinite(own).all() and (own >= 0).all() and (own <= 1).all()) for own in scores)


def _range(scores: Scores) -> str:
    every = np.concatenate(scores)
    return f"{every.min():.3g} to {every.max():.3g}"


def _distance(one: Scores, other: Scores) -> float:
    return float(np.abs(np.concatenate(one) - np.concatenate(other)).max())


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one != other).any())


def _sees(model: VisionLanguageModel) -> bool:
    """Whether it is shown the pictures; a control that reads words alone says that it is not."""
    return bool(getattr(model, "sees", True))
