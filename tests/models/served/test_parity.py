"""A served checkpoint against the same checkpoint in process: the same template and wordings, the same scores."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.served.checkpoint import chatting
from tests.models.served.running import Running, running
from vlcheck import load_model

TEXTS = ["a red bus on the street", "the dog", "a cat left of the dog", "two people"]
MASKED = "a [MASK] bus on the street"
WORDS = ("red", "left", "dog")
CLOSE = 1e-3

pytestmark = pytest.mark.slow  # a checkpoint is made, served and loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return chatting(tmp_path_factory.mktemp("chat"))


@pytest.fixture(scope="module")
def server(folder):
    with running(str(folder), warm=True) as server:
        yield server


@pytest.fixture(scope="module")
def here(folder):
    return load_model(str(folder))


@pytest.fixture(scope="module")
def there(server: Running):
    return load_model(server.spec)


def test_match_is_that_of_the_checkpoint_in_process(here, there, pictures):
    own, its = (model.answers(model.encode(pictures), TEXTS) for model in (here, there))

    assert there.kinds["itm"] == here.kinds["itm"]
    assert (its.yes + its.no).min() > 0.4
    np.testing.assert_allclose(its.share, own.share, atol=CLOSE)
    np.testing.assert_allclose([its.yes, its.no], [own.yes, own.no], atol=CLOSE)
    assert np.ptp(its.share) > 10 * CLOSE  # else equality would say little


def test_words_are_weighed_as_by_the_checkpoint_in_process(here, there, pictures):
    own, its = [], []
    for model, found in ((here, own), (there, its)):
        encoded = model.encode(pictures)
        found += [np.concatenate(model.mlm(encoded, [MASKED] * 4, [WORDS] * 4)), model.top(encoded, [MASKED] * 4, 5)]

    assert there.kinds["mlm"] == here.kinds["mlm"] == "candidates"
    np.testing.assert_allclose(its[0], own[0], atol=CLOSE)
    masses = [[mass for ((_, mass),) in found[1]] for found in (own, its)]
    np.testing.assert_allclose(*masses, rtol=CLOSE)
