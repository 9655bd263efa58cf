"""`transformers serve`, which gives no log-probabilities: tests are invalid with this reason; pictures arrive."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from tests.models.served.checkpoint import chatting
from tests.models.served.real import serving
from tests.models.served.test_runs import STATES, run, write
from vlcheck.models.adapters.yes_no import QUESTION
from vlcheck.models.served.line import CHAT
from vlcheck.models.served.pictures import SentPicture
from vlcheck.models.served.prompts import Dialect, Prompts
from vlcheck.results.file import read

pytestmark = [pytest.mark.slow, pytest.mark.nightly]  # a checkpoint is made and served
GREEDY = {"max_tokens": 6, "temperature": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return chatting(tmp_path_factory.mktemp("chat"))


@pytest.fixture(scope="module")
def url(folder, tmp_path_factory):
    pytest.importorskip("fastapi")
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder), "--device", "cpu"]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1"}
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    with serving(lambda port: [*command, "--port", str(port)], log, seconds=120, environment=quiet) as url:
        yield url


def test_tests_are_invalid_with_the_reason_and_none_is_green(tmp_path, url, folder):
    ended = run(write(tmp_path, test_it=STATES), f"openai:{url}#{folder}", "--vl-report=page.html")
    assert ended.returncode == 1
    why = f"gives no log-probabilities of {folder}, so that no score can be read from its answers"
    assert why in ended.stdout
    verdicts = read(tmp_path / "vlcheck-results.jsonl").verdicts
    assert [verdict.status for verdict in verdicts.values()] == ["invalid"]
    assert "no log-probabilities" in (tmp_path / "page.html").read_text()


def test_pictures_arrive_as_in_process(url, folder, pictures):
    prompts = Prompts(str(folder), Dialect(listed=0))
    asked = [prompts.match(SentPicture(picture).url, "the dog") | GREEDY for picture in pictures]
    served = [httpx.post(url + CHAT, json=body, timeout=60).json() for body in asked]
    answers = [one["choices"][0]["message"]["content"] for one in served]
    assert answers == [answered(folder, picture) for picture in pictures]
    assert len(set(answers)) > 1  # else a server that drops pictures would answer so, too


def answered(folder: Path, picture: Image.Image) -> str:
    """Return the likeliest answer to the question of `prompts.match` in process."""
    processor = AutoProcessor.from_pretrained(folder)
    network = AutoModelForImageTextToText.from_pretrained(folder).eval()
    parts = [{"type": "image"}, {"type": "text", "text": QUESTION.format(text="the dog")}]
    text = processor.apply_chat_template([{"role": "user", "content": parts}], add_generation_prompt=True)
    inputs = processor(text=[text], images=[picture], return_tensors="pt", add_special_tokens=False)
    with torch.inference_mode():
        said = network.generate(**inputs, max_new_tokens=GREEDY["max_tokens"], do_sample=False)
    return processor.decode(said[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
