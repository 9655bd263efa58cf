"""Captions as ALBEF and X-VLM read them: cleaned as by the original code, in BERT's word pieces without [SEP]."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from vlcheck.errors import UsageError
from vlcheck.models.original.wordpiece import word_pieces

MASK = "[MASK]"
MAX_WORDS = 30
KEPT = 20_000  # texts whose tokens are kept
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[MASK]")


def pre_caption(caption: str, max_words: int = MAX_WORDS) -> str:
    """Clean a caption as the training code of ALBEF (`dataset/utils.py`) and of X-VLM does.

    The result is in lower case, without punctuation, with spaces for hyphens and slashes.

    Args:
        caption: the caption.
        max_words: the most words to keep.
    """
    text = re.sub(r"([,.'!?\"()*#:;~])", "", caption.lower())
    text = text.replace("-", " ").replace("/", " ").replace("<person>", "person")
    text = re.sub(r"\s{2,}", " ", text).rstrip("\n").strip(" ")
    return " ".join(text.split(" ")[:max_words])


@lru_cache(KEPT)
def count_words(text: str) -> int:
    """Return the number of words of a caption after cleaning, without a limit."""
    return len(pre_caption(text, max_words=len(text) + 1).split())


def clean_words(text: str) -> list[str]:
    """Return the words of a cleaned caption, with every "[MASK]" in place.

    The original code keeps 30 words. If a mask comes later, all words up to it are kept, since the text without its
    mask would ask nothing.
    """
    first, *others = (_words(part) for part in text.split(MASK))
    words = first + [word for part in others for word in (MASK, *part)]
    last_mask = max((place for place, word in enumerate(words) if word == MASK), default=0)
    return words[: max(MAX_WORDS, last_mask + 1)]


def _words(text: str) -> list[str]:
    return [word for word in pre_caption(text, max_words=len(text) + 1).split(" ") if word]


class CaptionTokenizer:
    """A tokenizer of captions: `[CLS]` and word pieces without `[SEP]`, as ALBEF and X-VLM were trained.

    Args:
        vocabulary: the word pieces, in the order of their ids.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self._bert = word_pieces(self.vocabulary, _SPECIAL)
        self._pieces = lru_cache(KEPT)(self._tokenized)  # the same few words are asked for in every text
        self._spelled = lru_cache(KEPT)(self._word)
        self._encoded = lru_cache(KEPT)(self._split)  # the same text is read with many pictures
        self.pad, self.unknown, self.cls, self.mask = (self.vocabulary.index(piece) for piece in _SPECIAL)

    def encode(self, text: str, masks: int = 1) -> list[int]:
        """Return the token ids of a caption after cleaning.

        Args:
            text: the caption.
            masks: number of mask tokens that each "[MASK]" becomes, at least 1.
        """
        return [*self._encoded(text, masks)]

    def _split(self, text: str, masks: int) -> tuple[int, ...]:
        ids = [self.cls]
        first, *others = " ".join(clean_words(text)).split(MASK)
        ids += self._pieces(first)
        for part in others:
            ids += [*[self.mask] * masks, *self._pieces(part)]
        return tuple(ids)

    def pieces(self, word: str) -> list[int]:
        """Return the token ids of a word as it would occur in a caption.

        Raises:
            UsageError: the word is empty after cleaning, or the vocabulary cannot spell it. All such words would be the
                token "[UNK]" and get one probability.
        """
        return [*self._spelled(word)]

    def _word(self, word: str) -> tuple[int, ...]:
        ids = self._pieces(pre_caption(word))
        if not ids or self.unknown in ids:
            raise UsageError(f"the word {word!r} cannot be spelled with the model's vocabulary; ask for another.")
        return ids

    def _tokenized(self, text: str) -> tuple[int, ...]:
        return tuple(self._bert.encode(text, add_special_tokens=False).ids)
