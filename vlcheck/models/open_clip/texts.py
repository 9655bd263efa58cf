"""The tokenizers of open_clip: its own, and those of transformers, with the cleaning that open_clip does before."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from open_clip.tokenizer import DEFAULT_CONTEXT_LENGTH, HFTokenizer, SimpleTokenizer
from torch import Tensor

from vlcheck._util.foreign_code import said_by
from vlcheck._util.hashing import digest
from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError, nearest
from vlcheck.models.adapters.described import joined
from vlcheck.models.adapters.tokenizing import check_plain, signs
from vlcheck.models.loading.packages import needed
from vlcheck.models.loading.pretrained import from_hub

_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "vocab.txt"),
    *("merges.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model"),
)
_OWN = ("clean",)  # tokenizer_kwargs of open_clip's tokenizer; a reduction would drop words at random
_OF_TRANSFORMERS = ("clean", "language", "strip_sep_token")
_PADDING = 0
_OF_MODE = {"clips": 3}  # tokens that a mode adds to a text


class OpenClipTexts:
    """A tokenizer of open_clip, with its token limit. It never cuts a text.

    Attributes:
        limit: the number of tokens that every text is padded to.
        signs: its special tokens.
    """

    def __init__(self, tokenizer: Any, *, limit: int) -> None:
        self.tokenizer, self.limit = tokenizer, limit
        self.signs: tuple[str, ...]

    def batch(self, texts: Sequence[str]) -> Tensor:
        """Return the token ids of texts, padded, (n, limit).

        Raises:
            NotApplicable: a text has more tokens than the model reads, or contains a special token.
        """
        for text in texts:
            check_plain(text.replace(MASK, "").lower(), self.signs)
            if len(self.ids(text)) > self.limit:
                raise NotApplicable(f"the text has more than the {self.limit} tokens that the model reads")
        ids: Tensor = self.tokenizer([*texts], context_length=self.limit)
        return ids

    def longest(self, word: str) -> str:
        """Return the longest text that the model reads and that begins with a word."""
        fits = bisect_right(range(self.limit), self.limit, key=lambda more: len(self.ids(word + " a" * more)))
        return word + " a" * max(fits - 1, 0)

    def ids(self, text: str) -> list[int]:
        """Return the token ids of a text with its first and last tokens, without padding."""
        raise NotImplementedError

    def spells(self, text: str) -> bool:
        """Return True if the vocabulary has each word of a text; "[MASK]" is no word."""
        raise NotImplementedError

    def said(self) -> str:
        """Return the tokenizer, its cleaning and its limit."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """A hash of everything that decides the token ids."""
        raise NotImplementedError


class OwnTexts(OpenClipTexts):
    """open_clip's own tokenizer, which is OpenAI's.

    Args:
        limit: the number of tokens that every text is padded to.
        clean: the cleaning of a text before: "lower", "canonicalize" or "whitespace".
    """

    def __init__(self, *, limit: int, clean: str = "lower") -> None:
        super().__init__(SimpleTokenizer(context_length=limit, clean=clean), limit=limit)
        self.clean = clean
        self.start, self.end = self.tokenizer.all_special_ids[:2]
        self.signs = tuple(self.tokenizer.decoder[number] for number in self.tokenizer.all_special_ids)

    def ids(self, text: str) -> list[int]:
        return [self.start, *self.tokenizer.encode(text), self.end]

    def spells(self, text: str) -> bool:
        return True  # it has all bytes

    def said(self) -> str:
        return f"open_clip's tokenizer, text made {self.clean}, padded to {self.limit} tokens"

    @property
    def key(self) -> str:
        return digest("SimpleTokenizer", self.clean, str(self.limit), *map(repr, self.tokenizer.bpe_ranks))


class TransformersTexts(OpenClipTexts):
    """A tokenizer of transformers, as open_clip uses it.

    Args:
        folder: the folder of its files.
        limit: the number of tokens that every text is padded to.
        mode: open_clip's tokenizer_mode; "" for none.
        settings: open_clip's tokenizer_kwargs.
    """

    def __init__(self, folder: Path, *, limit: int, mode: str = "", settings: Mapping[str, Any]) -> None:
        made = HFTokenizer(
            str(folder), context_length=limit, tokenizer_mode=mode or None, local_files_only=True, **settings
        )
        super().__init__(made, limit=limit)
        self.inner, self.mode, self.settings = made.tokenizer, mode, dict(settings)
        self.signs = tuple(sign.lower() for sign in signs(self.inner))

    def ids(self, text: str) -> list[int]:
        cleaned, added = self.tokenizer.clean_fn(text), _OF_MODE.get(self.mode, 0)
        ids = self.inner(cleaned, add_special_tokens=not added)["input_ids"]
        return [*ids, *[_PADDING] * added]

    def spells(self, text: str) -> bool:
        parts = self.inner([self.tokenizer.clean_fn(part) for part in text.split(MASK)], add_special_tokens=False)
        return not any(self.inner.unk_token_id in ids for ids in parts["input_ids"])

    def said(self) -> str:
        told = [f"{name.replace('_', ' ')} {value}" for name, value in sorted(self.settings.items())]
        return joined(type(self.inner).__name__, *told, self.mode, f"padded to {self.limit} tokens")

    @property
    def key(self) -> str:
        backend = getattr(self.inner, "backend_tokenizer", None)
        vocabulary = repr(sorted(self.inner.get_vocab().items())) if backend is None else backend.to_str()
        settings = repr(sorted(self.settings.items())), str(self.limit), self.inner.padding_side
        return digest(vocabulary, self.mode, *settings)


def texts_of(config: Mapping[str, Any], folder: Path) -> OpenClipTexts:
    """Return the tokenizer of a model.

    Args:
        config: open_clip's text_cfg.
        folder: the folder where its files may be; else the hub's model hf_tokenizer_name has them.

    Raises:
        UsageError: the tokenizer cannot be loaded, or has settings that are not accepted.
    """
    length = config.get("context_length", DEFAULT_CONTEXT_LENGTH)
    name, settings = config.get("hf_tokenizer_name"), config.get("tokenizer_kwargs") or {}
    accepted = _OF_TRANSFORMERS if name else _OWN
    if unknown := next((key for key in settings if key not in accepted), ""):
        raise UsageError(f"tokenizer_kwargs: {unknown!r} is not accepted. {nearest(unknown, accepted)}")
    if not name:
        return OwnTexts(limit=length, **settings)
    place = folder if any((folder / file).is_file() for file in _FILES) else from_hub(name, None, _FILES)
    try:
        return TransformersTexts(place, limit=length, mode=config.get("tokenizer_mode") or "", settings=settings)
    except Exception as error:  # missing and damaged files raise errors of many kinds
        said = said_by(error)
        raise UsageError(
            f"{place}: the tokenizer {name} cannot be loaded. {needed(place, said)}{type(error).__name__}:"
            f" {' '.join(said.split())[:300]}"
        ) from error
