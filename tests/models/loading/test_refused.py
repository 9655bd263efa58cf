"""Types of models that cannot be asked about a picture are refused before anything is loaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from transformers import AutoConfig

from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.refused import REFUSED
from vlcheck.models.loading.tasks import MAPPED

NAMED = {kind: next((named[kind] for named in MAPPED.values() if kind in named), "Unmapped") for kind in REFUSED}
# Published checkpoints name a classifier, where transformers maps the type to the network inside of it.
PUBLISHED = ("shieldgemma2", "ShieldGemma2ForImageClassification")


@pytest.mark.parametrize(("kind", "architecture"), [*NAMED.items(), PUBLISHED])
def test_a_type_is_refused_with_the_reason(kind: str, architecture: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind, "architectures": [architecture]}))
    with pytest.raises(
        UsageError, match=re.escape(f"{architecture} of model type {kind} is refused: {REFUSED[kind]}.")
    ):
        load_model(str(tmp_path))


def test_every_refused_type_is_one_of_transformers() -> None:
    assert all(AutoConfig.for_model(kind).model_type == kind for kind in REFUSED)
