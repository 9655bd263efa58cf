"""Symmetrised models of every family answer a query and its mirror image alike, to the last digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.models.families import READING_REGIONS, each_family, spec_of, write_regions
from vlcheck.cases import ImageFile
from vlcheck.errors import NotApplicable
from vlcheck.metrics.mlm import NamesWords
from vlcheck.metrics.registry import RELATIVE
from vlcheck.mitigate.sides import exchange_sides
from vlcheck.models.loading.load import load_model

MATCHES = ["a dog", "the cat is left of the dog", "his right hand"]
MASKED = ["a [MASK]", "the cat is [MASK] of the dog"]
WORDS = [("dog", "cat"), ("left", "right")]


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photograph") / "1.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize("family", each_family())
def test_a_symmetrised_model_of_every_family_is_symmetric(family: str, tmp_path: Path, photograph: Path) -> None:
    regions = tmp_path / "regions"
    regions.mkdir()
    write_regions(regions, ImageFile(photograph), 4, np.random.default_rng(4))
    spec = spec_of(family, tmp_path, regions)
    plain, model = load_model(spec), load_model(f"symmetrised:{spec}")
    image = ImageFile(photograph).open()
    if family in READING_REGIONS:
        with pytest.raises(NotApplicable, match="for unedited photographs only"):  # there are none of the mirror image
            model.itm(model.encode([image]), MATCHES[:1])
        return
    encoded, mirrored = model.encode([image]), model.encode([ImageOps.mirror(image)])
    assert (model.kinds, model.metrics) == (plain.kinds, plain.metrics)
    for text in MATCHES if "itm" in model.metrics else ():
        foils = [["a bus", "the dog"]] if model.kinds["itm"] in RELATIVE else None
        own = model.itm(encoded, [text], foils)
        assert own == model.itm(mirrored, [exchange_sides(text)], foils)
        assert own != plain.itm(plain.encode([image]), [text], foils)
    for text, words in zip(MASKED, WORDS, strict=True) if "mlm" in model.metrics else ():
        (found,) = model.mlm(encoded, [text], [words])
        (other,) = model.mlm(mirrored, [text], [tuple(map(exchange_sides, words))])
        np.testing.assert_array_equal(found, other)
    if isinstance(model, NamesWords) and model.kinds.get("mlm") == "masked-lm":
        (named,), (again,) = model.top(encoded, MASKED[:1], 5), model.top(mirrored, MASKED[:1], 5)
        assert [(exchange_sides(word), score) for word, score in named] == again
