"""Adapters that are not whole, are of another base, or of a kind that is not read: nothing is left out in silence."""

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
from safetensors.torch import save_file

peft = pytest.importorskip("peft")
pytest.importorskip("compressed_tensors")

from tests.models import checkpoints, released  # noqa: E402
from tests.models.loading.adapted import CONFIG, FILE, rewrite, scores  # noqa: E402
from tests.models.released import say  # noqa: E402
from vlcheck.errors import UsageError  # noqa: E402
from vlcheck.models.loading.load import load_model  # noqa: E402

LAYER = "text_model.encoder.layers"
Change = Callable[[Path], object]


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
