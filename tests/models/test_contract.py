"""The protocol's contract, tried on every family, and on models that break one clause each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.documents import FILES
from tests.models import chats, checkpoints
from tests.models.families import FAMILIES, MASKED, REPRESENTATIVE, each_family, spec_of, write_regions
from tests.models.original.test_original_models import ORIGINALS
from tests.scoring.counting import CountingModel, Features
from tests.tiers import NIGHTLY
from vlcheck.cases import MASK, Case, ImageFile
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.registry import KINDS
from vlcheck.models.contract import PROBES, TOLERANCES, Outcome, _sums_to_one, examine, probes_of
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel

SAID = [
    (f"a red {MASK} on the street", ("bus", "dog", "cat")),
    (f"a {MASK}", ("dog", "ox", "zebra")),
    (f"the cat is {MASK} of the dog in the photo", ("left", "right")),
]


FEW = 8  # probes: the largest batch is then all of them
CLAUSES = dict.fromkeys(KINDS, 11) | {"contrastive": 12, "ranking": 12, "candidates": 12, "masked-region": 10}


@pytest.fixture(scope="module")
def photographs(coco_root: Path) -> list[ImageFile]:
    return [ImageFile(path) for path in sorted(coco_root.glob("*/*.jpg"))[:PROBES]]


@pytest.fixture(scope="module")
def probes(photographs: list[ImageFile]) -> list[Probe]:
    """Real photographs of many shapes, with texts of different lengths and words of one and of several pieces."""
    return [Probe(image.open(), *said) for image, said in zip(photographs, islice(cycle(SAID), PROBES), strict=True)]


@pytest.fixture(scope="module")
def regions(photographs: list[ImageFile], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, random = tmp_path_factory.mktemp("regions"), np.random.default_rng(4)
    for number, image in enumerate(photographs):
        write_regions(folder, image, 3 + number % 5, random)
    return folder


@pytest.fixture
def load(tmp_path: Path, regions: Path) -> Callable[..., VisionLanguageModel]:
    return lambda family, dtype="float32": load_model(spec_of(family, tmp_path, regions), dtype=dtype)


def broken(outcomes: Sequence[Outcome]) -> list[str]:
    return [f"{outcome.clause}: {outcome.found}" for outcome in outcomes if not outcome.kept]


@pytest.mark.parametrize("family", each_family())
def test_every_family_keeps_the_contract(
    family: str, probes: list[Probe], load: Callable[..., VisionLanguageModel]
) -> None:
    model = load(family)
    outcomes = list(examine(model, probes if NIGHTLY or family in REPRESENTATIVE else probes[:FEW]))
    assert len(outcomes) == sum(CLAUSES[model.kinds[metric]] for metric in model.metrics) > 0
    assert broken(outcomes) == []


@pytest.mark.parametrize("dtype", ["bfloat16", pytest.param("float16", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("family", each_family())
def test_every_family_keeps_the_contract_in_half_precision(
    family: str, dtype: str, probes: list[Probe], load: Callable[..., VisionLanguageModel]
) -> None:
    assert broken(list(examine(load(family, dtype), probes[:FEW], tolerance=TOLERANCES[dtype]))) == []


def test_every_family_that_a_checkpoint_is_made_of_is_tried() -> None:
    made = {name for module in (checkpoints, chats) for name, value in vars(module).items() if _makes_one(value)}
    assert made | set(ORIGINALS) == {*FAMILIES, *MASKED}


def _makes_one(value: object) -> bool:
    hints, name = getattr(value, "__annotations__", {}), getattr(value, "__name__", "_")
    return next(iter(hints), "") == "folder" and name != "save" and not name.startswith("_")


class OutOfRange(CountingModel):
    def itm(self, encoded: Features, texts: Sequence[str], foils: object = None) -> np.ndarray:
        return super().itm(encoded, texts) * 2


class Forgetful(CountingModel):
    asked_so_far = 0

    def itm(self, encoded: Features, texts: Sequence[str], foils: object = None) -> np.ndarray:
        self.asked_so_far += 1
        return super().itm(encoded, texts) / self.asked_so_far


class Leaky(CountingModel):
    """What is asked beside a text moves its score, as padding does that is not masked."""

    def mlm(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return [own * 0.9 ** len(max(texts, key=len)) for own in super().mlm(encoded, texts, words)]


class ByPlace(CountingModel):
    """Scores the first word above the others."""

    def mlm(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return [own / np.arange(1, len(own) + 1) for own in super().mlm(encoded, texts, words)]


class Padded(Leaky):
    """As right as any, but beside a text that is longer than all that the suite asks."""

    def mlm(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        answering = super() if len(max(texts, key=len)) > 100 else super(Leaky, self)
        return answering.mlm(encoded, texts, words)


class Cosines(CountingModel):
    """Ranks texts by a cosine that it takes for a probability: (1 + cos) / 2, whatever the foils are."""

    kinds: Mapping[str, str] = {"mlm": "candidates", "itm": "contrastive"}

    def itm(self, encoded: Features, texts: Sequence[str], foils: object = None) -> np.ndarray:
        return super().itm(encoded, texts)


class Shares(Cosines):
    """What a cosine comes to among others."""

    def itm(self, encoded: Features, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        assert foils
        own = super().itm(encoded, texts)
        rows = [row for row, others in enumerate(foils) for _ in others]
        others = super().itm(encoded[rows], [one for others in foils for one in others])
        return own / (own + np.bincount(rows, others, len(texts)))

    def mlm(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return [own / own.sum() for own in super().mlm(encoded, texts, words)]


class SmallLetters(CountingModel):
    """Says that it was trained on lower-case text, and reads capitals as other letters."""

    cased = False


class Hidden(CountingModel):
    """Sees what a transparent picture hides."""

    def encode(self, images: Sequence[Image.Image]) -> Features:
        return super().encode([image.convert("RGB") for image in images])


class Blind(CountingModel):
    def encode(self, images: Sequence[Image.Image]) -> Features:
        return Features(["black"] * len(images))


class Raises(CountingModel):
    def encode(self, images: Sequence[Image.Image]) -> Features:
        raise MemoryError("out of cheese")


class Listing(CountingModel):
    def encode(self, images: Sequence[Image.Image]) -> list[Image.Image]:  # type: ignore[override]
        return [*images]


class Leaves(CountingModel):
    def encode(self, images: Sequence[Image.Image]) -> Features:
        raise SystemExit(0)


@pytest.mark.parametrize(
    ("kind", "clauses"),
    [
        (CountingModel, []),
        (OutOfRange, ["itm: each score is a probability"]),
        (Leaky, ["mlm: the same in batches of 1", "mlm: the same beside a longer text"]),
        (Padded, ["mlm: the same beside a longer text"]),
        (Cosines, ["itm: the shares of a text and its foils sum to 1", "mlm: the shares of the words sum to 1"]),
        (Shares, []),
        (SmallLetters, ["itm: the same in capitals", "mlm: the same in capitals"]),
        (Hidden, ["itm: a transparent picture stands on white", "mlm: a transparent picture stands on white"]),
        (ByPlace, ["mlm: the same with the words in another order"]),
        (Blind, ["itm: other pictures, other scores", "mlm: other pictures, other scores"]),
        (Raises, ["itm: it answers: MemoryError: out of cheese", "mlm: it answers: MemoryError: out of cheese"]),
        (Listing, [f"{metric}: it answers: UsageError: encode returned a list" for metric in ("itm", "mlm")]),
        (Leaves, ["itm: it answers: SystemExit: 0", "mlm: it answers: SystemExit: 0"]),
    ],
)
def test_a_model_that_breaks_a_clause_is_told_which(
    kind: Callable[[Path], CountingModel], clauses: list[str], probes: list[Probe], tmp_path: Path
) -> None:
    found = broken(list(examine(kind(tmp_path / "journal"), probes)))
    assert len(found) == len(clauses), found
    assert all(line.startswith(clause) for line, clause in zip(found, clauses, strict=True))


def test_capitals_that_count_are_noted_of_a_model_that_may_have_been_trained_on_them(
    probes: list[Probe], tmp_path: Path
) -> None:
    outcomes = {outcome.clause: outcome for outcome in examine(CountingModel(tmp_path / "journal"), probes)}
    noted = outcomes["itm: in capitals"]
    assert (noted.kept, noted.note) == (True, True)
    assert "has to lower its texts" in noted.found
    assert [outcome.clause for outcome in outcomes.values() if outcome.note] == ["itm: in capitals", "mlm: in capitals"]


class Opaque(CountingModel):
    def encode(self, images: Sequence[Image.Image]) -> Features:
        if any(image.mode != "RGB" for image in images):
            raise ValueError("three channels are wanted")
        return super().encode(images)


class Brief(CountingModel):
    def mlm(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        if len(max(texts, key=len)) > 50:
            raise NotApplicable("too long")
        return super().mlm(encoded, texts, words)


@pytest.mark.parametrize(
    ("kind", "clause"),
    [(Opaque, "itm: a transparent picture stands on white"), (Brief, "mlm: the same beside a longer text")],
)
def test_what_a_model_refuses_is_no_breach(
    kind: Callable[[Path], CountingModel], clause: str, probes: list[Probe], tmp_path: Path
) -> None:
    outcomes = {outcome.clause: outcome for outcome in examine(kind(tmp_path / "journal"), probes)}
    assert broken([*outcomes.values()]) == []
    assert outcomes[clause].note
    assert outcomes[clause].found.startswith("it refuses")


def test_a_model_that_says_something_else_each_time_is_told_so(probes: list[Probe], tmp_path: Path) -> None:
    found = broken(list(examine(Forgetful(tmp_path / "journal"), probes)))
    assert found[0].startswith("itm: the same asked again: differs by")


def test_what_a_sum_is_short_of_is_not_rounded_away() -> None:
    outcome = _sums_to_one("mlm", "the words", [np.array([0.5, 0.4996])], 1e-5)
    assert (outcome.kept, outcome.found) == (False, "0.9996 to 0.9996")


def test_probes_of_photographs_are_of_different_ones(coco_root: Path) -> None:
    probes = probes_of(open_source(f"coco:{coco_root}").cases)
    assert len(probes) == PROBES
    assert len({probe.image.tobytes() for probe in probes}) == PROBES


@pytest.mark.parametrize("name", ["mine.py:Mine", "contrastive.py:Contrastive"])
def test_a_model_that_the_tutorial_has_keeps_the_contract(name: str, tmp_path: Path) -> None:
    file, _, _ = name.partition(":")
    (tmp_path / file).write_text(FILES[file])
    outcomes = list(examine(load_model(f"{tmp_path / name}"), probes_of(open_source("scenes").cases)))
    assert outcomes
    assert broken(outcomes) == []


def test_probes_of_large_photographs_are_shrunk_since_all_are_in_memory_at_once(tmp_path: Path) -> None:
    Image.new("RGB", (3000, 1500)).save(tmp_path / "one.png")
    case = Case(id="one", image=ImageFile(tmp_path / "one.png"), caption="a dog", target="dog", candidates=("cat",))
    assert [probe.image.size for probe in probes_of([case])] == [(2048, 1024)]


def test_probes_of_drawn_scenes_have_three_shapes_and_words_beside_the_true_one() -> None:
    probes = probes_of(open_source("scenes:40").cases)
    assert len(probes) == PROBES
    assert len({probe.image.size for probe in probes}) == 3
    assert all(len(set(probe.words)) > 1 for probe in probes)
    assert all(probe.texts[0].count(probe.words[0]) for probe in probes)
