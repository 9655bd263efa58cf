"""A checkpoint served by vLLM, against the same checkpoint in process. VLCHECK_VLLM names a Python that has vLLM."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from tests.models.served.checkpoint import chatting
from tests.models.served.real import serving
from tests.models.served.test_parity import CLOSE, MASKED, TEXTS, WORDS
from vlcheck import load_model

VARIABLE = "VLCHECK_VLLM"
PYTHON = os.environ.get(VARIABLE, "")
OPTIONS = ("--host=127.0.0.1", "--dtype=float32", "--max-model-len=1024", "--enforce-eager", "--max-num-seqs=8")
ON_CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_TARGET_DEVICE": "cpu", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.nightly,  # minutes until it answers
    pytest.mark.skipif(not PYTHON, reason=f"set {VARIABLE} to a Python that has vLLM"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return as_published(chatting(tmp_path_factory.mktemp("chat")))


@pytest.fixture(scope="module")
def there(folder, tmp_path_factory):
    served = ["-m", "vllm.entrypoints.openai.api_server", f"--model={folder}", "--served-model-name=org/small-vlm"]
    log = tmp_path_factory.mktemp("vllm") / "log.txt"
    started = serving(
        lambda port: [PYTHON, *served, *OPTIONS, f"--port={port}"],
        log,
        seconds=900,
        environment={**os.environ, **ON_CPU},
    )
    with started as url:
        yield load_model(f"openai:{url}#org/small-vlm,timeout=600")


def as_published(folder: Path) -> Path:
    """Write the weights under the names of published LLaVA checkpoints, which vLLM and transformers read."""
    path = folder / "model.safetensors"
    named = {name.replace("vision_tower.", "vision_tower.vision_model."): one for name, one in load_file(path).items()}
    save_file(named, path, {"format": "pt"})
    return folder


def test_scores_are_those_of_the_checkpoint_in_process(folder, there, pictures):
    here = load_model(str(folder))
    assert there.kinds == here.kinds
    own, its = (model.answers(model.encode(pictures), TEXTS) for model in (here, there))
    np.testing.assert_allclose(its.share, own.share, atol=CLOSE)
    assert np.ptp(its.share) > 10 * CLOSE  # else equality would say little
    words = [np.concatenate(model.mlm(model.encode(pictures), [MASKED] * 4, [WORDS] * 4)) for model in (here, there)]
    np.testing.assert_allclose(*words, atol=CLOSE)
    assert there.changed() == ""
