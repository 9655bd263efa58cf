"""A trial at load: the network reads one picture and one question, so that misfits show before any score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from vlcheck._util.foreign_code import said_by
from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError, argument, marked
from vlcheck.models.adapters.base import Adapter
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.tokenizing import signs

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PLAIN = Image.new("RGB", (224, 160), (128, 128, 128))  # not square, to find a processor that does not crop


@contextmanager
def trying(folder: Path, deciding: str) -> Iterator[None]:
    """Raise UsageError, with the folder's name, in place of any error of the trial inside.

    Args:
        folder: the folder of the checkpoint.
        deciding: the files and settings that have to fit one another, for the message.

    Raises:
        UsageError: the trial failed.
    """
    try:
        yield
    except (NotApplicable, UsageError) as error:
        raise UsageError(f"{folder}: {marked(error)}") from error
    except Exception as error:  # networks raise errors of many kinds
        said = " ".join(said_by(error).split())[:300].rstrip(".")
        raise UsageError(
            f"{folder}: a plain picture and a question do not go through the network: {type(error).__name__}: {said}."
            f" These have to fit one another: {deciding}."
        ) from error


def ask_everything(model: Adapter, encoded: Features, long: str = "") -> None:
    """Ask a model for matching and for words, as far as it offers them.

    Args:
        model: the model.
        encoded: one picture.
        long: the text to match; "" for a short one.

    Raises:
        UsageError: a score is not a number.
        Exception: the parts of the model do not fit one another.
    """
    if "itm" in model.kinds:
        check_finite(model.itm(encoded, [long or "a"], [["a dog"]]))
    if "mlm" in model.kinds:
        (likeliest,) = model.top(encoded, [f"a {MASK}"], 1)
        check_finite(probability for _, probability in likeliest)


def check_finite(scores: Iterable[float]) -> None:
    """Check that all scores are finite. Raises UsageError."""
    if not all(map(math.isfinite, scores)):
        raise UsageError(
            "the scores of a plain picture and a question are not finite numbers: weights are damaged (NaN, infinite),"
            f" or the number format is too narrow for them ({argument('dtype', 'float32')} has the widest range)."
        )


def check_end(tokenizer: PreTrainedTokenizerBase, end: int) -> None:
    """Check that texts contain the token at which the network reads them.

    Args:
        tokenizer: the tokenizer.
        end: id of that token.

    Raises:
        UsageError: the tokenizer ends a text with another token.
    """
    ids = tokenizer("a")["input_ids"]
    if end not in ids:
        raise UsageError(
            f"the network reads a text at token {end} (config.json: text_config, eos_token_id), and the tokenizer ends"
            f" a text with {ids[-1]}: each text would be read at its first token."
        )


def check_highest(tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that the end of a text is its token with the highest id, for a network that finds the end by it.

    Raises:
        UsageError: other tokens have higher ids.
    """
    end, own = tokenizer("a")["input_ids"][-1], signs(tokenizer)
    above = [token for token, number in tokenizer.get_vocab().items() if number > end and token not in own]
    if above:
        raise UsageError(
            f"the network takes the highest token of a text for its end (config.json: text_config, eos_token_id is 2),"
            f" and {len(above)} words, {above[0]!r} one of them, are higher than that. eos_token_id has to be {end}."
        )


def check_rows(tokenizer: PreTrainedTokenizerBase, rows: int | None) -> None:
    """Check that the network has an embedding for every token of the tokenizer; it may have more.

    Args:
        tokenizer: the tokenizer. Its special tokens are ignored, since no text contains them.
        rows: number of token embeddings of the network; None if it is not known.

    Raises:
        UsageError: the tokenizer has more tokens, for example because words were added to it alone.
    """
    if rows is None:
        return
    own = signs(tokenizer)
    unknown = {number: token for token, number in tokenizer.get_vocab().items() if number >= rows and token not in own}
    if unknown:
        first = min(unknown)
        raise UsageError(
            f"the tokenizer (tokenizer.json, added_tokens.json) has {len(unknown)} tokens from number {first} on,"
            f" {unknown[first]!r} the first, and the network's embeddings have {rows} rows (config.json: vocab_size):"
            " words were added, and the network was not resized (resize_token_embeddings)."
        )
