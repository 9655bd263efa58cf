"""Image classifiers, the vision-only controls: their scores are those of the checkpoint by hand, and of its labels."""

import json

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data import ImageNetInfo, create_transform, resolve_data_config
from transformers import (
    AutoImageProcessor,
    AutoModelForImageClassification,
    ConvNextConfig,
    ConvNextForImageClassification,
    ConvNextImageProcessor,
    ResNetConfig,
    ResNetForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from vlcheck.cases.case import MASK
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.scenes.sampling import WORDS as WORDS_OF_SCENES
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.adapters.labels import ObjectLabels
from vlcheck.models.contract import examine, probes_of
from vlcheck.models.loading.load import load_model

LABELS = ("tabby, tabby cat", "golden_retriever", "school bus", "minibus", "kite", "left", "crane")
TEXTS = [f"a {MASK} on the street", f"a photo of a {MASK}"]
WORDS = [("dog", "cat"), ("bus", "buses", "Dogs")]
SIDE = 32
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": SIDE,
}


def vit(labels):
    network = ViTForImageClassification(ViTConfig(patch_size=8, **SMALL, **labels))
    return network, ViTImageProcessor(size={"height": SIDE, "width": SIDE})


def convnext(labels):
    network = ConvNextForImageClassification(
        ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, **labels)
    )
    return network, ConvNextImageProcessor(size={"shortest_edge": SIDE})


def resnet(labels):
    config = ResNetConfig(hidden_sizes=[8, 16], depths=[1, 1], embedding_size=8, **labels)
    return ResNetForImageClassification(config), ConvNextImageProcessor(size={"shortest_edge": SIDE})


@pytest.fixture
def pictures():
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 256, (40, 50, 3), dtype=np.uint8)) for _ in range(2)]


def saved(folder, parts, labels=LABELS):
    torch.manual_seed(0)
    numbered = dict(enumerate(labels))
    network, images = parts({"id2label": numbered, "label2id": {name: at for at, name in numbered.items()}})
    network.save_pretrained(folder)
    images.save_pretrained(folder)
    return folder


def saved_by_timm(folder, **config):
    torch.manual_seed(0)
    sizes = {"img_size": SIDE, "embed_dim": 32, "depth": 2, "num_heads": 4, "num_classes": len(LABELS)}
    network = timm.create_model("vit_tiny_patch16_224", **sizes)
    published = {"input_size": [3, SIDE, SIDE], "mean": [0.5] * 3, "std": [0.25] * 3, "crop_pct": 0.9}
    said = {"architecture": "vit_tiny_patch16_224", "num_classes": len(LABELS), "label_names": LABELS}
    said |= {"model_args": sizes, "pretrained_cfg": published} | config
    save_file(network.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(said))
    return network, published


@pytest.mark.parametrize("parts", [vit, convnext, resnet])
def test_a_classifier_of_transformers_gives_the_probabilities_of_its_labels(tmp_path, pictures, parts):
    saved(tmp_path, parts)
    model = load_model(str(tmp_path), dtype="float64")
    scores = model.mlm(model.encode(pictures), TEXTS, WORDS)
    network = AutoModelForImageClassification.from_pretrained(tmp_path, dtype=torch.float64).eval()
    pixels = AutoImageProcessor.from_pretrained(tmp_path)(pictures, return_tensors="pt")["pixel_values"].double()
    with torch.inference_mode():
        of_labels = network(pixels).logits.softmax(-1).numpy()
    bus = of_labels[1, 2] + of_labels[1, 3]
    assert scores[0] == pytest.approx([of_labels[0, 1], of_labels[0, 0]], abs=1e-10)
    assert scores[1] == pytest.approx([bus, bus, of_labels[1, 1]], abs=1e-10)


def test_a_classifier_of_timm_gives_the_probabilities_of_its_labels(tmp_path, pictures):
    network, published = saved_by_timm(tmp_path)
    model = load_model(f"timm:{tmp_path}", dtype="float64")
    scores = model.mlm(model.encode(pictures), TEXTS, WORDS)
    prepare = create_transform(**resolve_data_config({}, pretrained_cfg=published))
    with torch.inference_mode():
        pixels = torch.stack([prepare(picture) for picture in pictures]).double()
        of_labels = network.double().eval()(pixels).softmax(-1).numpy()
    assert scores[0] == pytest.approx([of_labels[0, 1], of_labels[0, 0]], abs=1e-7)
    assert model.top(model.encode(pictures), TEXTS, 1)[0][0][0] == LABELS[of_labels[0].argmax()].replace("_", " ")


def test_the_text_changes_nothing_and_batches_change_nothing(tmp_path, pictures):
    model = load_model(str(saved(tmp_path, vit)), dtype="float64")
    encoded = model.encode(pictures)
    (one,) = model.mlm(encoded[[1]], [TEXTS[1]], [WORDS[0]])
    (other,) = model.mlm(model.encode([pictures[1]]), [f"no {MASK} here"], [WORDS[0]])
    assert one == pytest.approx(other, abs=1e-12)


def test_it_keeps_the_contract_of_models(tmp_path):
    model = load_model(str(saved(tmp_path, vit, WORDS_OF_SCENES)))
    outcomes = list(examine(model, probes_of(open_source("scenes:12").cases)))
    assert [outcome for outcome in outcomes if not outcome.kept] == []
    assert {outcome.clause for outcome in outcomes} > {"mlm: other pictures, other scores", "mlm: the same in capitals"}


def test_a_word_that_no_label_names_has_no_probability_in_whatever_place_it_stands():
    """Words of a question are sorted, so that the target need not be the first; P = 0 would let all others win."""
    labels, of_labels = ObjectLabels(LABELS), torch.full((len(LABELS),), 1 / len(LABELS))
    for words in (["giraffe", "dog"], ["dog", "giraffe"], ["cat", "dog", "giraffe"]):
        with pytest.raises(NotApplicable, match="no label of the classifier names 'giraffe'"):
            labels.probabilities(of_labels, words)
    assert labels.probabilities(of_labels, ["left"]) == pytest.approx([1 / len(LABELS)])  # by its own name
    assert labels.can_name("bird")  # ImageNet's kite
    assert labels.probabilities(of_labels, ["Bird", "cat"]) == pytest.approx([1 / len(LABELS)] * 2)


def test_each_listed_label_is_one_of_imagenets_and_dogs_and_cats_are_whole():
    first = [label.split(",")[0] for label in ImageNetInfo("imagenet-1k").label_descriptions()]
    labels = ObjectLabels(ImageNetInfo("imagenet-1k").label_descriptions())
    listed = [label for thing in listed_things().values() for label in thing["labels"]]
    assert [label for label in listed if first.count(label) != 1] == []
    assert labels.numbers["dog"] == labels.numbers["puppies"] == list(range(151, 269))
    assert labels.numbers["cats"] == list(range(281, 286))


def listed_things():
    import tomllib

    from vlcheck.models.adapters.labels import LEXICON

    return tomllib.loads(LEXICON.read_text())


def test_labels_that_are_no_names_are_refused(tmp_path):
    saved(tmp_path, vit, [f"LABEL_{number}" for number in range(3)])
    with pytest.raises(UsageError, match="id2label: the labels are placeholders"):
        load_model(str(tmp_path))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"architecture": "vit_of_mine"}, "architecture is 'vit_of_mine'; a network of timm"),
        ({"label_names": None}, "has no label_names"),
        ({"label_names": ["dog", "cat"]}, "2 labels for 7 outputs"),
        (
            {"num_classes": 3, "model_args": {"img_size": 32, "embed_dim": 32, "depth": 2, "num_heads": 4}},
            "head.weight",
        ),
    ],
)
def test_a_folder_of_timm_that_does_not_fit_is_refused(tmp_path, config, said):
    saved_by_timm(tmp_path, **config)
    with pytest.raises(UsageError, match=said):
        load_model(f"timm:{tmp_path}")


def test_a_folder_without_weights_and_a_spec_without_a_name_are_refused(tmp_path):
    saved_by_timm(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"has no weights; model\.safetensors or pytorch_model\.bin"):
        load_model(f"timm:{tmp_path}")
    with pytest.raises(UsageError, match="timm needs a model"):
        load_model("timm:")
