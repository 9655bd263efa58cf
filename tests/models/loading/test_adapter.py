"""An adapter on the disk: where it and its base are found, what a run says of it, and the files beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

peft = pytest.importorskip("peft")
pytest.importorskip("compressed_tensors")

from tests.models import chats, released  # noqa: E402
from tests.models.hf import test_generative  # noqa: E402
from tests.models.loading.adapted import CONFIG, TEXTS, rewrite, scores  # noqa: E402
from tests.models.released import adapter, attached, lora, merged, say, whole  # noqa: E402
from vlcheck.errors import UsageError  # noqa: E402
from vlcheck.models.loading import hub  # noqa: E402
from vlcheck.models.loading.load import load_model  # noqa: E402
from vlcheck.models.loading.released import released_of  # noqa: E402
from vlcheck.models.setup import setup_of  # noqa: E402

# Where base and adapter are found


def test_an_adapter_s_own_folder_means_its_base_too(base: Path, own: Path, photographs: list[Image.Image]) -> None:
    alone, both = load_model(str(own)), load_model(f"{base}+{own}")
    assert (alone.name, alone.fingerprint) == (both.name, both.fingerprint) == (f"{base}+{own}", both.fingerprint)
    np.testing.assert_array_equal(scores(own, photographs), scores(f"{base}+{own}", photographs))


def test_a_base_and_an_adapter_of_the_hub_are_named_with_their_commits(
    base: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {
        "org/base": shutil.copytree(base, tmp_path / "0a1b"),
        "org/lora": shutil.copytree(own, tmp_path / "2c3d"),
    }
    asked: list[tuple[str, object]] = []

    def cached(repository: str, *, revision: object, **_: object) -> str:
        asked.append((repository, revision))
        return str(folders[repository])

    monkeypatch.setattr(hub, "snapshot_download", cached)
    say(tmp_path / "2c3d" / CONFIG, base_model_name_or_path="org/base", revision="v7")
    for spec in ("org/base@v7+org/lora@main", "org/lora@main"):
        asked.clear()
        model: Any = load_model(spec)
        assert model.name == "org/base@0a1b+org/lora@2c3d"
        assert sorted(asked) == [("org/base", "v7"), ("org/lora", "main")]


def test_other_weights_another_scale_and_merged_weights_are_other_fingerprints(
    base: Path, own: Path, tmp_path: Path
) -> None:
    prints = {load_model(spec).fingerprint for spec in (str(base), f"{base}+{own}")}
    prints.add(load_model(str(merged(base, own, tmp_path / "merged"))).fingerprint)
    say(own / CONFIG, lora_alpha=9)
    prints.add(load_model(f"{base}+{own}").fingerprint)
    say(own / CONFIG, lora_alpha=8)
    rewrite(own, lambda weights: {name: one * 0.5 for name, one in weights.items()})
    prints.add(load_model(f"{base}+{own}").fingerprint)
    assert len(prints) == 5


def test_the_base_that_it_was_trained_on_is_said_if_it_has_another_name(base: Path, own: Path) -> None:
    model: Any = load_model(f"{base}+{own}")
    said = f"LORA r 4 alpha 8 of {own} on {base}, not merged"
    assert released_of(model.network).adapter == setup_of(model).adapter == said
    say(own / CONFIG, base_model_name_or_path="org/other")
    model = load_model(f"{base}+{own}")
    assert released_of(model.network).adapter == f"{said}; trained on org/other"


@pytest.mark.usefixtures("no_hub")
def test_the_revision_that_it_was_trained_on_is_said_if_it_is_another_one(
    base: Path, own: Path, tmp_path: Path
) -> None:
    """In the hub's cache, refs/v7 holds the commit of the tag; nothing is downloaded."""
    held, commits = tmp_path / "cache/models--org--base", {"v6": "6" * 40, "v7": "7" * 40}
    (held / "refs").mkdir(parents=True)
    for tag, commit in commits.items():
        shutil.copytree(base, held / "snapshots" / commit)
        (held / "refs" / tag).write_text(commit)

    def trained(spec: str, **said: object) -> str:
        say(own / CONFIG, base_model_name_or_path="org/base", **said)
        model: Any = load_model(spec)
        return setup_of(model).adapter.partition(", not merged")[2]

    for same in ("v7", commits["v7"], commits["v7"][:9]):
        assert trained(f"org/base@v7+{own}", revision=same) == ""
    assert trained(str(own), revision="v7") == ""
    assert trained(f"org/base@v6+{own}", revision="v7") == "; trained on revision v7"
    assert trained(f"org/base@v6+{own}", revision=None) == ""
    assert trained(f"{base}+{own}") == "; trained on org/base"


# Files beside the adapter


def test_a_template_and_a_tokenizer_beside_the_adapter_are_used_and_said(
    tmp_path: Path, photographs: list[Image.Image]
) -> None:
    base = chats.llava(tmp_path / "base")
    adapted = adapter(base, tmp_path / "adapter", lora())
    before = scores(f"{base}+{adapted}", photographs)
    template = (base / "chat_template.jinja").read_text().replace("<image>", "Look: <image>")
    (adapted / "chat_template.jinja").write_text(template)
    model: Any = load_model(f"{base}+{adapted}", dtype="float64")
    assert model.chat.template == template
    assert "with its own chat template" in released_of(model.network).adapter
    changed = np.array(model.itm(model.encode(photographs[:2]), TEXTS))
    assert abs(changed - before).min() > 1e-4
    (tmp_path / "trained").mkdir()
    plain = released.saved_beside(base, whole(base), tmp_path / "trained" / "base")
    (plain / "chat_template.jinja").write_text(template)
    np.testing.assert_array_equal(scores(f"{plain}+{tmp_path / 'adapter'}", photographs), changed)


def test_a_template_in_the_adapter_s_tokenizer_config_goes_before_the_base_s(tmp_path: Path) -> None:
    base = chats.llava(tmp_path / "base")
    adapted = adapter(base, tmp_path / "adapter", lora())
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / name, adapted)
    template = (base / "chat_template.jinja").read_text() + "{# its own #}"
    say(adapted / "tokenizer_config.json", chat_template=template)
    model: Any = load_model(f"{base}+{adapted}")
    assert model.chat.template == template
    assert "with its own tokenizer, chat template" in released_of(model.network).adapter


def test_embeddings_that_grew_with_the_tokenizer_are_those_of_the_adapter(
    tmp_path: Path, photographs: list[Image.Image]
) -> None:
    base = chats.llava(tmp_path / "base")
    network = whole(base)
    network.resize_token_embeddings(456)
    config = lora(modules_to_save=["embed_tokens", "lm_head"])
    adapted = adapter(base, tmp_path / "adapter", config, network=network)
    found = scores(f"{base}+{adapted}", photographs)
    hand = test_generative.ByHand(base, "float64")
    hand.network.resize_token_embeddings(456)
    hand.network = attached(hand.network, adapted)
    probs = [hand.network(**hand.inputs(photographs[0], "x")).logits.shape[-1]]
    assert probs == [456]
    mine: Any = load_model(f"{base}+{adapted}", dtype="float64")
    inputs = hand.inputs(photographs[0], "Describe the picture.")
    with torch.inference_mode():
        np.testing.assert_allclose(mine.network(**inputs).logits, hand.network(**inputs).logits, rtol=0, atol=1e-10)
    assert np.isfinite(found).all()
    rewrite(adapted, lambda weights: {name: one for name, one in weights.items() if "lm_head" not in name})
    with pytest.raises(UsageError, match=r"adapter_model\.safetensors: .*lm_head"):
        load_model(f"{base}+{adapted}")
