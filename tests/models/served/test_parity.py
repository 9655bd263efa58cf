"""A served checkpoint against the same checkpoint in process: the same template and wordings, the same scores."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest

from tests.models.served.checkpoint import chatting
from tests.models.served.running import Running, running
from vlcheck import load_model
from vlcheck.models.served.pictures import SentPicture

TEXTS = ["a red bus on the street", "the dog", "a cat left of the dog", "two people"]
MASKED = "a [MASK] bus on the street"
WORDS = ("red", "left", "dog")
CLOSE = 1e-3
FEW = 6  # tokens that are listed; yes and no have 7 spellings

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


@pytest.fixture
def few(server: Running):
    server.faults(most_listed=FEW)
    yield load_model(server.spec)
    server.faults()


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


def test_spellings_that_the_server_does_not_list_are_all_that_differs(here, few, pictures):
    spelled = {here.chat.tokenizer.decode([number]): number for number in (*here.yes, *here.no)}
    moved = []
    for picture in pictures:
        listed = few.line.match(SentPicture(picture), TEXTS[0]).result()
        known = {spelled[token] for token, _ in listed.tokens if token in spelled}
        least = copy(here)
        least.yes, least.no = ([number for number in word if number in known] for word in (here.yes, here.no))
        own, whole = (model.answers(model.encode([picture]), TEXTS[:1]) for model in (least, here))
        its = few.answers(few.encode([picture]), TEXTS[:1])
        np.testing.assert_allclose([its.yes, its.no], [own.yes, own.no], atol=1e-5)
        missing = (len(spelled) - len(known)) * listed.most_unlisted
        assert 0 <= abs(its.share[0] - whole.share[0]) <= missing / (its.yes + its.no + missing)[0] + 1e-5
        moved.append(abs(its.share[0] - whole.share[0]))
    assert max(moved) > CLOSE  # else the list would not be too short
