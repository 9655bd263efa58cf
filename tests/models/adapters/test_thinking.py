"""A model that thinks is asked after its greedy thought, as transformers' generate and a pass after it have it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor

from tests.models.generative.builders import BUILDERS, IN_FLOAT32
from vlcheck.cases import Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.itm import CUT, Thinks
from vlcheck.metrics.registry import METRICS
from vlcheck.models.adapters.thinking import Thinker, thought_limit
from vlcheck.models.adapters.thought import Thought
from vlcheck.models.adapters.wording import QUESTION
from vlcheck.models.loading.load import load_model
from vlcheck.perturb import Solid

LIMIT = 7
TEXTS = ("a dog", "a red bus on the street")
MANY = (*TEXTS, "the dog", "a photo of the street", "left", "the red dog on the bus")
THINKS = "{% if add_generation_prompt %}<think>\n{% endif %}{# </think> #}"
# types whose networks keep more than keys and values: linear attention, convolutions and windows, layers that share
# states, state spaces, cross attention; and one that reads each conversation whole, since it picks what it attends to
HYBRID = ("qwen3_5", "lfm3_vl", "gemma4", "nemotron_h_omni", "mllama", "minimax_m3_vl")
DAILY = "qwen3_5"
PICTURE = Image.effect_mandelbrot((64, 48), (-2, -1.5, 1, 1.5), 30).convert("RGB")


@pytest.fixture(scope="module")
def thinking(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Checkpoints whose template opens a thought before each answer."""
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = BUILDERS[family](tmp_path_factory.mktemp(family))
            with (made[family] / "chat_template.jinja").open("a") as file:
                file.write(THINKS)
        return made[family]

    return folder


class ByHand:
    """transformers' generate on one conversation, and a forward pass over all of it after the thought is ended."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.network = AutoModelForImageTextToText.from_pretrained(
            folder, dtype=torch.float64, experts_implementation="eager"
        ).eval()
        self.processor, self.limit = AutoProcessor.from_pretrained(folder), limit
        self.tokenizer = self.processor.tokenizer

    def thought(self, text: str, image: Image.Image = PICTURE) -> tuple[Any, list[int]]:
        """Return the inputs of the question, and the tokens that generate writes after it."""
        asked = [{"type": "image", "image": image}, {"type": "text", "text": QUESTION.format(text=text)}]
        inputs = self.processor.apply_chat_template(
            [{"role": "user", "content": asked}],
            add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
        ).to(torch.float64)  # fmt: skip
        ids = self.network.generate(**inputs, do_sample=False, max_new_tokens=self.limit)[0].tolist()
        return inputs, ids[inputs["input_ids"].shape[1] :]

    @torch.inference_mode()
    def match(self, text: str, image: Image.Image = PICTURE) -> float:
        inputs, thought = self.thought(text, image)
        _, ended, _ = self.tokenizer.decode(thought).partition("</think>")
        closing = "\n\n" if ended else "\n</think>\n\n"
        if ended:
            assert len(thought) < self.limit
            assert self.tokenizer.decode(thought).endswith("</think>")
        more = torch.tensor([[*thought, *self.tokenizer(closing, add_special_tokens=False)["input_ids"]]])
        for name, tensor in inputs.items():
            if tensor.shape == inputs["attention_mask"].shape and name != "attention_mask":
                inputs[name] = torch.cat([tensor, more if name == "input_ids" else torch.zeros_like(more)], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        if (mask := inputs.get("cross_attention_mask")) is not None:  # of each token: later ones see what the last saw
            inputs["cross_attention_mask"] = torch.cat([mask, *[mask[:, -1:]] * more.shape[1]], dim=1)
        probs = self.network(**inputs).logits[0, -1].softmax(-1)
        words = [self.tokenizer.decode([token]).strip().lower() for token in range(len(probs))]
        yes, no = (sum(float(p) for p, one in zip(probs, words, strict=True) if one == word) for word in ("yes", "no"))
        return yes / (yes + no)


@pytest.mark.slow
@pytest.mark.parametrize(
    "family",
    [
        *("llava", "qwen2_vl", "gemma3"),
        *(kind if kind == DAILY else pytest.param(kind, marks=pytest.mark.nightly) for kind in HYBRID),
    ],
)
def test_a_match_after_a_thought_is_that_of_generate_and_a_pass_after_it(
    family: str, thinking: Callable[[str], Path]
) -> None:
    folder = thinking(family)
    model: Any = load_model(f"{folder},thought={LIMIT}", dtype="float64")
    assert model.kinds == {"itm": "yes-no-thought", "mlm": "candidates"}
    hand = ByHand(folder)
    # A network of random weights may write the picture's token, which no single pass over the whole text could read.
    texts = [text for text in MANY if model.chat.image_token not in hand.thought(text)[1]][:2]
    encoded, atol = model.encode([PICTURE])[[0, 0]], 1e-5 if family in IN_FLOAT32 else 1e-10
    np.testing.assert_allclose(model.itm(encoded, texts), [hand.match(text) for text in texts], rtol=0, atol=atol)
    assert list(model.cut_thoughts(encoded, texts)) == [True, True]


@pytest.mark.slow
def test_a_thought_that_ends_itself_is_not_cut(thinking: Callable[[str], Path], tmp_path: Path) -> None:
    """The third token of the thought is made the sign that ends it, by exchanging two rows of the network's head."""
    folder = Path(shutil.copytree(thinking("llava"), tmp_path / "ends"))
    processor = AutoProcessor.from_pretrained(folder)
    processor.tokenizer.add_tokens(["</think>"], special_tokens=True)
    processor.save_pretrained(folder)
    _, thought = ByHand(folder).thought(TEXTS[0])
    end, weights = processor.tokenizer.convert_tokens_to_ids("</think>"), load_file(folder / "model.safetensors")
    head = next(weight for name, weight in weights.items() if "lm_head" in name)
    assert thought[2] not in thought[:2]
    assert end < len(head)
    head[[end, thought[2]]] = head[[thought[2], end]]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model: Any = load_model(f"{folder},thought={LIMIT}", dtype="float64")
    encoded = model.encode([PICTURE])[[0, 0]]
    hand = ByHand(folder)
    assert hand.thought(TEXTS[0])[1][:3] == [*thought[:2], end]
    hand.network.generation_config.eos_token_id = [1, end]  # so that it ends with the thought
    np.testing.assert_allclose(model.itm(encoded, TEXTS), [hand.match(text) for text in TEXTS], rtol=0, atol=1e-10)
    assert not model.cut_thoughts(encoded, TEXTS)[0]


@pytest.mark.slow
def test_a_thought_does_not_depend_on_what_is_asked_with_it(thinking: Callable[[str], Path]) -> None:
    model: Any = load_model(f"{thinking('qwen2_vl')},thought={LIMIT}", dtype="float64")
    texts = ("a dog", "a cat", "a red bus on the street", "the dog is left of the cat")
    images = [PICTURE, Image.new("RGB", (96, 40), (200, 30, 30))]
    together = model.itm(model.encode(images)[[0, 1, 0, 1]], texts)
    alone = [model.itm(model.encode([images[row % 2]]), [text])[0] for row, text in enumerate(texts)]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-10)
    assert np.array_equal(model.itm(model.encode(images)[[0, 1, 0, 1]], texts), together)


@pytest.mark.slow
def test_always_thinking_models_think_unless_the_spec_says_no(thinking: Callable[[str], Path]) -> None:
    folder = thinking("llava")
    usual, none, short = (load_model(f"{folder}{option}") for option in ("", ",thought=0", ",thought=3"))
    assert [model.kinds["itm"] for model in (usual, none, short)] == ["yes-no-thought", "yes-no", "yes-no-thought"]
    assert len({model.fingerprint for model in (usual, none, short)}) == 3
    assert isinstance(usual, Thinks)
    with pytest.raises(NotApplicable, match="after a thought, and a thought has no gradients; SPEC,thought=0"):
        usual.differentiable()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_thought_past_the_positions_is_no_question(thinking: Callable[[str], Path]) -> None:
    model = load_model(f"{thinking('qwen2_vl')},thought=0")
    encoded = model.encode([PICTURE])
    model.itm(encoded, ["dog " * 500])
    with pytest.raises(UsageError, match="more than the 2048 tokens that the model reads"):
        load_model(f"{thinking('qwen2_vl')},thought=2040")


@pytest.mark.parametrize("said", ["many", "-1", "1.5", "32769", "²", ""])
def test_a_limit_is_a_whole_number(said: str) -> None:
    with pytest.raises(UsageError, match=f"thought={said}: has to be a whole number of tokens from 0 to 32,768"):
        thought_limit(said)


def test_limits() -> None:
    assert [thought_limit(said) for said in (None, "0", "256")] == [None, 0, 256]


class Letters:
    """A conversation in which each letter is a token."""

    thought = Thought("", "\n", "</t>", "\n\n", limit=6)
    tokenizer: Any = None

    def __init__(self) -> None:
        self.tokenizer = self

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        assert not skip_special_tokens
        return "".join(map(chr, ids))

    def closing(self, thought: str) -> list[int]:
        _, ended, rest = thought.rpartition("</t>")
        return [*map(ord, "\n\n".removeprefix(rest) if ended else "\n</t>\n\n")]


@pytest.mark.parametrize(
    ("written", "wanted", "cut"),
    [
        ("x</t>", "x</t>\n\n", False),
        ("abcdefgh", "abcdef\n</t>\n\n", True),
        ("ab$cd", "ab\n</t>\n\n", True),
        ("ab</t>", "ab</t>\n\n", False),
        ("abc</t>", "abc</t\n</t>\n\n", True),
    ],
    ids=["ends itself", "at the limit", "the turn ends", "with the last token", "one token too long"],
)
def test_thoughts_end(written: str, wanted: str, cut: bool) -> None:
    said, asked = iter(written), [*map(ord, "?")]

    def read(ids: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(torch.tensor(ord(next(said))), 128).double()

    found = Thinker(Letters(), {ord("$")}).think(read, asked, torch.device("cpu"))  # type: ignore[arg-type]
    assert ("".join(map(chr, found.ids)), found.cut) == (f"?{wanted}", cut)


def test_each_part_of_a_thought_is_read_once() -> None:
    parts: list[list[int]] = []

    def read(ids: Tensor) -> Tensor:
        parts.append(ids[0].tolist())
        return torch.nn.functional.one_hot(torch.tensor(ord("x")), 128).double()

    Thinker(Letters(), ()).think(read, [1, 2, 3], torch.device("cpu"))  # type: ignore[arg-type]
    assert parts == [[1, 2, 3], *[[ord("x")]] * 5]


def test_the_share_of_cut_thoughts_is_read_from_the_answers() -> None:
    view = View.of(Case(id="1", image=Solid((8, 8), (0, 0, 0)), caption="a dog", target="dog", candidates=("cat",)))
    question = METRICS["itm"].ask(view, ["cat"])
    tops = ((("yes", 0.3), ("no", 0.4), (CUT, 1.0)), (("yes", 0.2), ("no", 0.1), (CUT, 0.0)))
    answers = {word: Answer((0.5,), top) for word, top in zip(question.queries, tops, strict=True)}
    reading = METRICS["itm"].read(question, answers).reading
    assert (reading.cut, reading.mass) == (0.5, pytest.approx(0.3))
