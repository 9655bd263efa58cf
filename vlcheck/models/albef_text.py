"""How ALBEF reads captions: the original's cleaning, and BERT's word pieces without [SEP]."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.request import Request, urlopen

from huggingface_hub import hf_hub_download, hf_hub_url, is_offline_mode, try_to_load_from_cache
from transformers import BertTokenizer

from vlcheck.errors import UsageError

MASK = "[MASK]"
MAX_WORDS = 30
VOCABULARY = "vocab.txt"
HUB_ID = "bert-base-uncased"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[MASK]")
_HUB_SECONDS = 5.0


def pre_caption(caption: str, max_words: int = MAX_WORDS) -> str:
    """Clean a caption as ALBEF's `dataset/utils.py` does: what it was trained on looks so.

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
    """Captions as ids: `[CLS]` and the word pieces, no `[SEP]`, as ALBEF was trained.

    Args:
        vocabulary: the word pieces, in the order of their ids.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        ids = {piece: number for number, piece in enumerate(self.vocabulary)}
        if missing := [piece for piece in _SPECIAL if piece not in ids]:
            raise UsageError(f"not the vocabulary of a BERT: {', '.join(missing)} not in it.")
        self.pad, self.unknown, self.cls, self.mask = (ids[piece] for piece in _SPECIAL)
        self._bert = BertTokenizer(vocab=ids)

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


def find_vocabulary(folder: Path) -> Path:
    """Where `vocab.txt` is: beside the checkpoint, else that of the hub's bert-base-uncased, which ALBEF uses.

    Raises:
        UsageError: it is in neither place.
    """
    beside = folder / VOCABULARY
    return beside if beside.is_file() else _from_hub(beside)


def read_vocabulary(path: Path) -> list[str]:
    """Read word pieces, one a line."""
    try:
        with path.open(encoding="utf-8") as lines:  # not splitlines: some pieces are odd separators
            return [line.rstrip("\n") for line in lines]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"not a vocabulary, one word piece a line ({error}).") from error


def _from_hub(beside: Path) -> Path:
    cached = try_to_load_from_cache(HUB_ID, VOCABULARY)
    if isinstance(cached, str):
        return Path(cached)
    wanted = f"{beside}: no such file, and {HUB_ID} is not in the hub's cache"
    cure = f"Put {HUB_ID}'s {VOCABULARY} there (30,522 lines for the published checkpoints)."
    if is_offline_mode():
        raise UsageError(f"{wanted}, with HF_HUB_OFFLINE set. {cure}")
    try:
        # hf_hub_download tries an absent hub for half a minute; one look tells.
        head = Request(hf_hub_url(HUB_ID, VOCABULARY), method="HEAD")  # noqa: S310 - the hub's own address
        urlopen(head, timeout=_HUB_SECONDS).close()  # noqa: S310 - the hub's own address
        return Path(hf_hub_download(HUB_ID, VOCABULARY))
    except OSError as error:
        raise UsageError(f"{wanted}, nor can the hub be reached. {cure}") from error
