"""Which patches ViLT's network reads, and that a score is a matter of its own image and text alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import pad

from tests.conftest import ROOT
from vlcheck.errors import UsageError
from vlcheck.models.adapters.vilt import at_even_steps
from vlcheck.models.original.vilt.network import ViltNetwork, valid_patches
from vlcheck.models.original.vilt.weights import vilt_from_original

REFERENCE = ROOT / "tests" / "data" / "vilt"
INPUTS = {name: torch.tensor(array) for name, array in np.load(REFERENCE / "inputs.npz").items()}
ONE_TEXT = {"ids": INPUTS["ids"][:1], "mask": INPUTS["mask"][:1]}


@pytest.fixture(scope="module")
def network() -> ViltNetwork:
    return vilt_from_original(REFERENCE).double()


@pytest.fixture
def no_corner() -> Tensor:
    """One image of 3 x 5 patches, the first of which is set to zero: it counts as one of 2 x 4."""
    image = INPUTS["image_single"].clone()
    image[:, :, :32, :32] = 0
    return image


def as_transformers_reads(network: ViltNetwork, image: Tensor) -> Tensor:
    """Pooled features of one image by way of transformers' own choice of patches, which draws by lot."""
    pixel_mask = (image.sum(1) != 0).long()
    pooled: Tensor = network.vilt(
        input_ids=ONE_TEXT["ids"], attention_mask=ONE_TEXT["mask"], pixel_values=image, pixel_mask=pixel_mask
    ).pooler_output
    return pooled


def assert_same(computed: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(computed, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("head", ["itm_logits", "mlm_logits"])
@pytest.mark.parametrize("item", [0, 1])
def test_a_score_is_the_same_alone_and_in_a_batch(item: int, head: str, network: ViltNetwork) -> None:
    (height, width), tokens = INPUTS["sizes"][item], INPUTS["mask"][item].sum()
    alone = {
        "image": INPUTS["image"][item : item + 1, :, :height, :width],
        "ids": INPUTS["ids"][item : item + 1, :tokens],
        "mask": INPUTS["mask"][item : item + 1, :tokens],
    }
    score = getattr(network, head)
    together = score(**INPUTS)[:, :tokens]
    assert_same(together[item : item + 1], score(**alone))
    assert (together[0] - together[1]).abs().max() > 0.1


@pytest.mark.parametrize("padding", [(0, 64, 0, 96), (0, 7, 0, 0)])
def test_padding_counts_for_nothing(padding: tuple[int, ...], network: ViltNetwork) -> None:
    padded = pad(INPUTS["image_single"], padding)
    assert_same(
        network.itm_logits(image=padded, **ONE_TEXT), network.itm_logits(image=INPUTS["image_single"], **ONE_TEXT)
    )


def test_a_batch_has_as_many_tokens_as_its_fullest_image(network: ViltNetwork) -> None:
    high_and_wide = torch.zeros(2, 3, 160, 160)
    high_and_wide[0, :, :, :64] = 0.5
    high_and_wide[1, :, :64, :96] = 0.5
    tokens = network.image_tokens(high_and_wide)
    assert tokens.embeds.shape == (2, 1 + 5 * 2, 48)
    assert tokens.mask.tolist() == [[1] * 11, [1] * 7 + [0] * 4]


@pytest.mark.parametrize("size", [(96, 160), (64, 96), (96, 96), (70, 131), (32, 32)])
def test_whole_images_are_read_as_transformers_reads_them(size: tuple[int, int], network: ViltNetwork) -> None:
    image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert_same(network(image, **ONE_TEXT).pooler_output, as_transformers_reads(network, image))


def test_what_is_kept_of_an_image_without_its_corner_is_one_of_the_draws(
    no_corner: Tensor, network: ViltNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_other = torch.tensor([1, 3, 5, 6, 8, 10, 12, 13])  # 8 of 14 by rank, as at_even_steps takes them
    monkeypatch.setattr(torch, "multinomial", lambda weights, number: every_other[:number])
    assert network.image_tokens(no_corner).mask.tolist() == [[1] * 9]
    assert_same(network(no_corner, **ONE_TEXT).pooler_output, as_transformers_reads(network, no_corner))


def test_an_image_without_its_corner_scores_the_same_every_time_and_in_any_batch(
    no_corner: Tensor, network: ViltNetwork
) -> None:
    torch.manual_seed(0)
    before, alone = torch.get_rng_state(), network.itm_logits(image=no_corner, **ONE_TEXT)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    both = torch.cat([INPUTS["image_single"], no_corner])
    twice = {name: tensor.expand(2, -1) for name, tensor in ONE_TEXT.items()}
    together = network.itm_logits(image=both, **twice)
    assert_same(together[1:], alone)
    assert (together[0] - together[1]).abs().max() > 1e-3


@pytest.mark.parametrize("part", [np.s_[:, :, :32], np.s_[..., :32], np.s_[:]], ids=["row", "column", "all"])
def test_an_image_without_its_first_row_or_column_has_no_size(part: tuple[slice, ...], network: ViltNetwork) -> None:
    image = INPUTS["image_single"].clone()
    image[part] = 0
    both = torch.cat([INPUTS["image_single"], image])
    with pytest.raises(UsageError, match=r"size of images \[1\]: their first row or column is all padding"):
        network.image_tokens(both)


def test_no_color_of_a_photograph_is_padding() -> None:
    levels = torch.arange(256)
    red, green = (channel.flatten() for channel in torch.meshgrid(levels, levels, indexing="ij"))
    blues = [(total - red - green) for total in (382, 383)]  # the sums next to 0 once they are scaled
    colors = torch.stack([torch.stack([red, green, blue.clamp(0, 255)]) for blue in blues])
    pixels = (colors / 255 - 0.5) / 0.5
    assert valid_patches(pixels[..., None], (65536, 1)).all()


def test_half_precision_reads_the_same_patches(network: ViltNetwork) -> None:
    half = vilt_from_original(REFERENCE).bfloat16().image_tokens(INPUTS["image"])
    whole = network.image_tokens(INPUTS["image"])
    assert half.embeds.dtype is torch.bfloat16
    assert torch.equal(half.mask, whole.mask)
    torch.testing.assert_close(half.embeds.double(), whole.embeds, rtol=0.02, atol=0.2)


def test_a_patch_stands_or_falls_with_the_pixel_at_its_upper_left() -> None:
    pixels = torch.ones(1, 3, 64, 96)
    pixels[..., 0, 32] = 0
    pixels[..., 33:, 1:32] = 0
    pixels[..., 32, 64] = torch.tensor([0.5, -0.25, -0.25])
    assert valid_patches(pixels, (2, 3)).tolist() == [[[True, False, True], [True, True, False]]]


@pytest.mark.parametrize(
    ("valid", "most", "kept"),
    [
        ("11011", 4, "11011"),
        ("11011", 9, "11011"),
        ("11011", 2, "01001"),
        ("11011", 3, "01011"),
        ("00100", 1, "00100"),
        ("11111", 1, "00001"),
    ],
)
def test_steps_are_even(valid: str, most: int, kept: str) -> None:
    marks = torch.tensor([[mark == "1" for mark in valid]])
    assert at_even_steps(marks, torch.tensor([most])).tolist() == [[mark == "1" for mark in kept]]


def test_every_image_has_its_own_most() -> None:
    marks = torch.tensor([[True, True, True, False], [True, True, True, True]])
    assert at_even_steps(marks, torch.tensor([3, 1])).sum(1).tolist() == [3, 1]
