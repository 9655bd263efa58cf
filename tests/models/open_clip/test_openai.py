"""OpenAI's original files: read without running their code, scores are open_clip's and transformers'."""

import pickle
import warnings
import zipfile

import numpy as np
import pytest
import torch

pytest.importorskip("open_clip", reason="needs open_clip_torch (python -m pip install 'vlcheck[open_clip]')")

from open_clip.model import build_model_from_openai_state_dict
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

from tests.models.open_clip.checkpoints import SIDE, TOKENS, WIDTH, openai_archive
from tests.models.open_clip.test_open_clip import TEXTS, pictures, refused
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.torchscript import is_torchscript, read_torchscript
from vlcheck.models.setup import setup_of

pytestmark = pytest.mark.slow  # each loads some networks with a vocabulary of full size


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return openai_archive(tmp_path_factory.mktemp("openai") / "ViT-B-32.pt")


@pytest.fixture(scope="module")
def weights(archive):
    """The state dict, by TorchScript itself."""
    return {name: weight.contiguous().clone() for name, weight in by_torch(archive).items() if is_weight(name)}


def by_torch(archive):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return torch.jit.load(archive).state_dict()


def is_weight(name):
    return not name.endswith(("attn_mask", "input_resolution", "context_length", "vocab_size"))


def shares(logits):
    return logits.softmax(1)[:, 0].numpy()


def asked(model):
    return model.itm(model.encode(pictures()), [TEXTS[0]] * 3, [TEXTS[1:]] * 3)


def test_an_archive_is_read_as_torchscript_reads_it(archive):
    held, expected = read_torchscript(archive), by_torch(archive)
    assert held.keys() == expected.keys()
    assert all(torch.equal(held[name], weight) for name, weight in expected.items())
    assert is_torchscript(archive)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_scores_equal_open_clips(archive, weights, dtype):
    network = build_model_from_openai_state_dict(dict(weights), cast_dtype=None).to(getattr(torch, dtype))
    model = load_model(f"clip:{archive}", dtype=dtype)
    with torch.no_grad():
        logits, _ = network.get_logits(model.pixels(pictures()), SimpleTokenizer(context_length=TOKENS)(TEXTS))
    assert np.abs(asked(model) - shares(logits.double())).max() < {"float64": 1e-10, "float32": 5e-5}[dtype]


def test_scores_equal_those_of_the_converted_network_of_transformers(archive, weights):
    network = converted({name: weight.double() for name, weight in weights.items()})
    model = load_model(f"clip:{archive}", dtype="float64")
    with torch.no_grad():
        out = network(input_ids=SimpleTokenizer(context_length=TOKENS)(TEXTS), pixel_values=model.pixels(pictures()))
    assert np.abs(asked(model) - shares(out.logits_per_image)).max() < 1e-10


def converted(held):
    """A CLIPModel with OpenAI's weights under the names of transformers."""
    part = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 1, "intermediate_size": 4 * WIDTH}
    config = CLIPConfig(
        text_config={**part, "vocab_size": 49408, "max_position_embeddings": TOKENS, "eos_token_id": 49407},
        vision_config={**part, "image_size": SIDE, "patch_size": 8},
        projection_dim=32,
        hidden_act="quick_gelu",
    )
    network, renamed = CLIPModel(config).double().eval(), {}
    embeddings = "vision_model.embeddings"
    for name, weight in held.items():
        match name:
            case "logit_scale":
                renamed[name] = weight
            case "text_projection":
                renamed["text_projection.weight"] = weight.T
            case "visual.proj":
                renamed["visual_projection.weight"] = weight.T
            case "visual.class_embedding":
                renamed[f"{embeddings}.class_embedding"] = weight
            case "visual.conv1.weight":
                renamed[f"{embeddings}.patch_embedding.weight"] = weight
            case "visual.positional_embedding":
                renamed[f"{embeddings}.position_embedding.weight"] = weight
            case "positional_embedding":
                renamed["text_model.embeddings.position_embedding.weight"] = weight
            case "token_embedding.weight":
                renamed["text_model.embeddings.token_embedding.weight"] = weight
            case _:
                renamed |= block(name, weight)
    network.load_state_dict(renamed, strict=False)
    assert renamed.keys() == {name for name in network.state_dict() if not name.endswith("position_ids")}
    return network


def block(name, weight):
    """A weight of a block or of a norm under its names in transformers."""
    for own, other in (
        ("visual.transformer.resblocks.", "vision_model.encoder.layers."),
        ("transformer.resblocks.", "text_model.encoder.layers."),
        ("visual.ln_pre", "vision_model.pre_layrnorm"),
        ("visual.ln_post", "vision_model.post_layernorm"),
        ("ln_final", "text_model.final_layer_norm"),
        (".ln_1.", ".layer_norm1."),
        (".ln_2.", ".layer_norm2."),
        (".attn.out_proj.", ".self_attn.out_proj."),
        (".mlp.c_fc.", ".mlp.fc1."),
        (".mlp.c_proj.", ".mlp.fc2."),
    ):
        name = name.replace(own, other, 1)
    if ".attn.in_proj_" not in name:
        return {name: weight}
    kind = name.rpartition("_")[2]
    parts = weight.chunk(3)
    return {
        name.replace(f".attn.in_proj_{kind}", f".self_attn.{p}_proj.{kind}"): w
        for p, w in zip("qkv", parts, strict=True)
    }


def test_a_plain_state_dict_gives_the_same_model(tmp_path, archive, weights):
    save_file(weights, tmp_path / "clip.safetensors")
    plain, whole = load_model(f"clip:{tmp_path}/clip.safetensors"), load_model(f"clip:{archive}")
    assert plain.fingerprint == whole.fingerprint
    assert setup_of(plain).activation == "quick_gelu"
    assert setup_of(plain).pictures.startswith(
        f"shorter side {SIDE}, bicubic, centre crop {SIDE}x{SIDE}, mean 0.4814547"
    )


def test_a_residual_network(tmp_path):
    model = load_model(f"clip:{openai_archive(tmp_path / 'RN50.pt', 'residual')}")
    assert np.isfinite(asked(model)).all()


class Spy:
    def __reduce__(self):
        return print, ("code ran",)


def forged(path, tree):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m/data.pkl", tree)
        file.writestr("m/code/__torch__/m.py", "")
    return path


def test_an_archive_with_other_code_is_refused(tmp_path, capsys):
    path = forged(tmp_path / "evil.pt", pickle.dumps(Spy(), protocol=2))
    said = refused(f"clip:{path}", "more than modules and tensors in it: it names .*print")
    assert str(path) in said
    assert "code ran" not in capsys.readouterr().out


def test_a_damaged_archive_is_refused(tmp_path, archive):
    refused(f"clip:{forged(tmp_path / 'damaged.pt', b'no pickle')}", "damaged TorchScript archive|more than modules")


def test_a_file_of_another_network_is_refused(tmp_path):
    save_file({"text_projection": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    refused(f"clip:{tmp_path}/other.safetensors", "not a CLIP of OpenAI")
    refused("clip:", "clip:ViT-B-32.pt")
