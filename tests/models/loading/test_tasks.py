"""Checkpoints of architectures that transformers maps to a task load without a family of their own."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from vlcheck.errors import UsageError
from vlcheck.models.loading.refused import REFUSED
from vlcheck.models.loading.registry import registered_tasks
from vlcheck.models.loading.tasks import MAPPED, check_type, mapped_loader, maps

LOADER = EntryPoint("image-text-to-text", "tests.doubles:Competent", "vlcheck.tasks")
LOADERS = {LOADER.name: LOADER}


def test_each_task_has_a_loader():
    assert registered_tasks().keys() == MAPPED.keys()


def test_an_architecture_of_a_task_is_loaded_by_it():
    config = {"architectures": ["Mistral3ForConditionalGeneration"], "model_type": "mistral3"}
    assert mapped_loader(config, LOADERS, ()) == LOADER


@pytest.mark.parametrize(
    ("architecture", "kind", "why"),
    [
        ("LlavaForVideo", "llava", r"Of its model type llava, LlavaForConditionalGeneration is one of image-text-to"),
        (
            "Own",
            "own",
            r"Own is not an architecture that vlcheck knows\. Known: CLIPModel, and those that transf",
        ),
        ("Own", None, r"Own is not an architecture that vlcheck knows\. Known: CLIPModel, and those that transf"),
    ],
)
def test_others_are_refused_in_a_sentence(architecture, kind, why):
    with pytest.raises(UsageError, match=why):
        mapped_loader({"architectures": [architecture], "model_type": kind}, LOADERS, ["albef", "CLIPModel"])


def test_a_type_is_refused_whatever_its_architecture_is():
    with pytest.raises(UsageError, match=r"Gemma3ForCond\w+ of model type shieldgemma2 is refused: it judges whether"):
        check_type({"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "shieldgemma2"})
    check_type({"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3"})


def test_a_pair_of_transformers_own_is_mapped():
    assert maps("glmga", "Glm46VForConditionalGeneration")
    assert not maps("glmga", "Glm4vForConditionalGeneration")


def test_what_is_refused_is_a_type_of_transformers():
    assert REFUSED.keys() <= CONFIG_MAPPING_NAMES.keys()
