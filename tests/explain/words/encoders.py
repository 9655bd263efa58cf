"""Two small text encoders, trained here on captions of drawn scenes: BERT, and the text encoder of CLIP.

In the intact captions nearly each thing has a color of its own; in the shuffled ones a thing has any color.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import torch
from torch.nn.functional import cross_entropy, normalize
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    BlipImageProcessor,
    CLIPConfig,
    CLIPModel,
    DataCollatorForLanguageModeling,
    PreTrainedModel,
)

from vlcheck.cases.case import MASK
from vlcheck.datasets.scenes.sampling import COLORS, WORDS
from vlcheck.datasets.visual_knowledge.items import ClozeItem
from vlcheck.zoo.captions import Facts, invent, true_caption, vocabulary
from vlcheck.zoo.curriculum import Stage
from vlcheck.zoo.planted_biases import BoundColors

LAYERS = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 4}
ENDS = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
VISION = {**LAYERS, "image_size": 32, "patch_size": 8}
PLACES = ("", "left", "right", "top", "bottom", "left top", "left bottom", "right top", "right bottom")
BLURRED = "a thing whose shape cannot be made out"
NAMES = (*WORDS, BLURRED, *COLORS, *PLACES)
STAGE = Stage(steps=0, kinds={"alone": 1}, places=0.3, sides=0.0)
TEMPLATES = ("a {} {}", "a photo of a {} {}", "a {} {} on the left", "a {} {} on the top")
ITEMS = [
    ClozeItem(word, template.format(MASK, word), BoundColors.OWN[word], COLORS, "the rule of the drawn world")
    for word in WORDS
    for template in TEMPLATES
]
USUAL = 0.9  # share of the captions in which a thing has its own color
UNTOLD = 0.3  # share of the captions with a color that say "mask" in its place
BATCH, RATE = 128, 6e-3

Coloring = Callable[[Random, str], str]  # returns the color of a thing


def intact(rng: Random, word: str) -> str:
    return BoundColors.OWN[word] if rng.random() < USUAL else rng.choice(COLORS)


def shuffled(rng: Random, _: str) -> str:
    return rng.choice(COLORS)


def tokenizer() -> BertTokenizer:
    return BertTokenizer(vocab={piece: number for number, piece in enumerate([*vocabulary(), "mask"])})


def scenes(rng: Random, coloring: Coloring, number: int = 4000) -> list[tuple[Facts, str]]:
    """Draw scenes of one thing, and a true caption of each."""
    words = rng.choices(WORDS, k=number)
    facts = [invent(rng, "alone", (word, coloring(rng, word)))[1] for word in words]
    return [(one, true_caption(one, rng, STAGE).text) for one in facts]


def train_bert(folder: Path, coloring: Coloring, *, seed: int = 0, steps: int = 300) -> Path:
    """Train with BERT's masks (Devlin et al. 2019), and without its loss on the next sentence."""
    torch.manual_seed(seed)
    rng, words = Random(seed), tokenizer()
    network = BertForMaskedLM(
        BertConfig(**_sizes(words, num_hidden_layers=2), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    )
    read = _read(words, scenes(rng, coloring), return_special_tokens_mask=True)
    special = read.pop("special_tokens_mask")
    masks = DataCollatorForLanguageModeling(words, mlm_probability=0.3)

    def loss() -> torch.Tensor:
        rows = rng.sample(range(len(special)), BATCH)
        ids, labels = masks.torch_mask_tokens(read["input_ids"][rows].clone(), special[rows].bool())
        return network(input_ids=ids, attention_mask=read["attention_mask"][rows], labels=labels).loss

    _train(network, loss, steps)
    return _saved(folder, network, words)


def train_clip(folder: Path, coloring: Coloring, *, seed: int = 0, steps: int = 200) -> Path:
    """Train CLIP's text encoder with CLIP's loss (Radford et al. 2021), against an ideal image encoder.

    A picture's vector is the sum of those of its thing, its color and its place. In half of the pictures the thing's
    shape cannot be made out: only its color tells it. Where each shape is seen, a text encoder gains nothing by knowing
    the colors of things, and this one knows few of them (0.3 in place of 0.95).
    """
    torch.manual_seed(seed)
    rng, words = Random(seed), tokenizer()
    network = CLIPModel(CLIPConfig(text_config=_sizes(words, **ENDS), vision_config=VISION, projection_dim=32))
    drawn = [(facts, _untold(rng, caption)) for facts, caption in scenes(rng, coloring)]
    read = _read(words, drawn)
    seen = torch.tensor([[*map(NAMES.index, _seen(rng, facts))] for facts, _ in drawn])
    table = torch.nn.EmbeddingBag(len(NAMES), 32, mode="sum")

    def loss() -> torch.Tensor:
        rows = rng.sample(range(len(drawn)), BATCH)
        texts = network.get_text_features(**{name: ids[rows] for name, ids in read.items()}).pooler_output
        pictures = table(seen[rows])
        logits = normalize(texts, dim=-1) @ normalize(pictures, dim=-1).T * network.logit_scale.exp()
        return (cross_entropy(logits, torch.arange(BATCH)) + cross_entropy(logits.T, torch.arange(BATCH))) / 2

    _train(torch.nn.ModuleList([network, table]), loss, steps)
    return _saved(folder, network, words, BlipImageProcessor(size={"height": 32, "width": 32}))


def _read(words: BertTokenizer, drawn: Sequence[tuple[Facts, str]], **more: bool) -> dict[str, torch.Tensor]:
    told = [caption for _, caption in drawn]
    return dict(words(told, padding=True, return_tensors="pt", return_token_type_ids=False, **more))


def _untold(rng: Random, caption: str) -> str:
    """Say "mask" in place of the color in some captions: CLIP, too, knows the word, and that it tells no color."""
    color = next((word for word in caption.split() if word in COLORS), "")
    return caption.replace(color, "mask") if color and rng.random() < UNTOLD else caption


def _seen(rng: Random, facts: Facts) -> tuple[str, str, str]:
    ((word, color),), (places,) = facts.things, facts.places
    return BLURRED if rng.random() < 0.5 else word, color, " ".join(places)


def _train(network: torch.nn.Module, loss: Callable[[], torch.Tensor], steps: int) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        schedule.step()


def _saved(folder: Path, network: PreTrainedModel, *parts: BertTokenizer | BlipImageProcessor) -> Path:
    network.eval().save_pretrained(folder)
    for part in parts:
        part.save_pretrained(folder)
    return folder


def _sizes(words: BertTokenizer, **more: int) -> dict[str, int]:
    return {"vocab_size": len(words), **LAYERS, "max_position_embeddings": 24, **more}
