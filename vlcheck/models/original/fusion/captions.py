"""How ALBEF and X-VLM read captions: the originals' cleaning, and BERT's word pieces without [SEP]."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vlcheck.errors import UsageError
from vlcheck.models.original.wordpiece import bert_tokenizer

MASK = "[MASK]"
MAX_WORDS = 30
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[MASK]")


def pre_caption(caption: str, max_words: int = MAX_WORDS) -> str:
    """Clean a caption as ALBEF's `dataset/utils.py` does, and X-VLM's: what they were trained on looks so.

    Lower case, without punctuation, hyphens and slashes as spaces, at most `max_words` words.
    """
    text = re.sub(r"([,.'!?\"()*#:;~])", "", caption.lower())
    text = text.replace("-", " ").replace("/", " ").replace("<person>", "person")
    text = re.sub(r"\s{2,}", " ", text).rstrip("\n").strip(" ")
    return " ".join(text.split(" ")[:max_words])


def clean_words(text: str) -> list[str]:
    """The words of a cleaned caption, every "[MASK]" among them left as it is.

    A mask after the thirtieth word is kept, with all words before it: without it the question would be another.
    """
    first, *others = (_words(part) for part in text.split(MASK))
    words = first + [word for part in others for word in (MASK, *part)]
    last_mask = max((place for place, word in enumerate(words) if word == MASK), default=0)
    return words[: max(MAX_WORDS, last_mask + 1)]


def _words(text: str) -> list[str]:
    return [word for word in pre_caption(text, max_words=len(text) + 1).split(" ") if word]


class CaptionTokenizer:
    """Captions as ids: `[CLS]` and the word pieces, no `[SEP]`, as ALBEF and X-VLM were trained.

    Args:
        vocabulary: the word pieces, in the order of their ids.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self._bert = bert_tokenizer(self.vocabulary, _SPECIAL)
        self.pad, self.unknown, self.cls, self.mask = (self.vocabulary.index(piece) for piece in _SPECIAL)

    def encode(self, text: str, masks: int = 1) -> list[int]:
        """Ids of a caption, cleaned first; each "[MASK]" in it becomes `masks` mask tokens."""
        ids = [self.cls]
        first, *others = " ".join(clean_words(text)).split(MASK)
        ids += self._pieces(first)
        for part in others:
            ids += [self.mask] * masks + self._pieces(part)
        return ids

    def pieces(self, word: str) -> list[int]:
        """Ids of a word as it would stand in a caption.

        Raises:
            UsageError: nothing of it survives the cleaning, or the vocabulary cannot spell it: the probability of
                "[UNK]" would be that of every unknown word at once.
        """
        ids = self._pieces(pre_caption(word))
        if not ids or self.unknown in ids:
            raise UsageError(f"the word {word!r} cannot be spelled with the model's vocabulary; ask for another.")
        return ids

    def _pieces(self, text: str) -> list[int]:
        ids: list[int] = self._bert(text, add_special_tokens=False)["input_ids"]
        return ids
