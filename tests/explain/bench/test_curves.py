"""Deletion and insertion curves: on a score that is known, and on the embedded model."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vlcheck import load_model, open_cases
from vlcheck.explain.attribution.attribute import Attribution, attribute
from vlcheck.explain.attribution.image_map import ImageMap
from vlcheck.explain.attribution.random_map import Random
from vlcheck.explain.bench.curves import deletion_insertion, keep_tokens, keep_units, token_deletion_insertion
from vlcheck.models.differentiable import ImageLayout, PairInputs, differentiable

pytestmark = pytest.mark.slow  # networks are run many times


@pytest.fixture(scope="module")
def tiny():
    return differentiable(load_model("tiny"))


@pytest.fixture(scope="module")
def pairs():
    cases = open_cases("scenes:4").cases[:4]
    return [case.image.open() for case in cases], [case.caption for case in cases]


class Adds:
    """A score that is known: the log-odds of a match are the sum of the patches' mean values and of the token ids."""

    absent_token = 0

    def image_states(self, inputs):
        return inputs.pixels.mean(1)

    def text_states(self, inputs):
        return inputs.ids.double()

    def match_logits(self, inputs, image_states, text_states):
        logits = image_states.unfold(1, 2, 2).unfold(2, 2, 2).mean((-1, -2)).flatten(1).sum(1) + text_states.sum(1)
        return torch.stack([torch.zeros_like(logits), logits], 1)


def attributed(inputs, units, tokens=None):
    rows = zip(units, tokens if tokens is not None else [None] * len(units), inputs.layouts, inputs.tokens, strict=True)
    return [
        Attribution("by hand", ImageMap(np.array(values, float), layout), words, (False,) * len(words), token_values)
        for values, token_values, layout, words in rows
    ]


@pytest.fixture
def known(tiny, pairs):
    """One pair: four patches with the values 4, -1, 2, 1, and the tokens 3, 1, 2, of which the first is special."""
    inputs = tiny.inputs(pairs[0][:1], pairs[1][:1])
    patches = torch.tensor([[4.0, -1.0], [2.0, 1.0]]).double().repeat_interleave(2, 0).repeat_interleave(2, 1)
    ids = torch.tensor([[3, 1, 2]])
    return replace(
        inputs,
        pixels=patches.expand(1, 3, 4, 4),
        ids=ids,
        special=ids == 3,
        masks=ids < 0,
        tokens=(("[CLS]", "one", "two"),),
        layouts=(ImageLayout.of_grid(2, 2),),
    )


def sigmoid(values):
    return 1 / (1 + np.exp(-np.array(values)))


def test_patches_leave_and_enter_in_the_order_of_their_values(known):
    curves = deletion_insertion(Adds(), known, attributed(known, [[4, -1, 2, 1]]), steps=4)
    assert curves.deletion[0] == pytest.approx(sigmoid([12, 8, 6, 5, 6]), abs=1e-12)
    assert curves.insertion[0] == pytest.approx(sigmoid([6, 10, 12, 13, 12]), abs=1e-12)


def test_tokens_leave_and_enter_but_special_ones_stay(known):
    values = attributed(known, [[0] * 4], [np.array([9.0, 1.0, 5.0])])
    curves = token_deletion_insertion(Adds(), known, values, steps=2)
    assert curves.deletion[0] == pytest.approx(sigmoid([12, 10, 9]), abs=1e-12)
    assert curves.insertion[0] == pytest.approx(sigmoid([9, 11, 12]), abs=1e-12)


def test_steps_that_do_not_divide_the_parts_round_up(known):
    """At half of three steps two of four patches are gone: a part leaves as soon as its share begins."""
    curves = deletion_insertion(Adds(), known, attributed(known, [[4, -1, 2, 1]]), steps=3)
    assert curves.deletion[0] == pytest.approx(sigmoid([12, 6, 5, 6]), abs=1e-12)


def test_areas_are_those_of_trapezoids(known):
    curves = deletion_insertion(Adds(), known, attributed(known, [[4, -1, 2, 1]]), steps=2)
    first, middle, last = sigmoid([12, 6, 6])
    assert curves.deletion_areas[0] == pytest.approx((first + 2 * middle + last) / 4)


def test_the_ends_are_the_whole_pair_and_the_empty_picture(tiny, pairs):
    inputs = tiny.inputs(*pairs)
    curves = deletion_insertion(tiny, inputs, attribute(tiny, Random(), *pairs), steps=4, batch_size=7)
    blank = replace(inputs, pixels=torch.zeros_like(inputs.pixels))
    for whole, column in ((inputs, 0), (blank, -1)):
        with torch.no_grad():
            logits = tiny.match_logits(whole, tiny.image_states(whole), tiny.text_states(whole))
        assert curves.deletion[:, column] == pytest.approx(logits.softmax(-1)[:, 1].numpy(), abs=1e-6)
        assert curves.insertion[:, -1 - column] == pytest.approx(curves.deletion[:, column], abs=1e-6)


def test_the_target_is_worth_more_than_the_rest_of_a_scene(tiny):
    """An order that puts the patches of the target first is better than a random one, and its reverse is worse."""
    cases = open_cases("scenes:16").cases
    cases = [case for case in cases if case.region and "object" in case.tags][:8]
    images, texts = [case.image.open() for case in cases], [case.caption for case in cases]
    inputs = tiny.inputs(images, texts)
    truth = [
        np.array([max(_overlap(box, region, image.size) for region in case.region) for box in layout.boxes])
        for case, image, layout in zip(cases, images, inputs.layouts, strict=True)
    ]
    best = deletion_insertion(tiny, inputs, attributed(inputs, truth))
    worst = deletion_insertion(tiny, inputs, attributed(inputs, [-values for values in truth]))
    null = deletion_insertion(tiny, inputs, attribute(tiny, Random(), images, texts))
    assert best.insertion_areas.mean() > null.insertion_areas.mean() > worst.insertion_areas.mean()
    assert best.deletion_areas.mean() < null.deletion_areas.mean() < worst.deletion_areas.mean()


def _overlap(box, region, size):
    """Return how much of a unit's box a region in pixels covers, in fractions of the picture."""
    width = min((box.x + box.width) * size[0], region.x + region.width) - max(box.x * size[0], region.x)
    height = min((box.y + box.height) * size[1], region.y + region.height) - max(box.y * size[1], region.y)
    return max(width, 0) * max(height, 0)


def test_what_does_not_stay_is_the_mean_color_or_the_absent_token(tiny, pairs):
    inputs = tiny.inputs(*pairs)
    kept = torch.zeros(len(inputs), len(inputs.layouts[0].boxes), dtype=torch.bool)
    kept[:, 0] = True
    rows, columns = inputs.layouts[0].grid
    height, width = inputs.pixels.shape[2] // rows, inputs.pixels.shape[3] // columns
    shown = keep_units(inputs, kept).pixels
    assert torch.equal(shown[:, :, :height, :width], inputs.pixels[:, :, :height, :width])
    assert not shown[:, :, height:].any()
    assert not shown[:, :, :, width:].any()
    ids = keep_tokens(inputs, inputs.special, absent_token=tiny.absent_token).ids
    assert torch.equal(ids == inputs.ids, inputs.special | (inputs.ids == tiny.absent_token))


def test_regions_as_rows_become_0():
    ids = torch.ones(1, 2, dtype=torch.long)
    inputs = PairInputs(
        pixels=torch.ones(1, 3, 5),
        ids=ids,
        attention=ids,
        special=ids < 0,
        tokens=(("a", "b"),),
        layouts=(ImageLayout(()),),
        masks=ids < 0,
        pieces=((),),
    )
    shown = keep_units(inputs, torch.tensor([[True, False, True]])).pixels
    assert shown.sum(2).tolist() == [[5, 0, 5]]
