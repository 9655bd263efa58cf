"""open_clip's models: scores as by its own loading and its own forward, and folders that say what they need."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

pytest.importorskip("open_clip", reason="needs open_clip_torch (python -m pip install 'vlcheck[open_clip]')")

import open_clip

from tests.models.open_clip.checkpoints import CONFIGS, PIXELS, SIDE, built, open_clip_folder, weights_of
from vlcheck.cases import MASK
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.contract import examine, probes_of
from vlcheck.models.loading.load import load_model
from vlcheck.models.open_clip import published
from vlcheck.models.protocol import lacks
from vlcheck.models.setup import setup_of

TEXTS = ["a red ball", "a blue box", "the dog is on the left of the cat"]
WITHIN = {"float64": 1e-10, "float32": 5e-5}
AT_NIGHT = ("quick", "residual", "roberta", "coca_roberta", "timm", "eva", "mobileclip", "pe_core")
RANKING = ["clip", "coca", *(pytest.param(kind, marks=pytest.mark.nightly) for kind in AT_NIGHT)]
pytestmark = pytest.mark.slow  # each loads some networks with a vocabulary of full size


def pictures(count=3):
    drawn = np.random.default_rng(7)
    return [Image.fromarray(drawn.integers(0, 256, (40, 30 + 20 * n, 3), dtype=np.uint8)) for n in range(count)]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    made = {}

    def folder(kind):
        if kind not in made:
            made[kind] = open_clip_folder(tmp_path_factory.mktemp("open_clip") / kind, kind)
        return made[kind]

    return folder


def logits_by_hand(folder, dtype):
    """Logits of all pictures and texts, (pictures, texts), as a user of open_clip computes them."""
    network, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    network = network.eval().to(getattr(torch, dtype))
    ids = open_clip.get_tokenizer(f"local-dir:{folder}")(TEXTS)
    pixels = torch.stack([prepare(picture) for picture in pictures()]).to(getattr(torch, dtype))
    with torch.no_grad():
        found, text = network.encode_image(pixels, normalize=True), network.encode_text(ids, normalize=True)
        logits = network.logit_scale.exp() * found @ text.T
    return (logits if network.logit_bias is None else logits + network.logit_bias).double()


@pytest.mark.parametrize("dtype", WITHIN)
@pytest.mark.parametrize("kind", RANKING)
def test_shares_among_texts_equal_open_clips(folder_of, kind, dtype, monkeypatch):
    folder = folder_of(kind)
    monkeypatch.chdir(folder)  # where open_clip looks for the text network of `roberta`
    logits = logits_by_hand(folder, dtype)
    model = load_model(f"open_clip:{folder}", dtype=dtype)
    encoded = model.encode(pictures())
    found = model.itm(encoded, [TEXTS[0]] * 3, [TEXTS[1:]] * 3)
    assert np.abs(found - logits.softmax(1)[:, 0].numpy()).max() < WITHIN[dtype]
    assert np.ptp(found) > 1e-5


@pytest.mark.parametrize("dtype", WITHIN)
def test_probabilities_of_a_model_with_a_bias_equal_open_clips(folder_of, dtype):
    logits = logits_by_hand(folder_of("siglip"), dtype)
    model = load_model(f"open_clip:{folder_of('siglip')}", dtype=dtype)
    encoded = model.encode(pictures())
    found = np.stack([model.itm(encoded, [text] * 3) for text in TEXTS], axis=1)
    assert model.kinds == {"itm": "sigmoid"}
    assert np.abs(found - torch.sigmoid(logits).detach().numpy()).max() < WITHIN[dtype]
    assert np.ptp(found) > 1e-3


@pytest.mark.parametrize("dtype", WITHIN)
def test_words_are_compared_by_the_captions_of_coca(folder_of, dtype):
    network = open_clip.create_model(f"local-dir:{folder_of('coca')}").eval().to(getattr(torch, dtype))
    model = load_model(f"open_clip:{folder_of('coca')}", dtype=dtype)
    (found,) = model.mlm(model.encode(pictures(1)), [f"a {MASK} ball on the left"], [("red", "blue")])
    ids = open_clip.get_tokenizer("ViT-B-32")([f"a {word} ball on the left" for word in ("red", "blue")])[:, :24]
    with torch.no_grad():
        out = network(model.pixels(pictures(1)).expand(2, -1, -1, -1), ids)
    told = out["logits"].double().log_softmax(-1).gather(-1, out["labels"][..., None])[..., 0]
    ends = out["labels"] >= 49407  # the end of the text and what follows it are no part of the caption
    by_hand = told.where((out["labels"] != 0) & ~ends, 0).sum(1).softmax(0)
    assert np.abs(found - by_hand.numpy()).max() < WITHIN[dtype]
    assert abs(found[0] - 0.5) > 1e-3


def test_captions_with_a_text_network_of_transformers_are_not_read(folder_of, monkeypatch):
    monkeypatch.chdir(folder_of("coca_roberta"))
    model = load_model(f"open_clip:{folder_of('coca_roberta')}")
    assert model.metrics == {"itm"}
    said = f"{model.name} has no mlm: its captions are read with open_clip's own text network and tokenizer alone"
    assert lacks(model, "mlm").startswith(said)


def test_equal_texts_of_any_batch_have_equal_scores(folder_of):
    model = load_model(f"open_clip:{folder_of('clip')}")
    both, one = model.encode(pictures(2)), model.encode(pictures(1))
    apart = model.itm(one, [TEXTS[0]], [TEXTS[1:]])
    together = model.itm(both, [TEXTS[0]] * 2, [TEXTS[1:]] * 2)
    assert together[0] == pytest.approx(apart[0], abs=1e-6)


@pytest.mark.contract
@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["clip", "coca", "siglip", "timm"])
def test_the_contract_is_kept(folder_of, kind):
    from vlcheck.datasets.registry import open_source

    outcomes = list(examine(load_model(f"open_clip:{folder_of(kind)}"), probes_of(open_source("scenes").cases)))
    assert [outcome.clause for outcome in outcomes if not outcome.kept] == []


def test_architecture_and_file(tmp_path, monkeypatch):
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "Mini-8", CONFIGS["quick"])
    save_file(weights_of(built(CONFIGS["quick"])), tmp_path / "weights.safetensors")
    model = load_model(f"open_clip:Mini-8/{tmp_path}/weights.safetensors,mean=0.1/0.2/0.3,std=0.5,resize_mode=squash")
    setup = setup_of(model)
    assert setup.pictures == f"{SIDE}x{SIDE}, bicubic, mean 0.1 0.2 0.3, std 0.5"
    assert setup.activation == "quick_gelu"
    weights = load_file(tmp_path / "weights.safetensors")
    torch.save(
        {"epoch": 1, "name": "run", "state_dict": {f"module.{name}": one for name, one in weights.items()}},
        tmp_path / "epoch_1.pt",
    )
    own = load_model(f"open_clip:Mini-8/{tmp_path}/epoch_1.pt,mean=0.1/0.2/0.3,std=0.5,resize_mode=squash")
    assert own.fingerprint == model.fingerprint


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"mean": [0.1, 0.2, 0.3]}, "mean 0.1 0.2 0.3, std"),
        ({"std": 0.7}, "std 0.7"),
        ({"interpolation": "bicubic"}, "bicubic"),
        ({"resize_mode": "shortest"}, f"shorter side {SIDE}, bilinear, centre crop {SIDE}x{SIDE}"),
        ({"resize_mode": "longest"}, "keeping the aspect by the longer side"),
    ],
    ids=str,
)
@pytest.mark.nightly
def test_a_changed_setting_is_used_and_shown(tmp_path, folder_of, change, shown):
    first = load_model(f"open_clip:{folder_of('clip')}")
    other = load_model(f"open_clip:{open_clip_folder(tmp_path / 'changed', 'clip', {**PIXELS, **change})}")
    picture = pictures()[2:]
    assert not torch.equal(first.pixels(picture), other.pixels(picture))
    assert shown in setup_of(other).pictures
    assert shown not in setup_of(first).pictures
    assert first.fingerprint != other.fingerprint


def test_no_architecture_without_a_tag_has_another_gelu_than_its_published_weights(tmp_path):
    """The error names the other architecture if all published weights need the other GELU; no file is read."""
    wrong = set()
    for name in open_clip.list_models():
        tags = open_clip.list_pretrained_tags_by_model(name)
        own = bool(open_clip.get_model_config(name).get("quick_gelu"))
        needs = {bool(open_clip.get_pretrained_cfg(name, tag).get("quick_gelu")) for tag in tags}
        if not needs <= {own}:
            said = refused(f"open_clip:{name}/{tmp_path}/w.safetensors", "GELU")
            assert ("tag=TAG" in said) == (len(needs) > 1)
            wrong.add(name)
    assert {"ViT-B-32", "ViT-B-16", "RN50", "ViT-L-14-336", "ViT-H-14-378", "roberta-ViT-B-32"} <= wrong


@pytest.mark.parametrize("fill", [255, [10, 200, 30]], ids=str)
@pytest.mark.parametrize("mode", ["longest", "shortest"])
def test_padding_is_filled_as_open_clip_fills_it(tmp_path, mode, fill):
    folders = [
        open_clip_folder(tmp_path / name, "clip", {**PIXELS, "resize_mode": mode, **more})
        for name, more in (("black", {}), ("filled", {"fill_color": fill}))
    ]
    black, filled = (load_model(str(folder)) for folder in folders)
    _, prepare = open_clip.create_model_from_pretrained(f"local-dir:{folders[1]}")
    assert torch.equal(filled.pixels(pictures()), torch.stack([prepare(one) for one in pictures()]))
    padded = mode == "longest"
    assert torch.equal(filled.pixels(pictures()), black.pixels(pictures())) != padded
    assert (setup_of(filled) != setup_of(black)) == padded
    assert filled.fingerprint != black.fingerprint
    assert filled.unread == ()


@pytest.mark.parametrize("fill", [256, -1, 0.5, "red", [1, 2], True], ids=str)
def test_a_padding_that_is_no_colour(tmp_path, fill):
    refused(str(open_clip_folder(tmp_path / "m", "clip", {**PIXELS, "fill_color": fill})), "fill_color is")


def test_a_setting_that_open_clip_does_not_read_is_said(tmp_path):
    model = load_model(f"open_clip:{open_clip_folder(tmp_path / 'm', 'clip', {**PIXELS, 'gamma': 2})}")
    assert "its gamma is not read" in setup_of(model).pictures


def test_a_folder_is_recognised_without_its_family(folder_of):
    named, found = load_model(f"open_clip:{folder_of('clip')}"), load_model(str(folder_of("clip")))
    assert found.fingerprint == named.fingerprint


def test_a_repository_of_the_hub_at_a_revision(folder_of, monkeypatch):
    asked = []
    monkeypatch.setattr(published, "from_hub", lambda *said: asked.append(said[:2]) or folder_of("clip"))
    model = load_model("open_clip:some/model@v1")
    assert asked == [("some/model", "v1")]
    assert model.name == f"open_clip:some/model@{folder_of('clip').name}"  # the cache names a folder by its commit


def test_a_long_text_and_a_special_token_are_refused(folder_of):
    model = load_model(f"open_clip:{folder_of('clip')}")
    encoded = model.encode(pictures(1))
    with pytest.raises(NotApplicable, match="more than the 24 tokens"):
        model.itm(encoded, ["a dog and " * 20], [["a cat"]])
    with pytest.raises(NotApplicable, match="special token"):
        model.itm(encoded, ["a dog <END_OF_TEXT>"], [["a cat"]])


def refused(spec, match):
    with pytest.raises(UsageError, match=match) as error:
        load_model(spec)
    return str(error.value)


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("ViT-B-33/w.safetensors", "no architecture of open_clip .*'ViT-B-32'"),
        ("ViT-L-14/w.safetensors", "different preprocessing .* tag=TAG, one of openai"),
        ("ViT-B-32/w.safetensors,tag=opnai", "publishes no such weights .*openai"),
        (
            "ViT-B-32/w.safetensors,tag=openai",
            "tag=openai: these weights need the other GELU .* name ViT-B-32-quickgelu",
        ),
        ("ViT-B-32/w.safetensors", "different GELU .* tag=TAG, one of openai"),
        ("RN101/w.safetensors", "RN101: all weights .* need the other GELU .* name RN101-quickgelu"),
        ("ViT-B-32/w.safetensors,tag=laion2b_e16", "no such checkpoint"),
        ("convnext_base/w.safetensors", "no such checkpoint"),
        ("", "open_clip:FOLDER"),
    ],
)
def test_a_spec_that_names_nothing(tmp_path, monkeypatch, path, match):
    monkeypatch.chdir(tmp_path)
    refused(f"open_clip:{path}", match)


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda said: said.pop("model_cfg"), "model_cfg"),
        (lambda said: said["model_cfg"].pop("vision_cfg"), "lacks vision_cfg"),
        (lambda said: said["model_cfg"]["vision_cfg"].update(widht=3), "cannot build .*widht"),
        (
            lambda said: said["model_cfg"]["vision_cfg"].update(timm_model_name="test_vitt"),
            "no network of timm .*test_vit",
        ),
        (lambda said: said["model_cfg"]["vision_cfg"].update(timm_model_name="hf-hub:x/y"), "no network of timm"),
        (
            lambda said: said["model_cfg"]["text_cfg"].update(tokenizer_kwargs={"trust_remote_code": True}),
            "not accepted",
        ),
        (
            lambda said: said["model_cfg"]["text_cfg"].update(tokenizer_kwargs={"reduction_mask": "x"}),
            "'reduction_mask'",
        ),
        (lambda said: said["model_cfg"]["text_cfg"].update(layers=3), "lacks"),
        (lambda said: said["model_cfg"]["text_cfg"].update(vocab_size=10**9), "vocab_size.*at most"),
        (lambda said: said["preprocess_cfg"].update(resize_mode="stretch"), "accepted: shortest, longest, squash"),
        (lambda said: said["preprocess_cfg"].update(std=[0, 0, 0]), "above 0"),
        (lambda said: said["preprocess_cfg"].update(mean="white"), "a number, or three"),
    ],
)
def test_a_config_that_does_not_fit(tmp_path, folder_of, edit, match):
    said = json.loads((folder_of("clip") / "open_clip_config.json").read_text())
    edit(said)
    (tmp_path / "open_clip_config.json").write_text(json.dumps(said))
    (tmp_path / "open_clip_model.safetensors").symlink_to(folder_of("clip") / "open_clip_model.safetensors")
    said = refused(f"open_clip:{tmp_path}", match)
    assert re.search("open_clip_config.json|open_clip_model", said)


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda held: held.pop("logit_scale"), "lacks logit_scale"),
        (lambda held: held.update(extra=torch.zeros(2)), "unknown extra"),
        (lambda held: held.update({"text_projection": torch.zeros(2, 2)}), "text_projection has shape"),
    ],
)
def test_weights_that_do_not_fit(tmp_path, folder_of, edit, match):
    weights = load_file(folder_of("clip") / "open_clip_model.safetensors")
    edit(weights)
    (tmp_path / "open_clip_config.json").write_text((folder_of("clip") / "open_clip_config.json").read_text())
    save_file(weights, tmp_path / "open_clip_model.safetensors")
    refused(f"open_clip:{tmp_path}", match)


def test_two_files_of_weights_that_differ(tmp_path, folder_of):
    folder = open_clip_folder(tmp_path / "two", "clip")
    weights = load_file(folder / "open_clip_model.safetensors")
    torch.save(weights, folder / "open_clip_pytorch_model.bin")
    load_model(f"open_clip:{folder}")
    torch.save({**weights, "logit_scale": torch.tensor(1.0)}, folder / "open_clip_pytorch_model.bin")
    refused(f"open_clip:{folder}", "holds other weights than open_clip_model.safetensors")


def test_the_package_is_missing(monkeypatch):
    monkeypatch.setattr("vlcheck.models.open_clip.families.find_spec", lambda name: None)
    refused("open_clip:ViT-B-32/w.safetensors", re.escape("'vlcheck[open_clip]'").replace("'", '"'))
