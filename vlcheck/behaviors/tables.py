"""The study's three tables, and others: means of raw scores over cases, beside the verdict and never part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar, Protocol, runtime_checkable

from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.expect.base import AFTER, BEFORE, Sample
from vlcheck.expect.maps import shares_by_cell
from vlcheck.expect.modalities import ALONE, NEITHER, PICTURE_ALONE, ModalityScores
from vlcheck.metrics.mm_shap import ContributionReading
from vlcheck.perturb import (
    CELLS,
    AblateRegions,
    AfterCaption,
    AsMuchNoise,
    Bare,
    Block,
    Compose,
    MaskPhrase,
    Mirror,
    Perturbation,
    opposite,
)
from vlcheck.perturb.place import Cell
from vlcheck.stats.bootstrap import bootstrap_interval
from vlcheck.stats.operating_scale import RAW

Cells = Mapping[str, float | int]
COSTLY = 0.02


class Table(Protocol):
    """Additional values that a behavior adds to the results.

    Attributes:
        name: the key of the table in the results file.
    """

    name: ClassVar[str]

    def arms(self) -> Mapping[str, Perturbation]:
        """Return the views that the table needs, each as a perturbation of the unperturbed case."""

    def words(self, view: View) -> tuple[str, ...]:
        """Return the words that the table shows beside the target."""

    def cells(self, samples: Sequence[Sample]) -> Cells:
        """Return means over the cases that have every arm, with their number as "n"; empty if there are none."""


@runtime_checkable
class Conditional(Protocol):
    """A table that is worth further pictures only where the scores say so; it is a `Table` as well."""

    def worth(self, samples: Sequence[Sample]) -> bool:
        """Return True if the views of the table are to be asked about.

        Args:
            samples: the cases, without the views that only tables need.
        """


def arms_of(tables: Iterable[Table], samples: Sequence[Sample]) -> frozenset[str]:
    """Return the arms of the tables that are worth their pictures.

    Args:
        tables: the tables.
        samples: the cases, without the views that only tables need.
    """
    worth = [one for one in tables if not isinstance(one, Conditional) or one.worth(samples)]
    return frozenset(arm for table in worth for arm in table.arms())


@dataclass(frozen=True)
class VisionAndLanguage:
    """The study's figure 1, a 2 x 2 table: picture original or blocked, text with its hint or bare.

    It has the four cells, their interaction, and the balance D of `vlcheck.expect.aggregate.Balance`.
    """

    name: ClassVar[str] = "vision_language"

    def arms(self) -> Mapping[str, Perturbation]:
        blocked = Block()
        return {"blocked_hint": blocked, "original_bare": Bare(), "blocked_bare": Compose(Bare(), blocked)}

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        arms = {"original_hint": BEFORE} | {arm: arm for arm in self.arms()}
        cells = _means(samples, {cell: _value(arm) for cell, arm in arms.items()})
        if cells:
            with_hint = cells["original_hint"] - cells["blocked_hint"]
            cells["interaction"] = with_hint - (cells["original_bare"] - cells["blocked_bare"])
            cells["balance"] = cells["original_bare"] - cells["blocked_hint"]
        return cells


@dataclass(frozen=True)
class ColorAndGrey:
    """The study's figure 2: the score of the same word in color and in grey."""

    name: ClassVar[str] = "color_grey"

    def arms(self) -> Mapping[str, Perturbation]:
        return {}

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        return _means(samples, {"color": _value(BEFORE), "grey": _value(AFTER)})


@dataclass(frozen=True)
class AgainstNoise:
    """The effect of an edit of the picture against that of equally large noise, image by image.

    The difference in differences, (before - after) - (before - noise), is the part of the effect that is due to the
    information removed by the edit. Its interval is a bootstrap over images. An edit that costs less than COSTLY on
    average, on the model's own scale, has no effect to explain, and no noise is asked about.

    Attributes:
        edit: the behavior's perturbation.
    """

    edit: Perturbation

    name: ClassVar[str] = "against_noise"

    def arms(self) -> Mapping[str, Perturbation]:
        return {"noise": AsMuchNoise(self.edit)}

    def worth(self, samples: Sequence[Sample]) -> bool:
        """Return True if the edit costs COSTLY or more on average."""
        costs = _rows(samples, [lambda sample: sample[BEFORE].value - sample[AFTER].value])
        return bool(costs) and fmean(cost for (cost,) in costs) >= COSTLY

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        cells = _means(samples, {"before": _value(BEFORE), "after": _value(AFTER), "noise": _value("noise")})
        if not cells:
            return {}
        whole = [sample for sample in samples if _rows([sample], [_value(BEFORE), _value(AFTER), _value("noise")])]
        differences = [sample["noise"].score - sample[AFTER].score for sample in whole]
        low, high = bootstrap_interval(differences, [sample.case.image.key for sample in whole])
        return {
            "cost": cells["before"] - cells["after"],
            "noise_cost": cells["before"] - cells["noise"],
            "difference": cells["noise"] - cells["after"],
            "difference_low": low,
            "difference_high": high,
            "n": len({sample.case.image.key for sample in whole}),
        }


@dataclass(frozen=True)
class LeftAndRight:
    """The study's figure 3: the scores of "left" and "right", original and mirrored, separately for each true side."""

    name: ClassVar[str] = "left_right"

    def arms(self) -> Mapping[str, Perturbation]:
        return {"mirrored": Mirror()}

    def words(self, view: View) -> tuple[str, ...]:
        return (opposite(view.target),)

    def cells(self, samples: Sequence[Sample]) -> Cells:
        cells: dict[str, float | int] = {}
        for true in ("left", "right"):
            here = [sample for sample in samples if sample.case.target == true]
            columns = {
                f"{arm}_{word}": (arm if arm == "mirrored" else BEFORE, word)
                for arm in ("original", "mirrored")
                for word in ("left", "right")
            }
            means = _means(here, {column: _score(*cell) for column, cell in columns.items()})
            cells |= {f"{true}_is_true_{column}": mean for column, mean in means.items()}
        return cells


@dataclass(frozen=True)
class UnderEach:
    """The score before and after each of several perturbations: means over the cases that have both."""

    name: ClassVar[str] = "under_each"

    def arms(self) -> Mapping[str, Perturbation]:
        return {}

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        cells: dict[str, float | int] = {}
        for perturbation in dict.fromkeys(sample.perturbation for sample in samples):
            here = [sample for sample in samples if sample.perturbation == perturbation]
            means = _means(here, {"before": _value(BEFORE), perturbation: _value(AFTER)})
            cells |= {column: mean for column, mean in means.items() if column not in cells}
        return cells


@dataclass(frozen=True)
class MapByCell:
    """The mean share of a map in each cell of a 3 x 3 grid, after the perturbation; the metric has to be `map`."""

    name: ClassVar[str] = "map_by_cell"

    def arms(self) -> Mapping[str, Perturbation]:
        return {}

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        return _means(samples, {cell: _in_cell(cell) for cell in CELLS})


@dataclass(frozen=True)
class VisionForLanguage:
    """The contrast of Frank et al. 2021 (arXiv:2109.04448): a word with nothing, its object or all of a picture hidden.

    It has a row of means for the caption, in which the whole phrase of the word is masked, and one for the text without
    the hint. The losses have bootstrap intervals over images.
    """

    name: ClassVar[str] = "vision_for_language"

    def arms(self) -> Mapping[str, Perturbation]:
        arms: dict[str, Perturbation] = {}
        for text, said in (("hint", MaskPhrase()), ("bare", Bare())):
            arms[f"{text}_none"] = said
            arms[f"{text}_object"] = Compose(said, AblateRegions())
            arms[f"{text}_all"] = Compose(said, AblateRegions("all"))
        return arms

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        return _contrast(samples, "hint_", "bare_")


_HIDDEN = AblateRegions()
_TOLD = Compose(_HIDDEN, AfterCaption("nothing"))
_UNNAMED = Compose(_HIDDEN, AfterCaption("phrase"))
_UNTOLD = Compose(_HIDDEN, AfterCaption("all"))


@dataclass(frozen=True)
class LanguageForVision:
    """The contrast for the caption: an object is hidden, and nothing, its phrase or all of the caption is removed.

    Each cell is a mean score; of an arm that is asked about several words, the mean share of the true one. The arms are
    those of `itm` unless given.

    Attributes:
        none: perturbation of the unperturbed case that hides the object.
        object: perturbation that removes its phrase from the text, too.
        all: perturbation that removes all of the caption.
    """

    none: Perturbation = _TOLD
    object: Perturbation = _UNNAMED
    all: Perturbation = _UNTOLD

    name: ClassVar[str] = "language_for_vision"

    def arms(self) -> Mapping[str, Perturbation]:
        return {"none": self.none, "object": self.object, "all": self.all}

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        return _contrast(samples, "")


@dataclass(frozen=True)
class EachModalityAlone:
    """The mean match score of a text with its picture, of each alone and of neither; their Shapley values and synergy.

    The behavior has to be that of `vlcheck.expect.NeitherAlone`.
    """

    name: ClassVar[str] = "modalities"

    def arms(self) -> Mapping[str, Perturbation]:
        return ALONE

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        arms = {"both": BEFORE, "text": AFTER, "picture": PICTURE_ALONE, "neither": NEITHER}
        cells = _means(samples, {cell: _value(arm) for cell, arm in arms.items()})
        if not cells:
            return {}
        scores = ModalityScores(*(cells[cell] for cell in arms))  # Shapley values are linear in the scores
        shapley = {"of_text": scores.of_text, "of_picture": scores.of_picture}
        return cells | shapley | _mean_with_interval(samples, "synergy", _synergy_of_wholes)


@dataclass(frozen=True)
class Synergy:
    """The mean surplus of text and picture together over each alone; the metric has to be `mm-shap`."""

    name: ClassVar[str] = "synergy"

    def arms(self) -> Mapping[str, Perturbation]:
        return {}

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def cells(self, samples: Sequence[Sample]) -> Cells:
        return _mean_with_interval(samples, "synergy", _synergy)


def _synergy_of_wholes(sample: Sample) -> float:
    return ModalityScores.of(sample, lambda reading: reading.score).synergy


def _synergy(sample: Sample) -> float:
    reading = sample[BEFORE]
    if not isinstance(reading, ContributionReading):
        raise TypeError("the synergy of contributions is for the metric mm-shap")
    return reading.synergy


def _mean_with_interval(samples: Sequence[Sample], name: str, cell: _Cell) -> dict[str, float | int]:
    """Return the mean of a cell, with its bootstrap interval over images and the number of samples that have it."""
    whole = [sample for sample in samples if _rows([sample], [cell])]
    if not whole:
        return {}
    values = [cell(sample) for sample in whole]
    low, high = bootstrap_interval(values, [sample.case.image.key for sample in whole])
    return {name: fmean(values), f"{name}_low": low, f"{name}_high": high, "n": len(whole)}


def _contrast(samples: Sequence[Sample], *rows: str) -> Cells:
    """Return the means with nothing, the object and all removed, and what both removals cost.

    Args:
        samples: the samples.
        *rows: start of the names of each row's arms and cells.
    """
    columns = {arm: _share(arm) for row in rows for arm in (f"{row}none", f"{row}object", f"{row}all")}
    whole = [sample for sample in samples if _rows([sample], list(columns.values()))]
    cells = _means(whole, columns)
    for row in rows if whole else ():
        for removed in (f"{row}object", f"{row}all"):
            costs = [columns[f"{row}none"](sample) - columns[removed](sample) for sample in whole]
            low, high = bootstrap_interval(costs, [sample.case.image.key for sample in whole])
            cells |= {f"{removed}_costs": fmean(costs), f"{removed}_costs_low": low, f"{removed}_costs_high": high}
    return cells


class _Cell(Protocol):
    def __call__(self, sample: Sample) -> float: ...


def _value(arm: str) -> _Cell:
    return lambda sample: sample[arm].score


def _in_cell(cell: Cell) -> _Cell:
    return lambda sample: shares_by_cell(sample, AFTER)[cell]


def _score(arm: str, word: str) -> _Cell:
    return lambda sample: sample[arm].scores[word]


def _share(arm: str) -> _Cell:
    """Return the cell of the target's share among all words that an arm is asked about; of one word, its score."""

    def cell(sample: Sample) -> float:
        reading = sample[arm]
        others = [score for word, score in reading.scores.items() if word != reading.target]
        return RAW.share(reading.raw, others) if others else reading.raw

    return cell


def _means(samples: Sequence[Sample], columns: Mapping[str, _Cell]) -> dict[str, float | int]:
    rows = _rows(samples, list(columns.values()))
    if not rows:
        return {}
    means = (fmean(column) for column in zip(*rows, strict=True))
    return dict(zip(columns, means, strict=True)) | {"n": len(rows)}


def _rows(samples: Sequence[Sample], columns: Sequence[_Cell]) -> list[list[float]]:
    """Return a row for each sample that has all columns."""
    rows = []
    for sample in samples:
        try:
            rows.append([cell(sample) for cell in columns])
        except NotApplicable:
            continue
    return rows
