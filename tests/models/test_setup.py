"""The setup of models of every kind: what a file says is used, and shown."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from benchmarks.albef_checkpoint import random_albef
from tests.models import chats, checkpoints
from tests.models.adapters.test_described import _PROBE
from tests.models.conftest import CAPTION, TINY
from tests.models.original.test_original_models import ORIGINALS, original_folder
from vlcheck._util.hashing import digest
from vlcheck.errors import UsageError
from vlcheck.models.adapters.described import _shortened, numbers_said
from vlcheck.models.loading.layout import find_checkpoint
from vlcheck.models.loading.load import as_model, load_model
from vlcheck.models.setup import Setup, setup_of, together

FILES = ("preprocessor_config.json", "processor_config.json")


def changed(folder, **settings):
    """Change settings of the pictures in the folder's files."""
    for path in (folder / name for name in FILES if (folder / name).is_file()):
        said = json.loads(path.read_text())
        held = said.get("image_processor", said)
        held |= {key: value for key, value in settings.items() if path.name == FILES[0] or "image_processor" in said}
        path.write_text(json.dumps(said))
    return folder


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"image_mean": [0.1, 0.2, 0.3]}, "mean 0.1 0.2 0.3"),
        ({"resample": 2}, "bilinear"),
        ({"do_normalize": False}, "not normalised"),
    ],
    ids=str,
)
def test_a_checkpoint_of_transformers(tmp_path, settings, shown):
    before = load_model(str(checkpoints.clip(tmp_path)))
    plain, pixels = setup_of(before), before.pixels([_PROBE])["pixel_values"]
    after = load_model(str(changed(tmp_path, **settings)))
    assert shown in setup_of(after).pictures
    assert shown not in plain.pictures
    assert not torch.equal(pixels, after.pixels([_PROBE])["pixel_values"])
    assert plain.texts.startswith("BertTokenizer, at most")
    assert (plain.precision, plain.attention, plain.activation) == ("float32", "sdpa", "quick_gelu")


def test_the_precision_is_that_of_the_weights(tmp_path):
    assert setup_of(load_model(str(checkpoints.clip(tmp_path)), dtype="bfloat16")).precision == "bfloat16"


@pytest.mark.slow
def test_a_model_that_writes(tmp_path):
    folder = chats.llava(tmp_path)
    plain = setup_of(load_model(str(folder)))
    after = setup_of(load_model(str(changed(folder, image_std=[0.9, 0.8, 0.7]))))
    assert "std 0.9 0.8 0.7" in after.pictures
    assert plain.pictures != after.pictures
    template = folder / "chat_template.jinja"
    assert f"chat template {digest(template.read_text())[:8]}" in plain.texts
    template.write_text(template.read_text().replace("USER", "HUMAN") + "{# another #}")
    assert setup_of(load_model(str(folder))).texts != plain.texts


def test_a_setting_in_a_file_that_is_passed_over_is_refused(tmp_path):
    folder = checkpoints.clip(tmp_path)
    said = json.loads((folder / FILES[0]).read_text())
    (folder / FILES[0]).write_text(json.dumps({**said, "do_normalize": False}))
    inner = {key: value for key, value in said.items() if key != "do_normalize"}
    (folder / FILES[1]).write_text(json.dumps({"image_processor": inner}))
    with pytest.raises(UsageError, match=r'"do_normalize" is False, .* reads processor_config'):
        load_model(str(folder))


@pytest.mark.parametrize("size", [32, 48])
def test_a_checkpoint_of_original_code(tmp_path, size):
    random_albef(tmp_path, replace(TINY, image_size=size), [CAPTION], seed=3)
    setup = setup_of(load_model(f"albef:{find_checkpoint(tmp_path)}"))
    mean, std = "0.4814547 0.4578275 0.4082107", "0.2686295 0.2613026 0.2757771"
    assert setup.pictures == f"{size}x{size}, bicubic, mean {mean}, std {std}"
    assert "at most 30 words" in setup.texts


@pytest.mark.parametrize(
    ("family", "size", "more", "texts"),
    [
        ("xvlm", "128x128", "", "captions in lower case without punctuation, at most 30 words, 40 tokens"),
        ("vilt-original", "shorter side 96", ", pad, size divisor 32", "BertTokenizer, at most 20 tokens"),
    ],
)
def test_families_of_original_code_say_what_their_references_read(tmp_path, family, size, more, texts):
    """tests/models/original/test_original_models.py compares their pixels with those of these sizes and moments."""
    setup = setup_of(load_model(f"{family}:{original_folder(family, tmp_path)}"))
    mean, std = (numbers_said(moment) for moment in ORIGINALS[family].moments)
    assert setup.pictures.startswith(f"{size}, bicubic, mean {mean}, std {std}{more}")
    assert setup.texts == texts


def test_a_model_that_reads_regions_says_which(tmp_path):
    regions = tmp_path / "regions"
    regions.mkdir()
    np.savez(regions / "a.npz", boxes=np.zeros((2, 4)), features=np.zeros((2, checkpoints.REGION)))
    setup = setup_of(load_model(f"vilbert:{checkpoints.vilbert(tmp_path)},regions={regions}"))
    assert setup.pictures == f"regions of RegionFiles, {checkpoints.REGION} features each"
    assert setup.texts == f"BertTokenizer, at most {checkpoints.POSITIONS} tokens"


@pytest.mark.parametrize(("crop", "shown"), [(1.0, "shorter side 32"), (0.5, "shorter side 64")])
def test_a_classifier_of_timm(tmp_path, crop, shown):
    network = timm.create_model("test_vit", num_classes=2, img_size=32)
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    published = {"input_size": [3, 32, 32], "crop_pct": crop, "mean": [0.1, 0.2, 0.3], "std": [0.5] * 3}
    said = {"architecture": "test_vit", "num_classes": 2, "label_names": ["cat", "dog"], "model_args": {"img_size": 32}}
    (tmp_path / "config.json").write_text(json.dumps({**said, "pretrained_cfg": published}))
    setup = setup_of(load_model(f"timm:{tmp_path}"))
    assert setup.pictures.startswith(f"{shown}, ")
    assert setup.pictures.endswith("centre crop 32x32, mean 0.1 0.2 0.3, std 0.5")
    assert setup.texts == "no text is read"


def test_wrappers_and_pairs_say_what_their_models_say():
    tiny = setup_of(load_model("tiny"))
    assert tiny.pictures.startswith("64x64, bicubic")
    assert setup_of(load_model("symmetrised:tiny")) == tiny
    assert setup_of(load_model("itm=tiny,mlm=tiny-mirror")) == tiny
    other = Setup(pictures="32x32", precision="float32")
    assert together({"itm": tiny, "mlm": other}).pictures == f"itm {tiny.pictures}, mlm 32x32"
    assert together({"itm": tiny, "mlm": other}).precision == "float32"


class Mine:
    """A model of a user."""

    name, fingerprint, mask, metrics = "mine", "f", "[MASK]", ("itm",)

    def encode(self, images):
        return images

    def itm(self, encoded, texts, foils=None):
        return [0.5] * len(texts)


def test_a_model_of_a_user_may_say_its_setup():
    said = Setup(pictures="any size")
    assert setup_of(as_model(Mine())) == Setup()
    assert setup_of(as_model(type("Saying", (Mine,), {"setup": returning(said)})())) == said


def returning(said):
    def setup(self) -> Setup:
        if isinstance(said, Exception):
            raise said
        return said

    return setup


def test_a_method_of_that_name_with_another_purpose_is_not_called():
    called = []
    assert setup_of(as_model(type("Other", (Mine,), {"setup": lambda self: called.append(1)})())) == Setup()
    assert setup_of(as_model(type("Other", (Mine,), {"setup": lambda self, stage: None})())) == Setup()
    assert called == []


@pytest.mark.parametrize(
    ("said", "match"),
    [
        (RuntimeError("no GPU"), "mine: its method setup fails. RuntimeError: no GPU"),
        (TypeError("inside"), "mine: its method setup fails. TypeError: inside"),
        ("224x224", "mine: its method setup has to return a Setup, not str"),
    ],
    ids=str,
)
def test_a_setup_that_fails_is_an_error_that_names_it(said, match):
    model = as_model(type("Failing", (Mine,), {"name": "mine", "setup": returning(said)})())
    with pytest.raises(UsageError, match=match):
        setup_of(model)


def test_settings_that_differ_late_have_other_words():
    assert numbers_said([0.48145466, 0.5, 0.5]) != numbers_said([0.4815, 0.5, 0.5])
    grids = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
    assert _shortened(grids) != _shortened([*grids[:3], [336, 1344]])
    assert _shortened(grids) == _shortened([*grids])


def test_a_setup_is_one_line():
    setup = Setup(precision="float32", server="http://localhost")
    assert setup.line() == "precision float32; server http://localhost"
    assert setup.said() == {"precision": "float32", "server": "http://localhost"}
    assert setup_of(SimpleNamespace(setup=3)) == Setup()


def test_device_and_precision_are_a_servers_if_no_part_of_a_model_runs_here():
    served, here = Setup(server="http://localhost:8000/v1"), Setup(precision="float32")
    assert served.is_served
    assert together({"itm": served, "mlm": served}).is_served
    assert not here.is_served
    assert not together({"itm": served, "mlm": here}).is_served
