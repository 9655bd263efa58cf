"""Checkpoints that are not whole, or not what they say, are refused with what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub.errors import GatedRepoError, RevisionNotFoundError
from safetensors.torch import load_file, save_file

from tests.models import checkpoints
from vlcheck.errors import UsageError
from vlcheck.models.loading import hub
from vlcheck.models.loading.load import load_model

Damage = Callable[[Path], object]


def config(**changes: object) -> Damage:
    """Change what config.json says."""

    def damage(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return damage


def weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Damage:
    """Change the weights."""

    def damage(folder: Path) -> None:
        kept = load_file(folder / "model.safetensors")
        change(kept)
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})

    return damage


def without(*patterns: str) -> Damage:
    return lambda folder: [path.unlink() for pattern in patterns for path in folder.glob(pattern)]


def write(name: str, content: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(content)


EMBEDDINGS = "bert.embeddings.word_embeddings.weight"
FIRST = "bert.encoder.layer.0.output.dense.bias"


@pytest.mark.parametrize(
    ("family", "damage", "said"),
    [
        ("bert", without("config.json"), r"config\.json: no such file; a checkpoint of transformers has one"),
        ("bert", write("config.json", b"{"), r"config\.json: not JSON"),
        ("bert", write("config.json", b"[]"), r"config\.json: not a config, but list"),
        (
            "bert",
            config(architectures=["BertForNoting"]),
            r"BertForNoting is not an architecture .* Known: AlignModel, .*Vi",
        ),
        ("bert", config(architectures=["One", "Two"]), r"\"architectures\" is \['One', 'Two'\]; it has to name one"),
        ("bert", without("*.safetensors"), r"no weights; accepted: model\.safetensors, "),
        ("bert", write("model.safetensors", b"cut"), r"model\.safetensors: truncated or not a safetensors file"),
        ("bert", weights(lambda kept: kept.pop(FIRST)), rf"the weights lack {FIRST}\."),
        (
            "bert",
            weights(lambda kept: kept.update({FIRST: torch.zeros(7)})),
            rf"the weights have in another shape than the config says {FIRST}\.",
        ),
        ("bert", config(num_hidden_layers=1), r"have of more layers .* 16 weights \(bert\.encoder\.layer\.1\."),
        (
            "bert",
            without("tokenizer*", "vocab.txt", "special*"),
            r"no tokenizer; one of tokenizer\.json, vocab\.txt belongs",
        ),
        ("clip", without("tokenizer*", "vocab.txt", "special*"), r"no tokenizer; one of .*tokenizer\.json"),
        ("clip", without("preprocessor_config.json"), r"its files \(preprocessor_config\.json or .* beside"),
        (
            "bridgetower",
            weights(lambda kept: kept.pop(next(name for name in kept if name.startswith("mlm_score.transform")))),
            r"the weights lack mlm_score\.transform",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(family: str, damage: Damage, said: str, tmp_path: Path) -> None:
    folder = getattr(checkpoints, family)(tmp_path)
    load_model(str(folder))
    damage(folder)
    with pytest.raises(UsageError, match=rf"model='.*{said}"):
        load_model(str(folder))


def test_a_head_that_is_not_there_is_not_offered(tmp_path: Path) -> None:
    folder = checkpoints.bridgetower(tmp_path)

    def drop(kept: dict[str, torch.Tensor]) -> None:
        for name in [name for name in kept if name.startswith("mlm_score")]:
            del kept[name]

    weights(drop)(folder)
    model: Any = load_model(str(folder))
    assert model.metrics == {"itm"}
    assert model.lacks["mlm"] == "its checkpoint has no weights of mlm_score"


def test_a_tokenizer_without_a_mask_predicts_no_words(tmp_path: Path) -> None:
    folder = checkpoints.flava(tmp_path)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"mask_token": None}))
    model: Any = load_model(str(folder))
    assert model.metrics == {"itm"}
    assert model.lacks["mlm"] == "its tokenizer has no mask token"


@pytest.mark.usefixtures("no_hub")
def test_a_hub_id_without_the_hub_asks_for_a_folder() -> None:
    with pytest.raises(UsageError, match=r"model='some/model': some/model: no folder .* Name a folder with config"):
        load_model("some/model")


@pytest.mark.parametrize(
    ("error", "said"), [(GatedRepoError, "accepted its terms"), (RevisionNotFoundError, "has no revision 'mian'")]
)
def test_what_the_hub_refuses_is_told_apart(error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's own errors: it cannot be reached from here."""

    def refuse(*_: object, **__: object) -> None:
        raise error.__new__(error)

    monkeypatch.setattr(hub, "snapshot_download", refuse)
    with pytest.raises(UsageError, match=said):
        load_model("some/model@mian")


def test_files_in_the_hub_s_cache_are_not_to_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = checkpoints.bert(tmp_path / "0a1b")
    torch.save({"other": torch.ones(2)}, folder / "pytorch_model.bin")
    monkeypatch.setattr(hub, "snapshot_download", lambda *_, **__: str(folder))
    with pytest.raises(
        UsageError, match=r"hf download some/model --revision 0a1b --local-dir DIR\), change it, and na"
    ):
        load_model("some/model")


def by_index(entry: str, file: str) -> Damage:
    """Keep all weights in one file that an index names."""

    def move(folder: Path) -> None:
        kept = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        places = dict.fromkeys(kept, file)
        (folder / f"{entry}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
        write_weights(folder / file, kept)

    return move


def by_config(file: str) -> Damage:
    """Keep all weights in one file that config.json names."""

    def move(folder: Path) -> None:
        config(transformers_weights=file)(folder)
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / "model.safetensors").rename(folder / file)

    return move


def write_weights(path: Path, kept: dict[str, torch.Tensor]) -> None:
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(kept, path, metadata={"format": "pt"})
    else:
        torch.save(kept, path)


@pytest.mark.parametrize(
    ("move", "file"),
    [
        (by_index("model.safetensors", "parts/one.safetensors"), "parts/one.safetensors"),
        (by_index("pytorch_model.bin", "part1.pt"), "part1.pt"),
        (by_config("weights/model.safetensors"), "weights/model.safetensors"),
    ],
)
def test_other_weights_are_another_fingerprint_wherever_they_lie(move: Damage, file: str, tmp_path: Path) -> None:
    folder = checkpoints.bert(tmp_path)
    move(folder)
    before: Any = load_model(str(folder))
    path = folder / file
    kept = load_file(path) if path.suffix == ".safetensors" else torch.load(path)
    write_weights(path, {name: weight * 0.5 for name, weight in kept.items()})
    after: Any = load_model(str(folder))
    assert after.fingerprint != before.fingerprint
