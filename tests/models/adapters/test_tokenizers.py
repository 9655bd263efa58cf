"""The installed release of transformers reads a published tokenizer.json as it is written: 5.6 spelled Llama's anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from vlcheck.models.loading.pretrained import Pretrained

TEXTS = ["a photo of a dog", "A dog's  ball, in the park with 12345 cats!", "zebra-crossing a/b isn't", " the Café é"]
SPECIAL = ["<unk>", "<s>", "</s>", "<pad>"]
LLAMA_3 = r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def pieces_of_llama_2() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[0], byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    return trained(
        tokenizer, trainers.BpeTrainer(vocab_size=400, special_tokens=[*SPECIAL, *bytes_], show_progress=False)
    )


def pieces_of_llama_3() -> Tokenizer:
    return bytes_split_by(pre_tokenizers.Split(Regex(LLAMA_3), "isolated"))


def pieces_of_smollm() -> Tokenizer:
    return bytes_split_by(pre_tokenizers.Digits(individual_digits=True))


def bytes_split_by(first: object) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=letters, show_progress=False)
    return trained(tokenizer, trainer)


def trained(tokenizer: Tokenizer, trainer: object) -> Tokenizer:
    tokenizer.train_from_iterator(TEXTS * 4, trainer)
    return tokenizer


@pytest.mark.parametrize(
    ("make", "said", "kind"),
    [
        (pieces_of_llama_2, "LlamaTokenizer", "llava"),
        (pieces_of_llama_2, "LlamaTokenizerFast", "llava"),
        (pieces_of_llama_3, "LlamaTokenizerFast", "llava_next"),
        (pieces_of_llama_3, "PreTrainedTokenizerFast", "mllama"),
        (pieces_of_smollm, "GPT2Tokenizer", "smolvlm"),
    ],
)
def test_texts_are_cut_as_the_published_file_says(
    make: Callable[[], Tokenizer], said: str, kind: str, tmp_path: Path
) -> None:
    published = make()
    published.save(str(tmp_path / "tokenizer.json"))
    special = dict(zip(("unk_token", "bos_token", "eos_token", "pad_token"), SPECIAL, strict=True))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": said, **special}))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    read = Pretrained(tmp_path, "a model").tokenizer()(TEXTS, add_special_tokens=False)["input_ids"]
    assert read == [one.ids for one in published.encode_batch(TEXTS)]
