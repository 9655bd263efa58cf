"""Texts as a tokenizer of transformers reads them, with masks in place of "[MASK]"."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from transformers import BatchEncoding, PreTrainedTokenizerBase

from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError

_LONGEST = 1024  # tokens of a text that is read to try a network


class Texts:
    """A model's tokenizer.

    Args:
        tokenizer: without habits.
        limit: the most tokens that the model reads.
        padding: True for the longest text of a batch, "max_length" for models that were trained on full rows alone.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, limit: int, padding: bool | str = True) -> None:
        self.tokenizer = tokenizer
        self.limit = limit
        self.padding = padding
        self.signs = signs(tokenizer)

    def batch(self, texts: Sequence[str], masks: Sequence[int] | None = None) -> BatchEncoding:
        """Ids and masks of texts, (n, tokens); each "[MASK]" becomes one mask token or as many as are said.

        Raises:
            NotApplicable: a text has more tokens than the model reads: what was cut off would count for nothing; or it
                holds one of the tokenizer's signs.
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

    def longest(self, word: str) -> str:
        """Return a text close to the token limit; `word` alone where the limit is above _LONGEST.

        Args:
            word: with which it begins.
        """
        if self.limit > _LONGEST:
            return word
        spelled = word.replace(MASK, self.tokenizer.mask_token or "")
        fits = bisect_right(
            range(self.limit), self.limit, key=lambda more: len(self.tokenizer(spelled + " a" * more)["input_ids"])
        )
        return word + " a" * max(fits - 1, 0)

    def pieces(self, text: str, word: str) -> list[int]:
        """Ids of a word at a text's mask: after a space a byte-level tokenizer spells it otherwise.

        Raises:
            UsageError: the vocabulary cannot spell it: the probability of the unknown word would be that of all.
        """
        before, _, _ = text.partition(MASK)
        ids = self.tokenizer((" " if before.endswith(" ") else "") + word, add_special_tokens=False)["input_ids"]
        if not ids or self.tokenizer.unk_token_id in ids:
            raise UsageError(f"the word {word!r} cannot be spelled with the model's vocabulary; ask for another.")
        return list(ids)

    def entry(self, number: int) -> str:
        """How an entry of the vocabulary is written."""
        return str(self.tokenizer.decode([number])).strip()


def positions_of_roberta(config: Any) -> int:
    """The most tokens of a network whose positions begin after the number of its padding, as RoBERTa's do."""
    return int(config.max_position_embeddings - config.pad_token_id - 1)


def signs(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """What stands for no word: the mask, a picture, the end of a turn."""
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return tuple(dict.fromkeys([*tokenizer.all_special_tokens, *added]))


def check_plain(text: str, own_signs: Iterable[str]) -> None:
    """Raises NotApplicable where a text holds a sign: the model would obey it, and not read it."""
    for sign in own_signs:
        if sign in text:
            raise NotApplicable(f"the text holds {sign!r}, which is no word to the model but a sign")
