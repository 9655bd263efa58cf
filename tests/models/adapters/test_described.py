"""Descriptions of pictures: whatever changes the pixels changes the words, in every image processor."""

import json

import pytest
import torch
import transformers
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform

from vlcheck.models.adapters.described import _PROBE, network_setup, pixels_said, precision_of, steps_said

PROCESSORS = (
    "CLIPImageProcessor", "SiglipImageProcessor", "BlipImageProcessor", "ViTImageProcessor", "ViltImageProcessor",
    "Siglip2ImageProcessor", "Gemma3ImageProcessor", "Idefics3ImageProcessor",
    "LlavaNextImageProcessor", "MllamaImageProcessor", "PixtralImageProcessor", "Qwen2VLImageProcessor",
)  # fmt: skip
CHANGES = {
    "image_mean": [0.3, 0.2, 0.1],
    "image_std": [0.9, 0.8, 0.7],
    "rescale_factor": 0.01,
    "do_normalize": False,
    "do_rescale": False,
    "do_center_crop": True,
    "resample": 0,
}


def pixels(processor):
    return processor([_PROBE], return_tensors="pt")["pixel_values"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCESSORS)
def test_what_changes_the_pixels_changes_the_words(name, tmp_path):
    getattr(transformers, name)().save_pretrained(tmp_path)
    file = tmp_path / "preprocessor_config.json"
    said, kind = json.loads(file.read_text()), getattr(transformers, name)
    plain = kind.from_pretrained(tmp_path)
    for key, value in CHANGES.items():
        crop = {"crop_size": {"height": 24, "width": 24}} if key == "do_center_crop" else {}
        file.write_text(json.dumps({**said, key: value, **crop}))
        changed = kind.from_pretrained(tmp_path)
        first, second = pixels(plain), pixels(changed)
        same = first.shape == second.shape and torch.equal(first, second)
        worded = pixels_said(changed).replace(", its crop_size 24x24 has no effect", "")
        assert (worded == pixels_said(plain)) == same, (key, worded)


def test_a_crop_that_no_code_reads_is_said():
    said = pixels_said(transformers.ViltImageProcessor(do_center_crop=True, crop_size=24))
    assert "its crop_size 24x24 has no effect" in said
    assert "centre crop 24x24" in pixels_said(transformers.CLIPImageProcessor(crop_size=24))


def test_the_class_and_its_backend_are_said():
    assert pixels_said(transformers.CLIPImageProcessorPil()).endswith("CLIPImageProcessorPil (PIL)")


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ({}, "shorter side 248, bicubic, centre crop 224x224, mean 0.5, std 0.5"),
        ({"crop_pct": 1.0}, "shorter side 224"),
        ({"interpolation": "bilinear"}, "bilinear"),
        ({"mean": (0.1, 0.2, 0.3)}, "mean 0.1 0.2 0.3"),
        ({"crop_mode": "squash"}, "248x248, bicubic"),
        ({"input_size": (3, 96, 96)}, "centre crop 96x96"),
    ],
    ids=str,
)
def test_a_chain_of_transforms(setting, shown):
    published = {"input_size": (3, 224, 224), "crop_pct": 0.9, "mean": (0.5,) * 3, "std": (0.5,) * 3}
    settings = resolve_data_config({}, pretrained_cfg={**published, "interpolation": "bicubic", **setting})
    assert shown in steps_said(create_transform(**settings))


def test_a_network_says_its_precision_and_its_attention():
    mixed = torch.nn.Sequential(torch.nn.Linear(9, 9), torch.nn.LayerNorm(3, dtype=torch.bfloat16))
    assert precision_of(mixed) == "float32 and bfloat16"
    assert network_setup(mixed).attention == ""
    config = transformers.CLIPConfig(vision_config={"hidden_act": "gelu"}, attn_implementation="eager")
    mixed.config = config
    assert network_setup(mixed).attention == "eager"
    assert {*network_setup(mixed).activation.split(" and ")} == {"gelu", "quick_gelu"}
