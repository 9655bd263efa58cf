"""The cures in the pipelines that users have: torch's data sets and loaders, and `datasets`."""

import io

import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler
from torchvision.transforms import v2

from vlcheck.mitigate.training import (
    ColorBalance,
    ShiftedCrop,
    SideAwareFlip,
    is_loaded,
    joins_exchangeable,
    names_only,
    order_foils,
)

CAPTIONS = ["a red cup to the left of a blue box", "a red cup", "a blue cup", "a red cup and a blue box"]


def picture(at):
    """A picture whose left half is white, or a black one for every fifth pair."""
    image = Image.new("RGB", (16, 16))
    if at % 5:
        image.paste((255, 255, 255), (0, 0, 8, 16))
    return image


class Pairs(Dataset):
    def __init__(self, transform):
        pairs = [(picture(at), CAPTIONS[at % 4]) for at in range(40)]
        self.pairs = [(image, caption) for image, caption in pairs if is_loaded(image)]
        self.transform = transform

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, at):
        return self.transform(*self.pairs[at])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_of_torch_gets_true_pairs(workers):
    torch.manual_seed(0)
    data = Pairs(v2.Compose([SideAwareFlip(), ShiftedCrop(), v2.PILToTensor()]))
    balance = ColorBalance.of([caption for _, caption in data.pairs])
    weights = [balance.weight(caption) for _, caption in data.pairs]
    loader = DataLoader(data, batch_size=8, sampler=WeightedRandomSampler(weights, 64), num_workers=workers)
    seen = [(image, caption) for images, captions in loader for image, caption in zip(images, captions, strict=True)]
    assert len(data) == 32
    assert len(seen) == 64
    for image, caption in seen:
        assert image.shape == (3, 16, 16)
        if "left" in caption or "right" in caption:  # such a caption names the side that is white
            assert int(image[0, 8, 0]) == (255 if "left" in caption else 0)
            assert int(image[0, 8, 15]) == (0 if "left" in caption else 255)
    assert {"a red cup to the left of a blue box", "a red cup to the right of a blue box"} <= {one for _, one in seen}


def as_bytes(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_data_set_of_the_hub_is_filtered_mapped_and_transformed():
    datasets = pytest.importorskip("datasets", reason="needs the package datasets")
    rows = [as_bytes(picture(at)) for at in range(20)]
    rows[3] = rows[3][:30]  # cut off
    table = {"image": [{"bytes": row, "path": None} for row in rows], "caption": [CAPTIONS[at % 4] for at in range(20)]}
    undecoded = datasets.Features({"image": datasets.Image(decode=False), "caption": datasets.Value("string")})
    data = datasets.Dataset.from_dict(table, features=undecoded)
    data = data.filter(lambda row: is_loaded(row["image"]))
    data = data.filter(lambda row: names_only(row["caption"], {"cup", "box"}, {"cup", "box", "dog"}))
    data = data.filter(lambda row: not joins_exchangeable(row["caption"]))
    data = data.map(lambda row: {"foils": list(order_foils(row["caption"]))})
    data = data.cast_column("image", datasets.Image())
    assert len(data) == 12
    assert data[0]["foils"] == []
    assert {len(foils) for foils in data["foils"]} == {0, 2}

    def flipped(rows):
        pairs = [SideAwareFlip(p=1.0)(*pair) for pair in zip(rows["image"], rows["caption"], strict=True)]
        return {"image": [image for image, _ in pairs], "caption": [caption for _, caption in pairs]}

    data.set_transform(flipped, columns=["image", "caption"])
    sided = [row for row in (data[at] for at in range(len(data))) if "right" in row["caption"]]
    assert len(sided) == 4
    assert all(row["image"].getpixel((15, 8)) == (255, 255, 255) for row in sided)
