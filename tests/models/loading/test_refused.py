"""Types of models that cannot be asked about a picture are refused before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoConfig

from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.refused import REFUSED
from vlcheck.models.loading.tasks import MAPPED

# Published checkpoints name a classifier, where transformers maps the type to the network inside of it.
PUBLISHED = {"shieldgemma2": "ShieldGemma2ForImageClassification"}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_type_is_refused_with_the_reason(kind: str, tmp_path: Path) -> None:
    architecture = PUBLISHED.get(kind) or next((named[kind] for named in MAPPED.values() if kind in named), "Unmapped")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind, "architectures": [architecture]}))
    with pytest.raises(UsageError, match=f"{architecture} of model type {kind} is refused: its? "):
        load_model(str(tmp_path))


def test_every_refused_type_is_one_of_transformers() -> None:
    assert all(AutoConfig.for_model(kind).model_type == kind for kind in REFUSED)
