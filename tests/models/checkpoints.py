"""Tiny checkpoints with random weights, saved with their processors as a user has them on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn
from transformers import (
    AlignConfig,
    AlignModel,
    AltCLIPConfig,
    AltCLIPModel,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    Blip2Config,
    Blip2ForImageTextRetrieval,
    BlipConfig,
    BlipForImageTextRetrieval,
    BlipImageProcessor,
    BridgeTowerConfig,
    BridgeTowerImageProcessor,
    ChineseCLIPConfig,
    ChineseCLIPModel,
    CLIPConfig,
    CLIPModel,
    EfficientNetImageProcessor,
    FlavaConfig,
    FlavaForPreTraining,
    FlavaImageProcessor,
    LxmertConfig,
    LxmertForPreTraining,
    MetaClip2Config,
    MetaClip2Model,
    PreTrainedModel,
    RobertaTokenizer,
    Siglip2Config,
    Siglip2ImageProcessor,
    Siglip2Model,
    Siglip2Tokenizer,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    ViltConfig,
    ViltForImageAndTextRetrieval,
    ViltForMaskedLM,
    ViltImageProcessor,
    VisualBertConfig,
    VisualBertForPreTraining,
)

from vlcheck.models.hf.bridgetower import BridgeTowerWithHeads
from vlcheck.models.original.vilbert.config import VilbertConfig
from vlcheck.models.original.vilbert.network import VilbertNetwork

Network = TypeVar("Network", bound=nn.Module)

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = ("a", "photo", "of", "the", "on", "red", "bus", "dog", "cat", "left", "right", "street", "is", "in", "and")
SIDE = 32  # pixels
POSITIONS = 200  # a caption that is spelled letter by letter is long
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": POSITIONS,
    "pad_token_id": 0,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": SIDE,
    "patch_size": 8,
}
SQUARE = {"height": SIDE, "width": SIDE}


def vocabulary() -> list[str]:
    """Word pieces: a few whole words, and letters by which every other word can be spelled."""
    return [*SPECIAL, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS), *".,'-"]


def random_weights(network: Network, seed: int = 0) -> Network:
    """Give every weight a part in the result: what is drawn too small, and zeros, would hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            drawn = torch.randn(weight.shape, generator=generator) * 0.15
            weight.copy_(drawn + 1 if weight.ndim == 1 and bool((weight == 1).all()) else drawn)
    return network.eval()


def bert_tokenizer() -> BertTokenizer:
    return BertTokenizer(vocab={piece: number for number, piece in enumerate(vocabulary())})


def byte_level_tokenizer() -> RobertaTokenizer:
    """Byte pairs, few of them merged: a word after a space is spelled otherwise than without."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pieces = [*special, *LETTERS, "Ġ", *".,'-", "Ġa", "Ġd", "Ġdo", "Ġdog", "do", "dog", "Ġr", "Ġre", "Ġred"]
    merges = [
        ("Ġ", "a"),
        ("Ġ", "d"),
        ("Ġd", "o"),
        ("Ġdo", "g"),
        ("d", "o"),
        ("do", "g"),
        ("Ġ", "r"),
        ("Ġr", "e"),
        ("Ġre", "d"),
    ]
    return RobertaTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=merges)


def siglip2_tokenizer() -> Siglip2Tokenizer:
    """Gemma's byte pairs: a space is a letter of its own."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    pieces = [*special, *LETTERS, "▁", *".,'-", "▁a", "▁d", "▁do", "▁dog"]
    merges = [("▁", "a"), ("▁", "d"), ("▁d", "o"), ("▁do", "g")]
    return Siglip2Tokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, merges=merges, padding_side="right"
    )


def save(folder: Path, *parts: object, seed: int = 0) -> Path:
    network, *others = parts
    assert isinstance(network, PreTrainedModel)
    random_weights(network, seed).save_pretrained(folder)
    for part in others:
        part.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


def _call(folder: Path, architecture: str) -> Path:
    """Name the architecture as a published checkpoint does."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"architectures": [architecture]}))
    return folder


def text_sizes(**more: object) -> dict[str, object]:
    return {**TEXT, "vocab_size": len(vocabulary()), **more}


def bert(folder: Path) -> Path:
    return save(folder, BertForMaskedLM(BertConfig(**text_sizes())), bert_tokenizer())


def blip_retrieval(folder: Path, *, seed: int = 0) -> Path:
    text = text_sizes(encoder_hidden_size=32, bos_token_id=2, eos_token_id=3, sep_token_id=3)
    config = BlipConfig(text_config=text, vision_config=VISION, image_text_hidden_size=16)
    network = BlipForImageTextRetrieval(config)
    return save(folder, network, bert_tokenizer(), BlipImageProcessor(size=SQUARE), seed=seed)


def blip2_retrieval(folder: Path) -> Path:
    qformer = text_sizes(encoder_hidden_size=32, cross_attention_frequency=1, use_qformer_text_input=True)
    config = Blip2Config(
        vision_config=VISION,
        qformer_config=qformer,
        text_config={"model_type": "opt", "hidden_size": 32, "num_hidden_layers": 1, "vocab_size": 50},
        num_query_tokens=4,
        image_text_hidden_size=16,
    )
    return save(folder, Blip2ForImageTextRetrieval(config), bert_tokenizer(), BlipImageProcessor(size=SQUARE))


def _vilt() -> ViltConfig:
    return ViltConfig(**text_sizes(), image_size=64, patch_size=16, max_image_length=-1)


def _vilt_images() -> ViltImageProcessor:
    return ViltImageProcessor(size={"shortest_edge": 64}, size_divisor=16)


def vilt_words(folder: Path) -> Path:
    return save(folder, ViltForMaskedLM(_vilt()), bert_tokenizer(), _vilt_images())


def vilt_retrieval(folder: Path) -> Path:
    return save(folder, ViltForImageAndTextRetrieval(_vilt()), bert_tokenizer(), _vilt_images())


def flava(folder: Path) -> Path:
    config = FlavaConfig(
        image_config={**VISION, "vocab_size": 20},
        text_config=text_sizes(),
        multimodal_config={key: VISION[key] for key in VISION if not key.endswith("_size") or key[0] in "hi"},
        hidden_size=32,
        projection_dim=16,
        image_codebook_config={"hidden_size": 8, "vocab_size": 20},
    )
    images = FlavaImageProcessor(size=SQUARE, crop_size=SQUARE, return_image_mask=False, return_codebook_pixels=False)
    return save(folder, FlavaForPreTraining(config), bert_tokenizer(), images)


def bridgetower(folder: Path) -> Path:
    tokenizer = byte_level_tokenizer()
    config = BridgeTowerConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        text_config={
            **TEXT,
            "vocab_size": len(tokenizer),
            "num_hidden_layers": 3,
            "pad_token_id": 1,
            "max_position_embeddings": POSITIONS,
        },
        vision_config={"hidden_size": 64, "num_hidden_layers": 3, "patch_size": 8, "image_size": SIDE},
    )
    images = BridgeTowerImageProcessor(size={"shortest_edge": SIDE}, crop_size={"shortest_edge": SIDE}, size_divisor=8)
    save(folder, BridgeTowerWithHeads(config), tokenizer, images)
    return _call(folder, "BridgeTowerForMaskedLM")


def _two_encoders(config: Callable[..., object], **more: object) -> object:
    return config(text_config=text_sizes(**more), vision_config=VISION, projection_dim=16)


def clip(folder: Path) -> Path:
    config = _two_encoders(CLIPConfig, bos_token_id=2, eos_token_id=3)
    return save(folder, CLIPModel(config), bert_tokenizer(), _clip_images())


def metaclip2(folder: Path) -> Path:
    config = _two_encoders(MetaClip2Config, bos_token_id=2, eos_token_id=3)
    return save(folder, MetaClip2Model(config), bert_tokenizer(), _clip_images())


def altclip(folder: Path) -> Path:
    config = _two_encoders(AltCLIPConfig, project_dim=32, max_position_embeddings=POSITIONS + 2)
    return save(folder, AltCLIPModel(config), bert_tokenizer(), _clip_images())


def chinese_clip(folder: Path) -> Path:
    config = _two_encoders(ChineseCLIPConfig)
    return save(folder, ChineseCLIPModel(config), bert_tokenizer(), _clip_images())


def _clip_images() -> BlipImageProcessor:
    return BlipImageProcessor(size=SQUARE)


def align(folder: Path) -> Path:
    vision = {
        "image_size": SIDE,
        "width_coefficient": 1.0,
        "depth_coefficient": 0.1,
        "in_channels": [32, 16],
        "out_channels": [16, 32],
        "kernel_sizes": [3, 3],
        "strides": [1, 2],
        "num_block_repeats": [1, 1],
        "expand_ratios": [1, 2],
        "depthwise_padding": [],
        "hidden_dim": 32,
    }
    config = AlignConfig(text_config=text_sizes(), vision_config=vision, projection_dim=32)
    return save(folder, AlignModel(config), bert_tokenizer(), EfficientNetImageProcessor(size=SQUARE))


def siglip(folder: Path) -> Path:
    config = SiglipConfig(text_config=text_sizes(), vision_config=VISION)
    return save(folder, SiglipModel(config), bert_tokenizer(), SiglipImageProcessor(size=SQUARE))


def siglip2(folder: Path) -> Path:
    vision = {**VISION, "num_patches": 16}
    config = Siglip2Config(text_config=text_sizes(), vision_config=vision)
    images = Siglip2ImageProcessor(patch_size=8, max_num_patches=16)
    return save(folder, Siglip2Model(config), siglip2_tokenizer(), images)


REGION = 6  # features
CLASSES = (
    "bus,coach", "dog", "cat", "zebra", "man", "table", "people", "bed", "toilet", "bowl", "plane", "bench", "boat",
    "book", "chair", "cup", "kite",
)  # fmt: skip


def lxmert(folder: Path) -> Path:
    layers = {"l_layers": 2, "x_layers": 2, "r_layers": 1}
    config = LxmertConfig(
        **{key: value for key, value in text_sizes().items() if key != "num_hidden_layers"},
        **layers,
        visual_feat_dim=REGION,
        num_qa_labels=3,
        num_object_labels=len(CLASSES),
        num_attr_labels=2,
    )
    return _name_classes(save(folder, LxmertForPreTraining(config), bert_tokenizer()))


def visual_bert(folder: Path) -> Path:
    config = VisualBertConfig(**text_sizes(), visual_embedding_dim=REGION)
    return save(folder, VisualBertForPreTraining(config), bert_tokenizer())


def vilbert(folder: Path) -> Path:
    """The original's layout: a state dict, its configuration and the vocabulary."""
    config = VilbertConfig(
        vocab_size=len(vocabulary()),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=POSITIONS,
        v_feature_size=REGION,
        v_target_size=1 + len(CLASSES),
        v_hidden_size=24,
        v_num_hidden_layers=2,
        v_num_attention_heads=3,
        v_intermediate_size=20,
        bi_hidden_size=16,
        bi_num_attention_heads=2,
        v_biattention_id=(0, 1),
        t_biattention_id=(1, 2),
    )
    weights = random_weights(VilbertNetwork(config)).state_dict()
    words = weights["bert.embeddings.word_embeddings.weight"]
    torch.save({**weights, "cls.predictions.decoder.weight": words}, folder / "pytorch_model_9.bin")
    (folder / "config.json").write_text(json.dumps(asdict(config)))
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")
    return _name_classes(folder)


def _name_classes(folder: Path) -> Path:
    (folder / "objects_vocab.txt").write_text("\n".join(CLASSES) + "\n")
    return folder
