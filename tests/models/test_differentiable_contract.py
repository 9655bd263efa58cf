"""The contract of networks that are given for explanations, and networks that break one clause each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

import vlcheck
from tests.documents import FILES
from tests.models.families import FAMILIES, REPRESENTATIVE, spec_of, write_regions
from tests.models.test_contract import SAID
from vlcheck.cases import Box, ImageFile
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.metrics.probe import Probe
from vlcheck.models.contract import Outcome, probes_of
from vlcheck.models.differentiable import ImageLayout, PairInputs
from vlcheck.models.differentiable_contract import examine_network
from vlcheck.models.loading.pair import Pair

ITM, MLM = "explain: the network's itm is the model's", "explain: the network's mlm is the model's"
UNITS = "explain: its units cover the picture"
PIXELS, WORDS = (f"explain: a gradient arrives at the {where}" for where in ("pixels", "word embeddings"))


@pytest.fixture(scope="module")
def probes() -> list[Probe]:
    return probes_of(open_source("scenes").cases)[:3]


def broken(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.clause for outcome in outcomes if not outcome.kept]


def test_a_model_that_gives_no_network_is_not_asked(probes: list[Probe], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FILES["mine.py"])
    assert [*examine_network(vlcheck.load_model(f"{tmp_path}/mine.py:Mine"), probes)] == []


@pytest.mark.slow
def test_the_embedded_model_keeps_it(probes: list[Probe]) -> None:
    outcomes = [*examine_network(vlcheck.load_model("tiny"), probes)]
    assert [outcome.clause for outcome in outcomes] == [ITM, MLM, UNITS, PIXELS, WORDS]
    assert broken(outcomes) == []
    assert outcomes[2].found == "1.000 to 1.000 of a picture in 64 units"


@pytest.mark.slow
def test_each_network_of_a_pair_is_tried_on_its_own_metric(probes: list[Probe]) -> None:
    pair = Pair({metric: vlcheck.load_model(name) for metric, name in (("itm", "tiny"), ("mlm", "tiny-color"))})
    outcomes = [*examine_network(pair, probes)]
    assert [outcome.clause for outcome in outcomes] == [ITM, UNITS, PIXELS, WORDS, MLM, UNITS, PIXELS, WORDS]
    assert broken(outcomes) == []
    crossed = {"itm": pair.differentiable_for("mlm"), "mlm": pair.differentiable_for("itm")}
    pair.differentiable_for = crossed.__getitem__  # type: ignore[assignment, method-assign]
    assert broken([*examine_network(pair, probes)]) == [ITM, MLM]


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    """The names of the documentation's model with two encoders."""
    names: dict[str, Any] = {"__name__": "two_encoders"}
    exec(FILES["two_encoders.py"], names)  # noqa: S102 - our own page
    return names


@pytest.fixture
def outcomes_of(own: dict[str, Any], probes: list[Probe]) -> Callable[..., list[Outcome]]:
    def outcomes(**changes: Any) -> list[Outcome]:
        """Examine the documentation's model with some parts of its network exchanged."""
        changed = type("Changed", (own["Explained"],), changes)
        model = type("Model", (own["TwoEncoders"],), {"differentiable": lambda self: changed(self)})("cpu", "float32")
        return [*examine_network(model, probes)]

    return outcomes


def test_the_model_of_the_documentation_keeps_it(outcomes_of: Callable[..., list[Outcome]]) -> None:
    outcomes = outcomes_of()
    assert [outcome.clause for outcome in outcomes] == [ITM, UNITS, PIXELS, WORDS]
    assert broken(outcomes) == []


def with_layout(layout: ImageLayout) -> Callable[..., PairInputs]:
    def inputs(self: Any, images: Sequence[Image.Image], texts: Sequence[str], words: object = None) -> PairInputs:
        return replace(super(type(self), self).inputs(images, texts), layouts=(layout,) * len(images))

    return inputs


def with_a_token_more(
    self: Any, images: Sequence[Image.Image], texts: Sequence[str], words: object = None
) -> PairInputs:
    found: PairInputs = super(type(self), self).inputs(images, texts)
    return replace(found, tokens=tuple((*names, "more") for names in found.tokens))


def doubled(self: Any, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
    logits: Tensor = 2 * super(type(self), self).match_logits(inputs, image_states, text_states)
    return logits


def detached(part: str) -> Callable[..., Tensor]:
    def states(self: Any, inputs: PairInputs) -> Tensor:
        found: Tensor = getattr(super(type(self), self), part)(inputs).detach()
        return found

    return states


def refuses(self: Any, *_: object) -> Tensor:
    raise NotApplicable("its weights are quantized")


def one_logit(self: Any, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
    return image_states[:, 0]


def fails(self: Any, *_: object) -> Tensor:
    raise RuntimeError("out of cheese")


GRID = ImageLayout.of_grid(12, 12)
IN_PIXELS = ImageLayout.of_grid(12, 12, Box(0, 0, 128, 128))
IN_A_CORNER = ImageLayout.of_grid(12, 12, Box(0, 0, 0.4, 0.4))


@pytest.mark.parametrize(
    ("changes", "clauses"),
    [
        ({"match_logits": doubled}, [ITM]),
        ({"inputs": with_layout(IN_PIXELS)}, [UNITS]),
        ({"inputs": with_layout(IN_A_CORNER)}, [UNITS]),
        ({"inputs": with_layout(replace(GRID, boxes=GRID.boxes[:-1]))}, [UNITS]),
        ({"image_states": detached("image_states")}, [PIXELS]),
        ({"text_states": detached("text_states")}, [WORDS]),
        ({"match_logits": fails}, ["explain: it gives its network"]),
        ({"match_logits": refuses}, []),
    ],
)
def test_a_network_that_breaks_a_clause_is_told_which(
    changes: dict[str, Any], clauses: list[str], outcomes_of: Callable[..., list[Outcome]]
) -> None:
    assert broken(outcomes_of(**changes)) == clauses


def test_each_id_has_a_token(outcomes_of: Callable[..., list[Outcome]]) -> None:
    (only,) = outcomes_of(inputs=with_a_token_more)
    assert not only.kept
    said = re.search(r"inputs gave (\d+) tokens for (\d+) ids with attention", only.found)
    assert said
    assert int(said[1]) == int(said[2]) + 1


def test_logits_of_another_shape_are_told_by_their_method(outcomes_of: Callable[..., list[Outcome]]) -> None:
    *_, last = outcomes_of(match_logits=one_logit)
    assert re.search(r"match_logits gave a tensor of shape \((\d),\); it has to be \(\1, 2\)", last.found)


def test_a_network_that_refuses_says_why(outcomes_of: Callable[..., list[Outcome]]) -> None:
    first, *_ = outcomes_of(match_logits=refuses)
    assert (first.note, first.found) == (True, "it explains none: its weights are quantized")


def each_family_at_night() -> list[object]:
    """The representative families, and at night all others."""
    return [name if name in REPRESENTATIVE else pytest.param(name, marks=pytest.mark.nightly) for name in FAMILIES]


@pytest.mark.parametrize("family", each_family_at_night())
def test_every_family_keeps_it(family: str, tmp_path: Path) -> None:
    random, probes = np.random.default_rng(5), []
    for said, (count, size) in zip(SAID, {5: (60, 40), 9: (48, 64), 7: (64, 64)}.items(), strict=True):
        path = tmp_path / f"{count}.png"
        Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
        write_regions(tmp_path, ImageFile(path), count, random)
        probes.append(Probe(ImageFile(path).open(), *said))
    outcomes = [*examine_network(vlcheck.load_model(spec_of(family, tmp_path, tmp_path)), probes)]
    assert broken(outcomes) == []
    assert any(outcome.clause in (ITM, MLM) for outcome in outcomes) or family == "bert"  # it gives no network
