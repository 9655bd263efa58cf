"""Checkpoints with an adapter: scores are those of PEFT's own network, and nothing of an adapter is left out."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

peft = pytest.importorskip("peft")
pytest.importorskip("compressed_tensors")

from tests.models import chats, checkpoints, released  # noqa: E402
from tests.models.hf import test_generative, test_hosted  # noqa: E402
from tests.models.released import adapter, attached, clip_with_lora, lora, merged, say, whole  # noqa: E402
from vlcheck.errors import UsageError  # noqa: E402
from vlcheck.models.loading import hub  # noqa: E402
from vlcheck.models.loading.adapter import KINDS  # noqa: E402
from vlcheck.models.loading.load import load_model  # noqa: E402
from vlcheck.models.loading.released import released_of  # noqa: E402
from vlcheck.models.setup import setup_of  # noqa: E402

TEXTS = ["a red bus", "the dog is left of the cat"]
FOILS = [["a cat", "a photo of a dog"], ["the cat is left of the dog"]]
FILE = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
LAYER = "text_model.encoder.layers"
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return clip_with_lora(tmp_path_factory.mktemp("released"))


@pytest.fixture
def base(made: tuple[Path, Path]) -> Path:
    return made[0]


@pytest.fixture
def own(made: tuple[Path, Path], tmp_path: Path) -> Path:
    """An adapter's folder that a test may change."""
    return Path(shutil.copytree(made[1], tmp_path / "own"))


def scores(spec: object, photographs: list[Image.Image], dtype: str = "float64") -> np.ndarray:
    model: Any = load_model(str(spec), dtype=dtype)
    return np.array(model.itm(model.encode(photographs[:2]), TEXTS, FOILS))


def rewrite(own: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    save_file(change(load_file(own / FILE)), own / FILE)


# The scores


def by_peft(family: str, base: Path, adapted: Path, photographs: list[Image.Image]) -> list[float]:
    """P(match) as transformers' own forward gives it in PEFT's network."""
    asked = zip(photographs[:2], TEXTS, FOILS, strict=True)
    if family == "llava":
        chat = test_generative.ByHand(base, "float64")
        chat.network = attached(chat.network, adapted)
        return [chat.match(image, text) for image, text, _ in asked]
    hand = test_hosted.ByHand(transformers_clip(), base, "float64")
    hand.network = attached(hand.network, adapted)
    return [float(hand(image, [text, *foils]).logits_per_image[0].softmax(-1)[0]) for image, text, foils in asked]


def transformers_clip() -> Any:
    from transformers import CLIPModel

    return CLIPModel


@pytest.mark.parametrize("kind", list(released.KINDS))
@pytest.mark.parametrize("family", ["clip", pytest.param("llava", marks=pytest.mark.slow)])
def test_scores_are_those_of_peft_merged_or_not(
    family: str, kind: str, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    base = (chats.llava if family == "llava" else checkpoints.clip)(tmp_path / "base")
    adapted = adapter(base, tmp_path / "adapter", released.KINDS[kind](family))
    found = scores(f"{base}+{adapted}", photographs)
    np.testing.assert_allclose(found, by_peft(family, base, adapted, photographs), rtol=0, atol=1e-10)
    assert abs(found - scores(base, photographs)).max() > 1e-3
    whole_one = merged(base, adapted, tmp_path / "merged")
    one, other = (scores(spec, photographs, "float32") for spec in (f"{base}+{adapted}", whole_one))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_that_is_accepted_is_attached_as_peft_does(
    kind: str, base: Path, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    make: Any = peft.PEFT_TYPE_TO_CONFIG_MAPPING[kind]
    more = {
        "ADALORA": {"total_step": 10},
        "IA3": {"feedforward_modules": []},
        "LN_TUNING": {"target_modules": ["layer_norm1"]},
        "TRAINABLE_TOKENS": {"target_modules": ["token_embedding"], "token_indices": [5, 6, 7]},
        "OFT": {"oft_block_size": 4},
        "BOFT": {"boft_block_size": 4},
    }
    adapted = adapter(base, tmp_path / kind, make(**{"target_modules": ["q_proj"], **more.get(kind, {})}))
    found = scores(f"{base}+{adapted}", photographs)
    np.testing.assert_allclose(found, by_peft("clip", base, adapted, photographs), rtol=0, atol=1e-10)
    assert abs(found - scores(base, photographs)).max() > 1e-6


# PEFT itself attaches nothing to FLAVA, whose embeddings it does not find.
HOSTED = ("altclip", "align", "bert", "blip2_retrieval", "blip_retrieval", "bridgetower", "chinese_clip")
MORE = ("metaclip2", "siglip", "siglip2", "vilt_retrieval", "vilt_words")


@pytest.mark.nightly
@pytest.mark.parametrize("family", [*HOSTED, *MORE])
def test_an_adapter_of_all_layers_of_any_family_equals_what_is_merged(
    family: str, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    """A family that read a weight past its layer would miss the adapter there."""
    base: Path = getattr(checkpoints, family)(tmp_path / "base")
    network: Any = load_model(str(base)).network  # type: ignore[attr-defined]
    config = lora(target_modules=layers_of(network))
    adapted = adapter(base, tmp_path / "adapter", config, network=network.float())
    fresh: Any = load_model(str(base))
    adapted_whole = attached(fresh.network, adapted).merge_and_unload()
    together = released.saved_beside(base, adapted_whole, tmp_path / "merged")
    (together / "config.json").write_text((base / "config.json").read_text())
    one, other = (everything(f"{spec}", photographs) for spec in (f"{base}+{adapted}", together))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
    assert abs(np.array(one) - everything(str(base), photographs)).max() > 1e-3


@pytest.mark.nightly
@pytest.mark.parametrize(
    "layer", ["vision_model.head.attention.out_proj", "vision_model.embeddings.position_embedding"]
)
def test_layers_whose_weights_are_read_past_them_change_nothing_until_they_are_merged(
    layer: str, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    """docs/howto/released-models.md says so; if PEFT or transformers mend it, the page has to change."""
    base = checkpoints.siglip2(tmp_path / "base")
    adapted = adapter(base, tmp_path / "adapter", lora(target_modules=[layer]))
    network = attached(load_model(str(base)).network, adapted)  # type: ignore[attr-defined]
    together = released.saved_beside(base, network.merge_and_unload(), tmp_path / "merged")
    (together / "config.json").write_text((base / "config.json").read_text())
    before, one, other = (scores(spec, photographs) for spec in (base, f"{base}+{adapted}", together))
    np.testing.assert_array_equal(one, before)
    assert abs(other - one).max() > 1e-3


def layers_of(network: torch.nn.Module) -> list[str]:
    """Names of the layers that an adapter can change.

    PEFT changes no layer whose weights transformers or PyTorch read past it: those inside PyTorch's attention, the
    positions of SigLIP 2, a tied decoder.
    """
    inside = [name for name, one in network.named_modules() if isinstance(one, torch.nn.MultiheadAttention)]
    kinds = (torch.nn.Linear, torch.nn.Embedding)
    left_out = (*inside, "image_codebook")
    tied = ("decoder", "word_embeddings", "vision_model.embeddings.position_embedding")
    return [
        name
        for name, one in network.named_modules()
        if isinstance(one, kinds) and not name.startswith(left_out) and not name.endswith(tied)
    ]


def everything(spec: str, photographs: list[Image.Image]) -> list[float]:
    model: Any = load_model(spec)
    encoded = model.encode(photographs[:2])
    found: list[float] = []
    if "itm" in model.metrics:
        found += [float(score) for score in model.itm(encoded, TEXTS, FOILS)]
    if "mlm" in model.metrics:
        found += [
            float(p) for row in model.mlm(encoded, ["a [MASK] bus", "the [MASK]"], [("red", "dog")] * 2) for p in row
        ]
    return found


def test_names_of_an_earlier_transformers_are_read(tmp_path: Path, photographs: list[Image.Image]) -> None:
    """Adapters of Qwen2-VL from before its language model was a part of its own; PEFT alone does not rename them."""
    base = chats.qwen2_vl(tmp_path / "base")
    adapted = adapter(base, tmp_path / "adapter", lora())
    before = scores(f"{base}+{adapted}", photographs)
    rewrite(adapted, lambda weights: {name.replace(".language_model.", "."): one for name, one in weights.items()})
    assert not any("language_model" in name for name in load_file(adapted / FILE))
    np.testing.assert_array_equal(scores(f"{base}+{adapted}", photographs), before)


OLD_NAME = "model.layers.0.self_attn.q_proj"
TODAY = "model.language_model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize("said", [OLD_NAME, f"^{OLD_NAME}"])
@pytest.mark.parametrize("setting", [{"alpha_pattern": 400}, {"rank_pattern": 2}], ids=str)
def test_settings_of_layers_with_names_of_an_earlier_transformers_are_read(
    setting: dict[str, int], said: str, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    """Without the settings the scores differ: PEFT alone leaves alpha_pattern out."""
    base = chats.qwen2_vl(tmp_path / "base")
    ((name, value),) = setting.items()
    adapted = adapter(base, tmp_path / "adapter", lora(**{name: {TODAY: value}}))
    before = scores(f"{base}+{adapted}", photographs)
    rewrite(adapted, lambda weights: {name.replace(".language_model.", "."): one for name, one in weights.items()})
    say(adapted / CONFIG, **{name: {said: value}})
    np.testing.assert_array_equal(scores(f"{base}+{adapted}", photographs), before)
    if name == "alpha_pattern":
        say(adapted / CONFIG, alpha_pattern={})
        assert abs(scores(f"{base}+{adapted}", photographs) - before).max() > 1e-2


def test_settings_of_layers_are_said(base: Path, tmp_path: Path) -> None:
    adapted = adapter(base, tmp_path / "own", lora(rank_pattern={"q_proj": 2}, alpha_pattern={"0.*q_proj": 40}))
    model: Any = load_model(f"{base}+{adapted}")
    said = "LORA r 4 alpha 8 with another r for q_proj (2) with another alpha for 0.*q_proj (40)"
    assert setup_of(model).adapter.startswith(f"{said} of {adapted}")


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


# Bad input


def without(part: str) -> Change:
    return lambda own: rewrite(own, lambda weights: {name: one for name, one in weights.items() if part not in name})


def with_more(name: str) -> Change:
    return lambda own: rewrite(own, lambda weights: weights | {name: torch.ones(4, 32)})


def saying(**more: object) -> Change:
    return lambda own: say(own / CONFIG, **more)


def with_file(name: str, content: Any = None) -> Change:
    def write(own: Path) -> None:
        held = {"base_model.model.mm_projector.weight": torch.ones(3)} if content is None else content
        save_file(held, own / name) if name.endswith("safetensors") else torch.save(held, own / name)

    return write


def of_a_larger_base(own: Path) -> None:
    rewrite(
        own,
        lambda weights: {name: torch.cat([one, one], -1 if "lora_A" in name else 0) for name, one in weights.items()},
    )


def beside_a_model(own: Path) -> None:
    for name in ("config.json", released.WEIGHTS):
        shutil.copy(Path(json.loads((own / CONFIG).read_text())["base_model_name_or_path"]) / name, own)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("layers.1.self_attn.q_proj.lora_A"), r"it lacks 2 weights|it lacks \S+q_proj\.lora_A\.weight"),
        (with_more(f"base_model.model.{LAYER}.7.self_attn.q_proj.lora_A.weight"), r"does not take, .*layers\.7"),
        (of_a_larger_base, r"is of another base, or of another size\. size mismatch for \S+lora_A"),
        (saying(r=2), r"is of another base, or of another size\. size mismatch"),
        (saying(target_modules="nothing.*"), r"adapter_config\.json: does not fit CLIPModel\. \w+: .*nothing"),
        (saying(target_modules=["q_proj"]), r"its base does not take, .*v_proj"),
        (saying(target_modules=["q_proj", "v_proj", "k_proj"]), r"it lacks .*k_proj"),
        (saying(modules_to_save=["visual_projection"]), r"lacks .*visual_projection.*, which adapter_c"),
        (saying(peft_type="PREFIX_TUNING"), "PREFIX_TUNING puts vectors of its own before the texts"),
        (saying(peft_type="PROMPT_TUNING"), "PROMPT_TUNING puts vectors of its own before the texts"),
        (saying(peft_type="LORAA"), "\"peft_type\" is 'LORAA'. Did you mean 'LORA'"),
        (saying(peft_type=None), r'"peft_type" is None'),
        (saying(peft_type=["LORA"]), r'"peft_type" is \[\'LORA\'\]'),
        (saying(alora_invocation_tokens=[1, 2]), 'has "alora_invocation_tokens": it begins to act in the middle'),
        (saying(layer_replication=[[0, 1]]), 'has "layer_replication": it gives the network other layers'),
        (saying(init_lora_weights="pissa"), "\"init_lora_weights\" is 'pissa', by which the base's own weights change"),
        (saying(alpha_pattern={"gone.q_proj": 9}), r'g\.json: "alpha_pattern" names .gone\.q_proj., which'),
        (saying(rank_pattern={"q_proj": 4, "(": 9}), r"adapter_config\.json: '\(' is no pattern of names"),
        (saying(of_the_future=3), r"peft here does not know of_the_future, and would leave it out"),
        (saying(r="four"), r"adapter_config\.json: (cannot be read|does not fit)"),
        (saying(r=1 << 40), r'"r" is 1099511627776; at most'),
        (saying(base_model_name_or_path=None), r'names no base \("base_model_name_or_path" is None\): say BASE\+'),
        (saying(base_model_name_or_path="/gone/base"), r"its base is not here: /gone/base: .*Say BASE\+"),
        (lambda own: (own / FILE).unlink(), "no weights of an adapter; accepted: adapter_model.safetensors"),
        (lambda own: (own / FILE).write_bytes(b"x"), "truncated or not a safetensors file"),
        (lambda own: (own / CONFIG).write_text("{"), r"adapter_config\.json"),
        (with_file("non_lora_trainables.bin"), r"non_lora_trainables\.bin: is not read, and holds other weights"),
        (with_file("adapter_model.bin"), r"adapter_model\.bin: is not read, and holds other weights.*PEFT reads"),
        (beside_a_model, r"beside the whole model in .*which of both is meant\? Move adapter_config\.json"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("no_hub")
def test_an_adapter_that_is_not_whole_or_of_another_base_is_refused(change: Change, said: str, own: Path) -> None:
    change(own)
    with pytest.raises(UsageError, match=said) as raised:
        load_model(str(own))
    assert "\n" not in str(raised.value)


def test_a_setting_of_a_later_peft_that_is_off_changes_nothing(
    base: Path, own: Path, photographs: list[Image.Image]
) -> None:
    before = scores(f"{base}+{own}", photographs)
    path = own / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"of_the_future": False, "another": None, "third": []}))
    np.testing.assert_array_equal(scores(f"{base}+{own}", photographs), before)


def test_an_adapter_of_another_family_is_refused(own: Path, tmp_path: Path) -> None:
    other = checkpoints.vilt_retrieval(tmp_path / "vilt")
    with pytest.raises(UsageError, match=r"adapter_config\.json: does not fit ViltForImageAndTextRetrieval"):
        load_model(f"{other}+{own}")


def test_a_base_with_an_adapter_beside_it_is_refused_also_as_a_base(base: Path, own: Path, tmp_path: Path) -> None:
    both = Path(shutil.copytree(base, tmp_path / "both"))
    for name in (FILE, CONFIG):
        shutil.copy(own / name, both)
    for spec in (both, f"{both}+{own}", f"{both}+{both}"):
        with pytest.raises(UsageError, match=r"beside the whole model in .*: which of both is meant"):
            load_model(str(spec))


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{base}+{own}x", r"ownx: neither a folder here nor a hub id"),
        ("{base}x+{own}", r"basex: neither a folder here nor a hub id"),
        ("{base}+{base}", r"adapter_config\.json: no such file; an adapter of PEFT has one"),
        ("{own}+{own}", r"an adapter of .*\. Move adapter_config\.json, adapter_model\.safetensors"),
        ("{base}+some/lora", "some/lora: no folder of that name, not in the hub's cache"),
        ("{base}+{own},region=x", r"has no option 'region'"),
        ("{base}+{own}/adapter_config.json", "a file; a checkpoint of transformers is a folder"),
    ],
)
def test_what_is_not_there_is_named(spec: str, said: str, base: Path, own: Path) -> None:
    with pytest.raises(UsageError, match=said):
        load_model(spec.format(base=base, own=own))


def test_an_adapter_of_a_family_that_reads_none_is_refused(base: Path, own: Path, tmp_path: Path) -> None:
    """Never ignored: such models would have the scores of the base alone."""
    open_clip = tmp_path / "open_clip"
    open_clip.mkdir()
    (open_clip / "open_clip_config.json").write_text("{}")
    said = r"an adapter is attached to checkpoints of transformers alone, and {}"
    for family in ("albef", "clip", "open_clip", "timm"):
        with pytest.raises(UsageError, match=said.format(f"{family}:{base} is none")):
            load_model(f"{family}:{base}+{own}")
    with pytest.raises(UsageError, match=said.format("tiny is none")):
        load_model(f"tiny+{own}")
    of_a_folder = said.format(f"{open_clip}, a folder of open_clip, is none")
    with pytest.raises(UsageError, match=of_a_folder):
        load_model(f"{open_clip}+{own}")
    say(own / CONFIG, base_model_name_or_path=str(open_clip))
    with pytest.raises(UsageError, match=of_a_folder):
        load_model(str(own))


def test_an_adapter_within_a_folder_of_open_clip_is_refused(own: Path) -> None:
    (own / "open_clip_config.json").write_text('{"model_cfg": {}}')
    with pytest.raises(UsageError, match=r"adapter_config\.json: an adapter, which open_clip does not read"):
        load_model(f"open_clip:{own}")


def test_without_peft_the_extra_is_named(base: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UsageError, match=r'of the extra adapters: python -m pip install "vlcheck\[adapters\]"'):
        load_model(f"{base}+{own}")


def test_an_adapter_changes_neither_random_numbers_nor_the_base_s_files(base: Path, own: Path) -> None:
    torch.manual_seed(3)
    load_model(f"{base}+{own}")
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))
