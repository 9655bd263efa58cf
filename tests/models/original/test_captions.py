from __future__ import annotations

import json

import pytest

from benchmarks.albef_checkpoint import vocabulary
from tests.models.conftest import REFERENCE
from vlcheck.errors import UsageError
from vlcheck.models.original.fusion.captions import (
    MASK,
    CaptionTokenizer,
    clean_words,
    pre_caption,
)

CLS, MASK_ID, SEP, UNKNOWN = 101, 103, 102, 100
CLEANED = json.loads((REFERENCE / "pre_caption.json").read_text())


@pytest.fixture(scope="module")
def tokenizer() -> CaptionTokenizer:
    return CaptionTokenizer(vocabulary(512, ["a red bus on the road", "hand"]))


@pytest.mark.parametrize("raw", CLEANED)
def test_captions_are_cleaned_as_the_original_does(raw: str) -> None:
    assert pre_caption(raw) == CLEANED[raw]


@pytest.mark.parametrize(
    "text", ["A [MASK] bus.", "a [MASK], bus", 'a "[MASK]" bus!', "a  [MASK]  bus", "a-[MASK]-bus", "(a) [MASK]/bus"]
)
def test_the_mask_survives_the_cleaning(text: str) -> None:
    assert clean_words(text) == ["a", MASK, "bus"]


@pytest.mark.parametrize("text", ["the bus is [MASK].", "the bus is [MASK]", "The bus is *[MASK]*..."])
def test_a_mask_at_the_end_survives_the_cleaning(text: str) -> None:
    assert clean_words(text) == ["the", "bus", "is", MASK]


def test_thirty_words_are_read() -> None:
    words = [f"w{number}" for number in range(40)]
    assert clean_words(" ".join(words)) == words[:30]
    assert clean_words(" ".join([MASK, *words])) == [MASK, *words[:29]]


def test_a_mask_past_thirty_words_is_kept_with_all_before_it() -> None:
    words = [f"w{number}" for number in range(40)]
    assert clean_words(" ".join([*words[:35], MASK, *words[35:]])) == [*words[:35], MASK]


def test_ids_begin_with_cls_and_end_without_sep(tokenizer: CaptionTokenizer) -> None:
    ids = [tokenizer.vocabulary.index(word) for word in ("a", "red", "bus")]
    assert tokenizer.encode("A red bus.") == [CLS, *ids]
    assert SEP not in tokenizer.encode("a red bus [SEP]")


def test_the_mask_is_one_token_or_as_many_as_asked(tokenizer: CaptionTokenizer) -> None:
    a, bus = (tokenizer.vocabulary.index(word) for word in ("a", "bus"))
    assert tokenizer.encode("a [MASK] bus") == [CLS, a, MASK_ID, bus]
    assert tokenizer.encode("a [MASK] bus", masks=3) == [CLS, a, MASK_ID, MASK_ID, MASK_ID, bus]
    assert tokenizer.encode("[MASK]") == [CLS, MASK_ID]


def test_a_mask_in_lower_case_is_a_word_like_any_other(tokenizer: CaptionTokenizer) -> None:
    assert MASK_ID not in tokenizer.encode("a [mask] bus")


def test_unknown_words_fall_apart_into_pieces(tokenizer: CaptionTokenizer) -> None:
    pieces = [tokenizer.vocabulary[number] for number in tokenizer.pieces("Cab")]
    assert pieces == ["c", "##a", "##b"]


def test_a_word_is_spelled_as_in_a_caption(tokenizer: CaptionTokenizer) -> None:
    assert [CLS, *tokenizer.pieces("red-hand")] == tokenizer.encode("red hand")


@pytest.mark.parametrize("word", ["\u4e16", "", "!"])
def test_a_word_that_cannot_be_spelled_is_refused(word: str, tokenizer: CaptionTokenizer) -> None:
    with pytest.raises(UsageError, match="cannot be spelled"):
        tokenizer.pieces(word)


def test_a_list_without_the_special_tokens_is_no_vocabulary() -> None:
    with pytest.raises(UsageError, match=r"\[CLS\], \[MASK\] not in it"):
        CaptionTokenizer(["[PAD]", "[UNK]", "a"])
