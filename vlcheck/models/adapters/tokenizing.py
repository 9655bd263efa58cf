"""Texts are turned into token ids by a tokenizer of transformers, with its mask tokens in place of "[MASK]"."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase

_LONGEST = 1024  # tokens; no longer text is used to try a network


class Texts:
    """The tokenizer of a model, with its token limit.

    Args:
        tokenizer: the tokenizer, after `without_habits`.
        limit: the largest number of tokens that the model reads.
        padding: True to pad to the longest text of a batch; "max_length" to pad to the limit, for models that were
            trained on full rows alone.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, limit: int, padding: bool | str = True) -> None:
        self.tokenizer = tokenizer
        self.limit = limit
        self.padding = padding
        self.signs = signs(tokenizer)

    def batch(self, texts: Sequence[str], masks: Sequence[int] | None = None) -> BatchEncoding:
        """Return the token ids and attention masks of texts, (n, tokens) each.

        Args:
            texts: n texts.
            masks: for each text, the number of mask tokens that its "[MASK]" becomes; 1 if None.

        Raises:
            NotApplicable: a text has more tokens than the model reads, or contains a special token.
        """
        for text in texts:
            check_plain(text.replace(MASK, ""), self.signs)
        token = self.tokenizer.mask_token or ""
        spelled = [text.replace(MASK, token * n) for text, n in zip(texts, masks or [1] * len(texts), strict=True)]
        for ids in self.tokenizer(spelled)["input_ids"]:
            if len(ids) > self.limit:
                raise NotApplicable(f"the text has more than the {self.limit} tokens that the model reads")
        length = self.limit if self.padding == "max_length" else None
        tokens: BatchEncoding = self.tokenizer(spelled, padding=self.padding, max_length=length, return_tensors="pt")
        return tokens

    def said(self) -> str:
        """Return the tokenizer's class and its limit, e.g. "BertTokenizer, at most 512 tokens"."""
        name = type(self.tokenizer).__name__
        return f"{name}, {'padded to' if self.padding == 'max_length' else 'at most'} {self.limit} tokens"

    def longest(self, word: str) -> str:
        """Return the longest text that the model reads; if the limit is above _LONGEST, the word alone.

        Args:
            word: the word with which the text begins.
        """
        if self.limit > _LONGEST:
            return word
        spelled = word.replace(MASK, self.tokenizer.mask_token or "")
        fits = bisect_right(
            range(self.limit), self.limit, key=lambda more: len(self.tokenizer(spelled + " a" * more)["input_ids"])
        )
        return word + " a" * max(fits - 1, 0)

    def pieces(self, text: str, word: str) -> list[int]:
        """Return the token ids of a word at the mask of a text.

        They depend on the text: a byte-level tokenizer spells a word differently after a space.

        Args:
            text: a text with "[MASK]" exactly once.
            word: the word in place of the mask.

        Raises:
            UsageError: the vocabulary cannot spell the word. It would get the probability of the unknown token, as
                other such words do.
        """
        before, _, _ = text.partition(MASK)
        ids = self.tokenizer((" " if before.endswith(" ") else "") + word, add_special_tokens=False)["input_ids"]
        if not ids or self.tokenizer.unk_token_id in ids:
            raise UsageError(f"the word {word!r} cannot be spelled with the model's vocabulary; ask for another.")
        return list(ids)

    def spells(self, text: str) -> bool:
        """Return True if the vocabulary has each word of a text; "[MASK]" is no word."""
        parts = self.tokenizer(text.split(MASK), add_special_tokens=False)["input_ids"]
        return not any(self.tokenizer.unk_token_id in ids for ids in parts)

    def entry(self, number: int) -> str:
        """Return an entry of the vocabulary as text."""
        return str(self.tokenizer.decode([number])).strip()


def positions_of_roberta(config: Any) -> int:
    """Return the token limit of a network whose positions begin after the id of the padding token, as in RoBERTa."""
    return int(config.max_position_embeddings - config.pad_token_id - 1)


def signs(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """Return the special tokens of a tokenizer, which stand for no word: a mask, a picture, the end of a turn."""
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return tuple(dict.fromkeys([*tokenizer.all_special_tokens, *added]))


def check_plain(text: str, own_signs: Iterable[str]) -> None:
    """Check that a text contains no special token, which the model would not read as text.

    Args:
        text: the text.
        own_signs: the tokenizer's special tokens.

    Raises:
        NotApplicable: it contains one.
    """
    for sign in own_signs:
        if sign in text:
            raise NotApplicable(f"the text contains {sign!r}, which is a special token of the model, not a word")


def tokens_within(tokenizer: PreTrainedTokenizerBase, written: str, part: slice) -> list[bool]:
    """Return for each token of a text whether it holds one of some characters.

    Args:
        tokenizer: the tokenizer; no tokens are added to the text.
        written: the text.
        part: the characters.

    Raises:
        NotApplicable: the tokenizer cannot say which characters a token holds.
    """
    if not tokenizer.is_fast:
        raise NotApplicable("explanations need a fast tokenizer, which says which characters a token holds")
    encoded = tokenizer(written, add_special_tokens=False, return_offsets_mapping=True)
    return [start < part.stop and end > part.start for start, end in encoded["offset_mapping"]]


def one_line(text: str) -> str:
    """Return a text with a space between its words, and a line break at its end."""
    return " ".join(text.split()) + "\n"
