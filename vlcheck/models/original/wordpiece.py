"""The word pieces of BERT, which all families here read: where their file is, and a tokenizer made of them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece

from vlcheck._util.foreign_files import read_text
from vlcheck.errors import UsageError
from vlcheck.models.loading.layout import naming

if TYPE_CHECKING:
    from transformers import BertTokenizer

VOCABULARY = "vocab.txt"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HUB_ID = "bert-base-uncased"
_HUB_SECONDS = 5.0


@contextmanager
def vocabulary_of(folder: Path) -> Iterator[list[str]]:
    """Read the word pieces for a folder's checkpoint; errors raised inside the context name their file.

    Raises:
        UsageError: there is no vocabulary, or the file cannot be read.
    """
    path = find_vocabulary(folder)
    pieces = read_vocabulary(path)
    with naming(path):
        yield pieces


def find_vocabulary(folder: Path) -> Path:
    """Return the path of `vocab.txt`: beside the checkpoint, else bert-base-uncased's from the hub.

    Raises:
        UsageError: it is in neither place.
    """
    beside = folder / VOCABULARY
    return beside if os.path.lexists(beside) else _from_hub(beside)


def read_vocabulary(path: Path) -> list[str]:
    """Read word pieces, one a line. Raises UsageError if they cannot be read."""
    # Not splitlines: some word pieces are rare line separators themselves.
    return [line.rstrip("\n") for line in io.StringIO(read_text(path), newline=None)]


def bert_tokenizer(vocabulary: Sequence[str], special: Sequence[str]) -> BertTokenizer:
    """Return a tokenizer of transformers with these word pieces.

    Args:
        vocabulary: the word pieces, in the order of their ids.
        special: special tokens that have to be among them.

    Raises:
        UsageError: a special token is missing.
    """
    from transformers import BertTokenizer  # takes half a second

    return BertTokenizer(vocab=_ids(vocabulary, special))


def word_pieces(vocabulary: Sequence[str], special: Sequence[str]) -> Tokenizer:
    """Return a tokenizer of plain text, which splits as that of `bert_tokenizer` does, and knows no special tokens.

    Args:
        vocabulary: the word pieces, in the order of their ids.
        special: special tokens that have to be among them.

    Raises:
        UsageError: a special token is missing.
    """
    tokenizer = Tokenizer(WordPiece(_ids(vocabulary, special), unk_token="[UNK]"))  # noqa: S106 - a token of text
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _ids(vocabulary: Sequence[str], special: Sequence[str]) -> dict[str, int]:
    ids = {piece: number for number, piece in enumerate(vocabulary)}
    if missing := [piece for piece in special if piece not in ids]:
        raise UsageError(f"not the vocabulary of a BERT: {', '.join(missing)} not in it.")
    return ids


def check_entries(vocabulary: Sequence[str], size: int) -> None:
    """Check that a vocabulary has as many entries as the network; with other entries, ids would stand for other words.

    Args:
        vocabulary: the word pieces.
        size: number of entries that the network has.

    Raises:
        UsageError: the numbers differ.
    """
    if len(vocabulary) != size:
        raise UsageError(
            f"the vocabulary has {len(vocabulary)} entries, the network {size}: they do not belong together."
        )


def _from_hub(beside: Path) -> Path:
    from huggingface_hub import hf_hub_download, hf_hub_url, is_offline_mode, try_to_load_from_cache

    cached = try_to_load_from_cache(HUB_ID, VOCABULARY)
    if isinstance(cached, str):
        return Path(cached)
    wanted = f"{beside}: no such file, and {HUB_ID} is not in the hub's cache"
    cure = f"Put {HUB_ID}'s {VOCABULARY} there (30,522 lines for the published checkpoints)."
    if is_offline_mode():
        raise UsageError(f"{wanted}, with HF_HUB_OFFLINE set. {cure}")
    try:
        # hf_hub_download retries an unreachable hub for half a minute; one request shows the same.
        head = Request(hf_hub_url(HUB_ID, VOCABULARY), method="HEAD")  # noqa: S310 - the hub's own address
        urlopen(head, timeout=_HUB_SECONDS).close()  # noqa: S310 - the hub's own address
        return Path(hf_hub_download(HUB_ID, VOCABULARY))
    except OSError as error:
        raise UsageError(f"{wanted}, nor can the hub be reached. {cure}") from error
