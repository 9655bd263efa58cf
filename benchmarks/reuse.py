"""Time what it saves to encode an image once for all its texts, by family, on full-size networks with random weights.

    python -m benchmarks.reuse COCO_ROOT

Two photographs with TEXTS texts each, asked twice: encoded once each, and encoded anew for each text, in one batch as
well. Families that read image and text together from the first layer on have nothing to reuse. The figures go to
benchmarks/reuse.json, from where `python -m benchmarks.table` writes the table of docs/explanation/speed.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipForImageTextRetrieval,
    BlipImageProcessor,
    BridgeTowerConfig,
    BridgeTowerImageProcessor,
    CLIPConfig,
    CLIPModel,
    FlavaConfig,
    FlavaForPreTraining,
    FlavaImageProcessor,
    PreTrainedModel,
    ProcessorMixin,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)
from transformers.image_processing_utils import BaseImageProcessor

from benchmarks.albef_checkpoint import random_albef
from benchmarks.suite import machine, timed
from tests.models.chats import IDEFICS, IMAGE, number, tokenizer
from tests.models.checkpoints import bert_tokenizer
from vlcheck.cases import MASK, ImageFile
from vlcheck.models.hf.bridgetower import BridgeTowerWithHeads
from vlcheck.models.loading.load import load_model
from vlcheck.models.original.albef.config import AlbefConfig
from vlcheck.models.protocol import Encoded, VisionLanguageModel, only_compares

RESULTS = Path(__file__).with_name("reuse.json")
WORDS = ("bus", "dog", "cat", "street", "photo", "left", "right", "red")
TEXTS = len(WORDS)  # an image
TEMPLATE = f"a photo of the {MASK} on the left of the street"


SQUARES = {side: {"height": side, "width": side} for side in (224, 384, 512)}
SMOLVLM_VISION = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
SMOLVLM_TEXT = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49_280,
}


def albef(folder: Path) -> str:
    return f"albef:{random_albef(folder, AlbefConfig(), [TEMPLATE, *WORDS])}"


def blip_itm(folder: Path) -> str:
    return _save(folder, BlipForImageTextRetrieval(_blip()), bert_tokenizer(), BlipImageProcessor(size=SQUARES[384]))


def blip_captioning(folder: Path) -> str:
    return _save(folder, BlipForConditionalGeneration(_blip()), bert_tokenizer(), BlipImageProcessor(size=SQUARES[384]))


def _blip() -> BlipConfig:
    return BlipConfig(
        vision_config={"image_size": 384}, text_config={"bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
    )


def flava(folder: Path) -> str:
    images = FlavaImageProcessor(return_image_mask=False, return_codebook_pixels=False)
    return _save(folder, FlavaForPreTraining(FlavaConfig(init_codebook=False)), bert_tokenizer(), images)


def bridgetower(folder: Path) -> str:
    config = BridgeTowerConfig(text_config={"pad_token_id": 0})
    _save(folder, BridgeTowerWithHeads(config), bert_tokenizer(), BridgeTowerImageProcessor())
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"architectures": ["BridgeTowerForMaskedLM"]}))
    return str(folder)


def clip(folder: Path) -> str:
    config = CLIPConfig(text_config={"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0})
    return _save(folder, CLIPModel(config), bert_tokenizer(), BlipImageProcessor(size=SQUARES[224]))


def siglip(folder: Path) -> str:
    return _save(folder, SiglipModel(SiglipConfig()), bert_tokenizer(), SiglipImageProcessor(size=SQUARES[224]))


def smolvlm(folder: Path) -> str:
    config = SmolVLMConfig(
        vision_config={**SMOLVLM_VISION, "image_size": 512, "patch_size": 16},
        text_config={"model_type": "llama", **SMOLVLM_TEXT, "pad_token_id": number("<pad>")},
        image_token_id=number(IMAGE),
        scale_factor=4,
    )
    images = SmolVLMImageProcessor(
        do_image_splitting=False, size={"longest_edge": 512}, max_image_size={"longest_edge": 512}
    )
    processor = SmolVLMProcessor(images, tokenizer(), SmolVLMVideoProcessor(), image_seq_len=64, chat_template=IDEFICS)
    return _save(folder, SmolVLMForConditionalGeneration(config), processor)


def _save(folder: Path, *parts: PreTrainedModel | BertTokenizer | ProcessorMixin | BaseImageProcessor) -> str:
    for part in parts:
        part.save_pretrained(folder)
    return str(folder)


FAMILIES: Mapping[str, Callable[[Path], str]] = {
    "ALBEF, 256 px": albef,
    "BLIP base, matching, 384 px": blip_itm,
    "BLIP base, captioning, 384 px": blip_captioning,
    "FLAVA, 224 px": flava,
    "BridgeTower base, 288 px": bridgetower,
    "CLIP B/32, 224 px": clip,
    "SigLIP base, 224 px": siglip,
    "generative: SmolVLM 256M, one tile of 512 px": smolvlm,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path)
    parser.add_argument("--rounds", type=int, default=3, help="how often both are timed in turn")
    chosen = parser.parse_args()
    images = [ImageFile(path).open() for path in sorted(chosen.coco.glob("*/*.jpg"))[:2]]
    seconds: dict[str, list[list[float]]] = {}
    for name, make in FAMILIES.items():
        seconds[name] = measured(make, images, chosen.rounds)
        figures = {"texts": TEXTS, "machine": machine(), "seconds": seconds}
        RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measured(make: Callable[[Path], str], images: list[Image.Image], rounds: int) -> list[list[float]]:
    """Seconds with and without reuse, of each round."""
    with tempfile.TemporaryDirectory() as folder:
        model = load_model(make(Path(folder)))
    rows = [row for row in range(len(images)) for _ in range(TEXTS)]
    anew = [images[row] for row in rows]
    ask(model, model.encode(images)[rows])  # the first call of a network is slower
    turns = [
        [timed(lambda: ask(model, model.encode(images)[rows])), timed(lambda: ask(model, model.encode(anew)))]
        for _ in range(rounds)
    ]
    print(f"{model.name}: {turns}", flush=True)
    return turns


def ask(model: VisionLanguageModel, encoded: Encoded) -> None:
    """Ask of every image TEXTS texts, with the mask where the model fills it in."""
    words = [word for _ in range(len(encoded) // TEXTS) for word in WORDS]
    texts = [TEMPLATE.replace(MASK, word) for word in words]
    if "itm" in model.metrics:
        foils = [[f"{text} at night"] for text in texts]  # of its own, so that both ways read as many texts
        model.itm(encoded, texts, foils if only_compares(model) else None)
    else:
        model.mlm(encoded, [f"{word} or {TEMPLATE}" for word in words], [WORDS[:2]] * len(words))


if __name__ == "__main__":
    main()
