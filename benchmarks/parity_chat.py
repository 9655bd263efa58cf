"""Small LLaVA checkpoints with random weights, as they are and with faults in the files of their processor."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from benchmarks.parity_faults import Faulty, Stale, swapped
from tests.models import chats
from vlcheck.datasets.registry import open_source
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel

PROJECTOR, FACTOR = "multi_modal_projector", 4.0  # larger weights, so that a picture's tokens weigh as a text's do
LISTENED, TEXTS_ALONE, LOGIT = 24, 4, 3.0  # pictures and texts; directions that texts alone set; standard deviation
_CROP = {"size": {"shortest_edge": 64}, "crop_size": {"height": 32, "width": 32}}


def checkpoint(folder: Path, seed: int) -> Path:
    """Write a checkpoint whose weights depend on a seed.

    Args:
        folder: the folder; it is made.
        seed: the seed.
    """
    chats.llava(folder)
    file = folder / "model.safetensors"
    rng = torch.Generator().manual_seed(seed)
    weights = {name: _drawn(name, weight, rng) for name, weight in load_file(file).items()}
    save_file(weights, file, metadata={"format": "pt"})
    _hear_pictures(folder, file)
    return folder


def _hear_pictures(folder: Path, file: Path) -> None:
    """Have the answers of a checkpoint depend on the picture, as a trained model's do.

    With random weights, the state before an answer depends on the text above all, and one answer is nearly always the
    likelier one. The output head loses the directions that texts alone set, and its logits vary by LOGIT with pictures.
    """
    states = _states(load_model(str(folder)))
    by_text = states.mean(dim=1)
    weights = load_file(file)
    name = next(name for name in weights if name.endswith("lm_head.weight"))
    head = weights[name].double()
    alone = torch.linalg.svd(by_text, full_matrices=False).Vh[:TEXTS_ALONE]
    head -= head @ alone.T @ alone
    spread = ((states - by_text[:, None]) @ head.T).std()
    weights[name] = (LOGIT * head / spread).float()
    save_file(weights, file, metadata={"format": "pt"})


def _states(model: Any) -> torch.Tensor:
    """Return the states before the answer, float64 (texts, pictures, features)."""
    cases = open_source(f"scenes:{3 * LISTENED}").cases[::3][:LISTENED]
    pictures = model.encode([case.image.open() for case in cases])
    heard: list[torch.Tensor] = []
    head = model.network.get_output_embeddings()
    with head.register_forward_pre_hook(lambda _, given: heard.append(given[0].detach().flatten(0, -2).double())):
        return torch.stack([_heard(model, pictures, case.caption, heard) for case in cases])


def _heard(model: Any, pictures: object, text: str, heard: list[torch.Tensor]) -> torch.Tensor:
    heard.clear()
    model.itm(pictures, [text] * LISTENED)
    return torch.cat(heard)


def _drawn(name: str, weight: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Return random weights in place of a network's; its norms and biases stay."""
    if weight.ndim < 2:
        return weight
    scale = FACTOR if PROJECTOR in name else 1.0
    return scale * torch.randn(weight.shape, generator=rng) / weight[0].numel() ** 0.5


def _with_processor(name: str, **settings: object) -> Callable[[Path], VisionLanguageModel]:
    """Return a loader of a checkpoint with other settings of its image processor."""

    def load(folder: Path) -> VisionLanguageModel:
        copy = _copied(folder, name)
        file = next(path for path in copy.glob("*processor_config.json") if "image_mean" in path.read_text("utf-8"))
        kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
        kept.get("image_processor", kept).update(settings)
        file.write_text(json.dumps(kept), "utf-8")
        return load_model(str(copy))

    return load


def _with_template(name: str, old: str, new: str) -> Callable[[Path], VisionLanguageModel]:
    """Return a loader of a checkpoint with another chat template."""

    def load(folder: Path) -> VisionLanguageModel:
        copy = _copied(folder, name)
        file = copy / "chat_template.jinja"
        text = file.read_text("utf-8")
        if old not in text:
            raise ValueError(f"{file} lacks {old}")
        file.write_text(text.replace(old, new), "utf-8")
        return load_model(str(copy))

    return load


def _copied(folder: Path, name: str) -> Path:
    copy = folder.with_name(name.replace(" ", "-"))
    shutil.rmtree(copy, ignore_errors=True)
    return shutil.copytree(folder, copy)


_ROLE = "{{ message['role'].upper() + ': ' }}"
_PICTURE = "{% for part in message['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
CHAT_FAULTS: Mapping[str, Callable[[Path], VisionLanguageModel]] = MappingProxyType(
    {
        "channel swap": lambda folder: Faulty(load_model(str(folder)), "channel swap", picture=swapped),
        "resize": _with_processor("resize", **_CROP),
        "no normalisation": _with_processor("no normalisation", do_normalize=False),
        "template order": _with_template("template order", _ROLE + _PICTURE, _PICTURE + _ROLE),
        "stale prefix": lambda folder: Stale(load_model(str(folder)), "stale prefix"),
    }
)
