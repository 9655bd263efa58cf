"""Generative families against transformers' own forward, by hand on one pair at a time: no padding, no cache."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (
    AutoImageProcessor,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    BlipForConditionalGeneration,
)

from tests.models import chats
from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.kinds import ANY
from vlcheck.models.adapters.autoregressive import Autoregressive
from vlcheck.models.adapters.yes_no import Answering, spellings
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow

FAMILIES = (
    "llava",
    "llava_next",
    "llava_onevision",
    "qwen2_vl",
    "qwen2_5_vl",
    "qwen3_vl",
    "idefics3",
    pytest.param("smolvlm", marks=pytest.mark.skipif(find_spec("num2words") is None, reason="needs num2words")),
    "internvl",
    "gemma3",
    "mllama",
)
TEXTS = ["a red bus on the street", "a dog", "the cat is left of the dog in the photo"]
MASKED = [f"a red {MASK} on the street", f"a {MASK}", f"{MASK} of the dog is a cat in the photo"]
WORDS = [("bus", "dog", "zebra crossing"), ("dog", "bus", "ox"), ("left", "right")]  # most of several pieces
TOLERANCES = [("float64", 1e-10), ("float32", 5e-5)]
PAIRS = [(image, text) for image in range(3) for text in range(3)]


class ByHand:
    """A checkpoint as its documentation says to use it."""

    def __init__(self, folder: Path, dtype: str) -> None:
        self.network: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
        self.processor: Any = AutoProcessor.from_pretrained(folder)

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        user = {"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": asked}]}
        said = {"role": "assistant", "content": [{"type": "text", "text": answer}]}
        conversation, open_ended = ([user], True) if answer is None else ([user, said], False)
        inputs = self.processor.apply_chat_template(
            conversation,
            add_generation_prompt=open_ended,
            continue_final_message=not open_ended,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        return inputs.to(self.network.dtype)

    @torch.inference_mode()
    def match(self, image: Image.Image, text: str) -> float:
        inputs = self.inputs(image, f'Does this figure show "{text}"? Please answer yes or no.')
        probs = self.network(**inputs).logits[0, -1].double().softmax(-1)
        said = [self.processor.tokenizer.decode([token]).strip().lower() for token in range(len(probs))]
        yes, no = (
            sum(float(prob) for prob, one in zip(probs, said, strict=True) if one == word) for word in ("yes", "no")
        )
        return yes / (yes + no)

    @torch.inference_mode()
    def likelihood(self, image: Image.Image, text: str) -> float:
        prompt = self.inputs(image, "Describe the picture.")["input_ids"][0]
        inputs = self.inputs(image, "Describe the picture.", text)
        (ids,) = inputs["input_ids"]
        assert torch.equal(ids[: len(prompt)], prompt)
        log_probs = self.network(**inputs).logits[0].double().log_softmax(-1)
        return sum(float(log_probs[place - 1, ids[place]]) for place in range(len(prompt), len(ids)))

    def fill(self, image: Image.Image, text: str, words: tuple[str, ...]) -> np.ndarray:
        return softmax([self.likelihood(image, text.replace(MASK, word)) for word in words])


class ByPrompt(ByHand):
    """PaliGemma, whose processor takes a prompt and, in training, what the model should write after it."""

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        prompt = "<image>caption en" if asked.startswith("Describe") else f"<image>answer en {asked}"
        suffix = {} if answer is None else {"suffix": [answer]}
        inputs = self.processor(text=[prompt], images=[image], **suffix).convert_to_tensors("pt").to(self.network.dtype)
        del inputs["labels"]
        ends = inputs["input_ids"].shape[1] - (answer is not None)  # with a suffix comes the end of the text
        return {name: one[:, :ends] if name != "pixel_values" else one for name, one in inputs.items()}


def softmax(likelihoods: list[float]) -> np.ndarray:
    return torch.tensor(likelihoods, dtype=torch.float64).softmax(0).numpy()


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = getattr(chats, family)(tmp_path_factory.mktemp(family))
        return made[family]

    return folder


@pytest.fixture
def loaded(folder_of: Callable[[str], Path]) -> Callable[..., Any]:
    return lambda family, **options: load_model(str(folder_of(family)), **options)


@pytest.fixture
def llava_of_my_own(folder_of: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder_of("llava"), tmp_path / "mine"))


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_match_is_the_share_of_yes_in_what_transformers_says(
    family: str,
    dtype: str,
    atol: float,
    folder_of: Callable[[str], Path],
    loaded: Callable[..., Any],
    real_photographs: list[Image.Image],
) -> None:
    model, hand = loaded(family, dtype=dtype), ByHand(folder_of(family), dtype)
    images, texts = zip(*PAIRS, strict=True)
    found = model.itm(model.encode(real_photographs)[images], [TEXTS[text] for text in texts])
    theirs = [hand.match(real_photographs[image], TEXTS[text]) for image, text in PAIRS]
    np.testing.assert_allclose(found, theirs, rtol=0, atol=atol)
    assert len(set(np.round(theirs, 6))) == len(PAIRS)


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_word_is_as_likely_as_the_answer_it_completes(
    family: str,
    dtype: str,
    atol: float,
    folder_of: Callable[[str], Path],
    loaded: Callable[..., Any],
    real_photographs: list[Image.Image],
) -> None:
    model, hand = loaded(family, dtype=dtype), ByHand(folder_of(family), dtype)
    images, texts = zip(*PAIRS, strict=True)
    encoded = model.encode(real_photographs)[images]
    found = model.mlm(encoded, [MASKED[text] for text in texts], [WORDS[text] for text in texts])
    for (image, text), probs in zip(PAIRS, found, strict=True):
        theirs = hand.fill(real_photographs[image], MASKED[text], WORDS[text])
        np.testing.assert_allclose(probs, theirs, rtol=0, atol=atol)
        np.testing.assert_allclose(np.log(probs), np.log(theirs), rtol=0, atol=20 * atol)
        assert probs.sum() == pytest.approx(1, abs=1e-12)
        assert np.sort(probs)[-2] > 1e-4  # a close choice, in which a mistake would show


@pytest.mark.parametrize("family", [*FAMILIES, "paligemma", "paligemma2", "blip_captioning"])
def test_a_score_does_not_depend_on_what_is_read_with_it(
    family: str, loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = loaded(family, dtype="float64")
    encoded = model.encode(real_photographs)
    images = [0, 1, 2] * 12
    texts = [place % 9 // 3 for place in range(36)]
    found = []
    for model.max_pairs in (1, 7, 32):
        fill = model.mlm(encoded[images], [MASKED[text] for text in texts], [WORDS[text] for text in texts])
        match = model.itm(encoded[images], [TEXTS[text] for text in texts]) if "itm" in model.metrics else []
        found.append(np.concatenate([*fill, match]))
    alone = model.encode(real_photographs[1:2])
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found[2], found[0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(model.mlm(alone, MASKED[:1], WORDS[:1])[0], found[0][3:6], rtol=0, atol=1e-10)


def test_a_picture_is_read_once_for_all_its_texts(
    loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = loaded("llava")
    seen: list[int] = []
    read: list[int] = []
    model.network.model.vision_tower.register_forward_hook(lambda *_: seen.append(1))
    layer = model.network.model.language_model.layers[0]
    layer.register_forward_hook(lambda _, inputs, output: read.append(int(np.prod(output.shape[:2]))))
    encoded = model.encode(real_photographs[:2])
    pictures = sum(prefix.length for prefix in encoded.prefixes)
    assert (len(seen), sum(read)) == (2, pictures)
    model.itm(encoded[[0, 1, 0, 1]], ["a dog"] * 4)
    model.mlm(encoded[[1]], MASKED[:1], WORDS[:1])
    assert len(seen) == 2
    texts = sum(read) - pictures
    question = len(model.chat.asked("a dog")) - len(encoded.prefixes[0].head)
    answer = max(len(model.chat.answered(MASKED[0].replace(MASK, word))) for word in WORDS[0]) - len(
        encoded.prefixes[1].head
    )
    assert texts == 4 * question + 3 * answer


def test_what_is_neither_yes_nor_no_is_told(loaded: Callable[..., Any], real_photographs: list[Image.Image]) -> None:
    model = loaded("llava")
    encoded = model.encode(real_photographs)
    answers = model.answers(encoded, TEXTS)
    assert isinstance(model, Answering)
    np.testing.assert_allclose(model.itm(encoded, TEXTS), answers.yes / (answers.yes + answers.no))
    assert (answers.yes + answers.no < 0.2).all()


def test_every_spelling_of_an_answer_counts(loaded: Callable[..., Any]) -> None:
    model = loaded("llava")
    vocabulary = model.chat.tokenizer.get_vocab()
    assert model.yes == sorted(vocabulary[token] for token in ("Yes", "Ġyes", "yes") if token in vocabulary)
    assert len(model.yes) > 1
    with pytest.raises(UsageError, match="no token for the answer 'oui'"):
        spellings(model.chat.tokenizer, "oui")


def test_an_answer_without_yes_and_no_is_a_number_all_the_same(
    loaded: Callable[..., Any], real_photographs: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded("llava")
    encoded = model.encode(real_photographs[:1])
    monkeypatch.setattr(model, "_yes_and_no", lambda *_: torch.zeros(2, 1, dtype=torch.float64))
    assert model.itm(encoded, ["a dog"]).tolist() == [0.5]  # which does not count: its mass is 0


def test_words_that_are_compared_are_a_share_of_what_the_model_would_write(
    folder_of: Callable[[str], Path], loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model, hand, (image, *_) = loaded("llava", dtype="float64"), ByHand(folder_of("llava"), "float64"), real_photographs
    encoded = model.encode([image])
    for text, words in zip(MASKED, WORDS, strict=True):
        written = [hand.inputs(image, "Describe the picture.", text.replace(MASK, word)) for word in words]
        ids = [inputs["input_ids"][0].tolist() for inputs in written]
        start = next(place for place, column in enumerate(zip(*ids, strict=False)) if len(set(column)) > 1)
        with torch.inference_mode():
            probs = hand.network(**written[0]).logits[0, start - 1].softmax(-1)
        theirs = sum(float(probs[token]) for token in {one[start] for one in ids})
        model.mlm(encoded, [text], [words])
        assert model.top(encoded, [text], 1) == [[(ANY, pytest.approx(theirs, abs=1e-10))]]


def test_outside_of_a_closed_set_no_word_is_likely(
    loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = loaded("llava")
    encoded = model.encode(real_photographs[:1])
    assert model.kinds == {"itm": "yes-no", "mlm": "candidates"}
    assert model.top(encoded, MASKED[:1], 5) == [[]]
    twice, once = (model.mlm(encoded, MASKED[:1], [words])[0] for words in (("bus", "dog", "bus"), ("dog", "bus")))
    np.testing.assert_allclose(twice, once[[1, 0, 1]])
    ((name, mass),) = model.top(encoded, MASKED[:1], 5)[0]
    assert (name, 0 < mass < 1) == (ANY, True)
    with pytest.raises(NotApplicable, match="only compares words, and no other is known to be false"):
        model.mlm(encoded, MASKED[:1], [["bus", "bus"]])
    with pytest.raises(UsageError, match="exactly once"):
        model.mlm(encoded, ["a bus"], [["bus", "dog"]])


def test_a_word_that_another_begins_with_has_nothing_to_lose(
    loaded: Callable[..., Any], folder_of: Callable[[str], Path], real_photographs: list[Image.Image]
) -> None:
    model, hand = loaded("llava", dtype="float64"), ByHand(folder_of("llava"), "float64")
    words = ("bus", "bus on the street")
    found = model.mlm(model.encode(real_photographs[:1]), [f"a {MASK}"], [words])[0]
    np.testing.assert_allclose(found, hand.fill(real_photographs[0], f"a {MASK}", words), rtol=0, atol=1e-10)
    assert found[0] > found[1]


def test_nothing_asked_is_nothing_answered(loaded: Callable[..., Any], real_photographs: list[Image.Image]) -> None:
    model = loaded("llava")
    encoded = model.encode(real_photographs[:1])
    assert model.itm(encoded[[]], []).shape == (0,)
    assert model.mlm(encoded[[]], [], []) == []
    assert model.mlm(encoded, MASKED[:1], [[]])[0].shape == (0,)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_scores_about_the_same(
    dtype: str, loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    whole, half = loaded("qwen2_vl"), loaded("qwen2_vl", dtype=dtype)
    scores = [model.itm(model.encode(real_photographs), TEXTS) for model in (whole, half)]
    np.testing.assert_allclose(*scores, atol=0.1)
    assert whole.fingerprint != half.fingerprint


def test_a_text_past_the_positions_is_no_question(
    loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = loaded("llava")
    with pytest.raises(NotApplicable, match="its prompt have more than the 2048 tokens that the model reads"):
        model.itm(model.encode(real_photographs[:1]), ["dog " * 2048])


def test_a_question_that_raised_an_error_has_no_answer_when_it_is_asked_again(
    loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = loaded("llava")
    encoded = model.encode(real_photographs[:1])
    answered = model.itm(encoded, ["a dog"])
    for _ in range(2):
        with pytest.raises(NotApplicable, match="more than the 2048 tokens"):
            model.itm(encoded, ["dog " * 2048])
        assert list(model.cut_thoughts(encoded, ["dog " * 2048])) == []
    assert model.itm(encoded, ["a dog"]) == answered


def test_a_missing_chat_template_is_named(llava_of_my_own: Path) -> None:
    (llava_of_my_own / "chat_template.jinja").unlink()
    with pytest.raises(UsageError, match=r"mine: its processor has no chat template.*chat_template\.jinja"):
        load_model(str(llava_of_my_own))


def test_a_chat_template_beside_the_tokenizer_is_found(
    llava_of_my_own: Path, loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    template = (llava_of_my_own / "chat_template.jinja").read_text()
    (llava_of_my_own / "chat_template.jinja").unlink()
    config = llava_of_my_own / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"chat_template": template}))
    mine, theirs = load_model(str(llava_of_my_own)), loaded("llava")
    images = real_photographs[:1]
    assert np.array_equal(mine.itm(mine.encode(images), TEXTS[:1]), theirs.itm(theirs.encode(images), TEXTS[:1]))


def test_a_template_with_the_text_before_the_picture_is_refused(llava_of_my_own: Path) -> None:
    part = "{% for part in message['content'] | reverse %}{{ part['text'] or '<image>' }}{% endfor %}"
    template = f"{{% for message in messages %}}{part}{{% endfor %}}"
    (llava_of_my_own / "chat_template.jinja").write_text(template)
    with pytest.raises(UsageError, match="puts something else than the picture before 'a dog'"):
        load_model(str(llava_of_my_own))


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{% for message in messages %}{{ message['content'][-1]['text'] }}{% endfor %}", ".*<image>"),
        ("{{ messages[0].__class__.__mro__ }}", "SecurityError"),
        ("{{ raise_exception('no pictures here') }}", "TemplateError: no pictures here"),
        ("{% for", "TemplateSyntaxError"),
    ],
)
def test_a_template_that_puts_no_question_about_a_picture_is_refused(
    llava_of_my_own: Path, template: str, why: str
) -> None:
    (llava_of_my_own / "chat_template.jinja").write_text(template)
    with pytest.raises(UsageError, match=rf"mine: its chat template puts no question about one picture\. .*{why}"):
        load_model(str(llava_of_my_own))


HEAD = "{% if add_generation_prompt %}ASSISTANT:{% endif %}"


def with_head(head: str, more: str = "") -> str:
    return chats.LLAVA.replace(HEAD, HEAD.replace("ASSISTANT:", head)) + more


@pytest.mark.parametrize(
    ("template", "read", "meant"),
    [
        (chats.LLAVA.replace(HEAD, ""), "nothing", "'ASSISTANT:'"),
        (chats.LLAVA + "<|im_end|>", r"'ASSISTANT:<\|im_end\|>'", "'ASSISTANT:'"),
        (with_head("ASSISTANT:</s>"), "'ASSISTANT:</s>'", "'ASSISTANT:'"),
        (with_head("ASSISTANT:<scratchpad>"), "'ASSISTANT:<scratchpad>'", "'ASSISTANT:'"),
        (with_head("ASSISTANT:<|channel|>analysis<|message|>"), r"'ASSISTANT:<\|channel", "'ASSISTANT:'"),
        (with_head("ASSISTANT:<unused94>thought\n", "{# <unused95> #}"), "'ASSISTANT:<unused94>thought'", "'ASSIST"),
        (with_head('ASSISTANT:{{ \'{"answer": "\' }}'), """'ASSISTANT:{"answer": "'""", "'ASSISTANT:'"),
        (with_head("ASSISTANT: Step by step:"), "'ASSISTANT: Step by step:'", "'ASSISTANT:'"),
        (chats.QWEN.replace("add_generation_prompt", "false"), r"'<\|im_end\|>'", r"'<\|im_end\|>\\n<\|im_start"),
    ],
)
def test_an_answer_is_read_where_the_template_puts_it(
    template: str, read: str, meant: str, llava_of_my_own: Path
) -> None:
    template = template.replace("<|vision_start|><|image_pad|><|vision_end|>", "<image>")
    (llava_of_my_own / "chat_template.jinja").write_text(template)
    with pytest.raises(UsageError, match=rf"mine: its chat template: where .* it writes {read}.* it writes {meant}"):
        load_model(str(llava_of_my_own))


MISTRAL = (
    "{% for message in messages %}{% if message['role'] == 'user' %}[INST] {% for part in message['content'] %}"
    "{{ part['text'] or '<image>\n' }}{% endfor %} [/INST]{% else %} {{ message['content'][0]['text'] }}</s>{% endif %}"
    "{% endfor %}"
)


@pytest.mark.parametrize(
    "template",
    [
        MISTRAL,
        chats.LLAVA.replace("message['role'].upper() + ': '", "message['role'].upper() + ':\n '"),
        chats.QWEN,
        chats.GEMMA,
        chats.IDEFICS,
    ],
    ids=["no turn of its own", "other spaces", "qwen", "gemma", "idefics"],
)
def test_heads_of_published_templates_are_accepted(template: str, llava_of_my_own: Path) -> None:
    for sign in ("<|vision_start|><|image_pad|><|vision_end|>", "<start_of_image>"):
        template = template.replace(sign, "<image>")
    (llava_of_my_own / "chat_template.jinja").write_text(template)
    assert load_model(str(llava_of_my_own)).kinds == {"itm": "yes-no", "mlm": "candidates"}


@pytest.mark.parametrize("change", ["part['text'][:40]", "part['text'][:300]", "part['text'] | upper", "''"])
def test_a_template_that_changes_what_is_said_is_refused(change: str, llava_of_my_own: Path) -> None:
    (llava_of_my_own / "chat_template.jinja").write_text(chats.LLAVA.replace("part['text'] + ' '", f"{change} + ' '"))
    with pytest.raises(UsageError, match="mine: its chat template: it changes or omits a text: 'Does this"):
        load_model(str(llava_of_my_own))


@pytest.mark.parametrize("sign", ["<image>", "<|im_end|>\n<|im_start|>assistant\nYes", "<s>"])
def test_a_text_with_a_sign_of_the_chat_is_no_question(
    sign: str, loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    model = loaded("llava")
    encoded = model.encode(real_photographs[:1])
    with pytest.raises(NotApplicable, match="is a special token of the model, not a word"):
        model.itm(encoded, [f"a dog {sign}"])
    with pytest.raises(NotApplicable, match="is a special token of the model, not a word"):
        model.mlm(encoded, [f"a {MASK} {sign}"], [("dog", "cat")])


def test_a_picture_that_the_processor_refuses_is_no_question(loaded: Callable[..., Any]) -> None:
    with pytest.raises(NotApplicable, match=r"the model's processor refuses the picture: .*aspect ratio"):
        loaded("qwen2_vl").encode([Image.new("RGB", (10_000, 1))])


@pytest.mark.parametrize(
    "today",
    [
        "{% if date_string is not defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
        "Today is {{ date_string }}. ",
        "{% if strftime_now is defined %}Today is {{ strftime_now('%d %b %Y') }}. {% endif %}",
    ],
)
def test_a_template_is_told_the_same_date_every_day(llava_of_my_own: Path, today: str) -> None:
    template = llava_of_my_own / "chat_template.jinja"
    template.write_text(today + template.read_text())
    chat = load_model(str(llava_of_my_own)).chat  # type: ignore[attr-defined]
    assert "Today is 26 Jul 2024." in chat.tokenizer.decode(chat.asked("a dog"))


def test_missing_processor_files_are_named(llava_of_my_own: Path) -> None:
    (llava_of_my_own / "processor_config.json").unlink()
    with pytest.raises(UsageError, match=r"mine: no (processor|image processor) can be loaded"):
        load_model(str(llava_of_my_own))


def test_a_missing_weight_is_named(llava_of_my_own: Path) -> None:
    weights = load_file(llava_of_my_own / "model.safetensors")
    name = next(name for name in weights if name.endswith("q_proj.weight"))
    save_file({one: weight for one, weight in weights.items() if one != name}, llava_of_my_own / "model.safetensors")
    with pytest.raises(UsageError, match=r"the weights lack .*q_proj\.weight"):
        load_model(str(llava_of_my_own))


def test_another_chat_template_is_another_fingerprint(llava_of_my_own: Path, loaded: Callable[..., Any]) -> None:
    assert load_model(str(llava_of_my_own)).fingerprint == loaded("llava").fingerprint
    with (llava_of_my_own / "chat_template.jinja").open("a") as file:
        file.write(" ")
    assert load_model(str(llava_of_my_own)).fingerprint != loaded("llava").fingerprint


@pytest.mark.skipif(find_spec("accelerate") is None, reason="needs accelerate")
def test_a_model_that_is_spread_over_devices_scores_the_same(
    loaded: Callable[..., Any], real_photographs: list[Image.Image]
) -> None:
    here, spread = loaded("qwen2_vl"), loaded("qwen2_vl", device="auto")
    scores = [model.itm(model.encode(real_photographs), TEXTS) for model in (here, spread)]
    np.testing.assert_allclose(*scores, atol=5e-5)


def test_spreading_asks_for_accelerate(loaded: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)  # as where it is not installed
    with pytest.raises(UsageError, match="device=auto: needs the package accelerate"):
        loaded("qwen2_vl", device="auto")


@pytest.mark.skipif(find_spec("accelerate") is None, reason="needs accelerate")
def test_what_cannot_be_spread_says_so(loaded: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match=r"device=auto: .* is not spread .*Accepted: cpu, cuda"):
        loaded("blip_captioning", device="auto")


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
def test_blip_fills_by_the_caption_that_a_word_completes(
    dtype: str,
    atol: float,
    folder_of: Callable[[str], Path],
    loaded: Callable[..., Any],
    real_photographs: list[Image.Image],
) -> None:
    model, folder = loaded("blip_captioning", dtype=dtype), folder_of("blip_captioning")
    network = BlipForConditionalGeneration.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    tokenizer, images = AutoTokenizer.from_pretrained(folder), AutoImageProcessor.from_pretrained(folder)

    @torch.inference_mode()
    def likelihood(image: Image.Image, text: str) -> float:
        pixels = images([image], return_tensors="pt").to(network.dtype)
        ids = tokenizer(f"a picture of {text}", return_tensors="pt")["input_ids"][:, :-1]
        ids[:, 0] = network.decoder_input_ids
        log_probs = network(**pixels, input_ids=ids).logits[0].double().log_softmax(-1)
        prompt = len(tokenizer("a picture of ")["input_ids"]) - 1
        return sum(float(log_probs[place - 1, ids[0, place]]) for place in range(prompt, ids.shape[1]))

    assert isinstance(model, Autoregressive)
    assert (model.metrics, dict(model.kinds)) == ({"mlm"}, {"mlm": "candidates"})
    found = model.mlm(model.encode(real_photographs), MASKED, WORDS)
    for image, text, words, probs in zip(real_photographs, MASKED, WORDS, found, strict=True):
        theirs = softmax([likelihood(image, text.replace(MASK, word)) for word in words])
        np.testing.assert_allclose(probs, theirs, rtol=0, atol=atol)


def test_blip_captions_do_not_match(loaded: Callable[..., Any], real_photographs: list[Image.Image]) -> None:
    model = loaded("blip_captioning")
    with pytest.raises(UsageError, match="has no itm: BLIP matches in its retrieval checkpoint"):
        model.itm(model.encode(real_photographs[:1]), TEXTS[:1])


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize("family", ["paligemma", "paligemma2"])
def test_paligemma_is_asked_by_its_own_prompts(
    family: str,
    dtype: str,
    atol: float,
    folder_of: Callable[[str], Path],
    loaded: Callable[..., Any],
    real_photographs: list[Image.Image],
) -> None:
    model, hand = loaded(family, dtype=dtype), ByPrompt(folder_of(family), dtype)
    images, texts = zip(*PAIRS, strict=True)
    encoded = model.encode(real_photographs)[images]
    matches = model.itm(encoded, [TEXTS[text] for text in texts])
    fills = model.mlm(encoded, [MASKED[text] for text in texts], [WORDS[text] for text in texts])
    for (image, text), found, probs in zip(PAIRS, matches, fills, strict=True):
        assert found == pytest.approx(hand.match(real_photographs[image], TEXTS[text]), rel=0, abs=atol)
        theirs = hand.fill(real_photographs[image], MASKED[text], WORDS[text])
        np.testing.assert_allclose(probs, theirs, rtol=0, atol=atol)
    assert len(set(np.round(matches, 6))) == len(PAIRS)
