"""Try each type that transformers maps to image-text-to-text on a small checkpoint with random weights.

    python -m benchmarks.generative_types [TYPE ...]

A type works if a checkpoint loads as a user's does and keeps the whole model contract; what is kept of a picture
between its texts is noted, and how much scores differ without it. Any other type is refused, and the sentence that a
user reads is noted. The types named are tried anew, or all; the others keep their entries. The list goes to
benchmarks/generative_types.json, from where `python -m benchmarks.table` writes it into
docs/reference/generative-types.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from benchmarks.types_page import NOTHING, PREFIX, STATES
from tests.models.generative.builders import BUILDERS
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError
from vlcheck.metrics.probe import Probe
from vlcheck.models.contract import examine, probes_of
from vlcheck.models.hf.generative import Generative
from vlcheck.models.hf.prefixes import KeptPrefix, UnkeptPrefix
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel

RESULTS = Path(__file__).with_name("generative_types.json")
CLASSES = {kind: str(name) for kind, name in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.items()}
SAVED_AS = {"shieldgemma2": "ShieldGemma2ForImageClassification"}  # which published checkpoints name, not the mapping's
_PROBES = 8
_FOLDER = "a-checkpoint"  # in the place of the folder's path in a message

Entry = dict[str, Any]


def main() -> None:
    named = sys.argv[1:] or [*CLASSES]
    stored = json.loads(RESULTS.read_text("utf-8"))["types"] if RESULTS.exists() else []
    entries = {entry["type"]: entry for entry in stored}
    probes = probes_of(open_source("scenes:40").cases)[:_PROBES]
    for entry in tried(named, probes):
        entries[entry["type"]] = entry
        print(json.dumps(entry), flush=True)
        kept = {
            "transformers": transformers.__version__,
            "types": [entries[kind] for kind in CLASSES if kind in entries],
        }
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def tried(kinds: list[str], probes: list[Probe]) -> Iterator[Entry]:
    """Yield the entry of each type.

    Args:
        kinds: the types.
        probes: pictures and texts to ask about.
    """
    for kind in kinds:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / _FOLDER
            folder.mkdir()
            yield {"type": kind, "class": CLASSES[kind], **outcome(checkpoint(kind, folder), probes)}


def checkpoint(kind: str, folder: Path) -> Path:
    """Write a checkpoint of a type; of a type without a builder, the config alone, by which it is refused."""
    if kind in BUILDERS:
        return BUILDERS[kind](folder)
    config = {"architectures": [SAVED_AS.get(kind, CLASSES[kind])], "model_type": kind}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def outcome(folder: Path, probes: list[Probe]) -> Entry:
    """Return what becomes of a checkpoint.

    Raises:
        ValueError: it loads and breaks a clause of the contract.
    """
    try:
        model = load_model(str(folder))
    except UsageError as error:
        return {"refused": said(str(error), folder)}
    outcomes = [*examine(model, probes)]
    if broken := [f"{one.clause}: {one.found}" for one in outcomes if not one.kept]:
        raise ValueError(f"{folder}: {'; '.join(broken)}")
    return {"metrics": sorted(model.metrics), "clauses": len(outcomes), **kept(model, probes)}


def kept(model: VisionLanguageModel, probes: list[Probe]) -> Entry:
    """Return what a model keeps of a picture; of a kept prefix, the largest difference of a score without it."""
    how = kept_of(model)
    if how != PREFIX or not isinstance(model, Generative):
        return {"kept": how}
    scores = []
    for model.reading in (KeptPrefix, UnkeptPrefix):
        scores.append(_scores(model, probes))
    return {"kept": PREFIX, "scores": len(scores[0]), "difference": float(np.abs(scores[0] - scores[1]).max())}


def kept_of(model: VisionLanguageModel) -> str:
    """Return what a model keeps of a picture between its texts."""
    if not isinstance(model, Generative):
        return STATES
    return PREFIX if model.reading is KeptPrefix else NOTHING


def _scores(model: Generative, probes: list[Probe]) -> np.ndarray:
    """Return the scores of all texts of each picture, and of its words at the mask of a text: some of each length."""
    rows, texts = zip(*((row, text) for row, probe in enumerate(probes) for text in _texts(probe)), strict=True)
    encoded = model.encode([probe.image for probe in probes])
    filled = model.mlm(encoded, [probe.template for probe in probes], [probe.words for probe in probes])
    return np.concatenate([model.itm(encoded[list(rows)], texts), *filled])


def _texts(probe: Probe) -> tuple[str, ...]:
    first, *_ = probe.texts
    return (*probe.texts, f"a photo in which {first} is seen from the side", probe.words[0])


def said(message: str, folder: Path) -> str:
    """Return a message without the path of a temporary folder, and without the spec that it begins with.

    Args:
        message: the message.
        folder: the folder.
    """
    return message.removeprefix(f"model={str(folder)!r}: ").replace(str(folder), _FOLDER)


if __name__ == "__main__":
    main()
