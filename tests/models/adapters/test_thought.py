"""The signs of thoughts in chat templates, and models that are told to answer without a thought."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.models import chats
from vlcheck.errors import UsageError
from vlcheck.models.adapters.thought import ANSWER, REASON, Thought, end_of_thought, thought_of, without_thoughts
from vlcheck.models.loading.load import load_model

PROMPT = "<|im_start|>assistant\n{% endif %}"
OPENED = "<think>\n"
CLOSED = "<think>\n\n</think>\n\n"
OF_EARLIER_TURNS = "{{ message['thought'] + '</think>' if message['thought'] }}"


def template(prompt: str, turn: str = "") -> str:
    """Qwen's, with something more after a question, and at the end of each turn."""
    return chats.QWEN.replace(PROMPT, PROMPT.replace("{% endif %}", prompt + "{% endif %}")).replace(
        "<|im_end|>\n{% endfor %}", turn + "<|im_end|>\n{% endfor %}"
    )


def by_switch(name: str, off: str) -> str:
    return f"{{% if {name} is not defined or {name} %}}{OPENED}{{% else %}}{off}{{% endif %}}"


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chats.qwen2_vl(tmp_path_factory.mktemp("qwen2_vl"))


def answer(qwen: Path, folder: Path, chat: str, options: str = ",thought=0") -> tuple[float, float]:
    shutil.copytree(qwen, folder)
    (folder / "chat_template.jinja").write_text(chat)
    model = load_model(f"{folder}{options}")
    encoded = model.encode([Image.new("RGB", (64, 48), (200, 30, 30))])
    yes, no = model.answers(encoded, ["a dog"])
    return float(yes[0]), float(no[0])


@pytest.mark.parametrize(
    ("thinking", "without"),
    [
        (template(by_switch("enable_thinking", "")), template("")),
        (template(by_switch("enable_thinking", CLOSED)), template(CLOSED)),
        (template(by_switch("thinking", "")), template("")),
        (template(OPENED, turn=OF_EARLIER_TURNS), template(CLOSED)),
        (template("<think>Well, ", turn=OF_EARLIER_TURNS), template("<think>Well,\n\n</think>\n\n")),
    ],
    ids=["on by default", "a closed thought", "another name", "written out", "begun"],
)
def test_a_model_that_thinks_is_asked_without(thinking: str, without: str, qwen: Path, tmp_path: Path) -> None:
    assert answer(qwen, tmp_path / "thinking", thinking) == answer(qwen, tmp_path / "without", without)


def test_a_thought_that_cannot_be_ended_is_refused(qwen: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"thinking: its chat template: it opens a thought \(<think>\)"):
        answer(qwen, tmp_path / "thinking", template(OPENED))


@pytest.mark.parametrize(
    ("prompt", "end"),
    [
        ("<think>", "</think>"),
        ("◁think▷", "◁/think▷"),
        ("[THINK]\n", "[/THINK]"),
        ("<seed:think>", "</seed:think>"),
        ("<|begin_of_thought|>\n", "<|end_of_thought|>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|Start_Thinking|>", "<|End_Thinking|>"),
        ("<think>\n\n</think>\n\n<think>", "</think>"),
    ],
)
def test_signs_of_thoughts(prompt: str, end: str) -> None:
    assert end_of_thought(prompt, "", {end}).strip() == end
    assert end_of_thought(f"{prompt}{end}", "", {end}) == ""


@pytest.mark.parametrize("prompt", ["", "ASSISTANT:", "<|im_start|>assistant\n", "<answer>"])
def test_what_is_no_thought(prompt: str) -> None:
    assert end_of_thought(prompt, "<think></think>", {"</think>"}) == ""


def test_a_thought_that_is_ended_is_left_out() -> None:
    prompt = "ASSISTANT: <|START_THINKING|>So.<|END_THINKING|>\n<think>Well</think> <think>"
    assert without_thoughts(prompt) == "ASSISTANT: \n <think>"


def test_the_share_of_other_answers_is_seen(qwen: Path, tmp_path: Path) -> None:
    yes, no = answer(qwen, tmp_path / "plain", template(""), "")
    assert 0 < yes + no < 0.5  # of a network of random weights
    assert np.isfinite([yes, no]).all()


@pytest.mark.parametrize(
    ("prompt", "thought_out", "wanted"),
    [
        ("A:<think>\n", f"A:<think>\n{REASON}\n</think>\n\n{ANSWER}</s>", ("", "\n", "</think>", "\n\n")),
        ("A:<think>", f"A:<think>{REASON}</think>{ANSWER}", ("", "", "</think>", "")),
        ("A:<think>", f"A:{ANSWER}", ("", "\n", "</think>", "\n\n")),
        ("A:", f"A:<think>{REASON}</think> {ANSWER}", ("<think>", "", "</think>", " ")),
        ("A:", f"A:{ANSWER}", ("<think>\n", "\n", "</think>", "\n\n")),
        ("A:<|START_THINKING|>", "", ("", "\n", "<|END_THINKING|>", "\n\n")),
    ],
    ids=["as it is written", "without lines", "not written", "opened by the model", "of the vocabulary", "other signs"],
)
def test_a_thought_is_opened_and_ended_as_the_template_does(
    prompt: str, thought_out: str, wanted: tuple[str, ...]
) -> None:
    known = ["</think>", "<think>", "<|END_THINKING|>"]
    assert thought_of(prompt, thought_out, "", known, 9) == Thought(*wanted, limit=9)


def test_without_signs_there_is_no_thought() -> None:
    with pytest.raises(UsageError, match=r"has a sign that begins .* e\.g\. <think> and </think>\. Leave thought= out"):
        thought_of("ASSISTANT:", "", "no signs", ["dog"], 9)
