"""Two probes that fill a gap in a sentence without a picture: the cloze, and Stroop probing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate, pairwise

import numpy as np

from vlcheck.datasets.visual_knowledge.items import ClozeItem
from vlcheck.models.text_encoding import GapFilling, TextEncoding

# Items -> a score for each candidate of each item; the highest is the answer.
WordProbe = Callable[[Sequence[ClozeItem]], Sequence[np.ndarray]]


def cloze(model: GapFilling, items: Sequence[ClozeItem]) -> list[np.ndarray]:
    """Return the log-probability of each candidate in the gap, as the mean over its pieces.

    Args:
        model: a model that predicts words from a text alone.
        items: sentences with a gap.

    Source:
        Petroni et al. 2019, arXiv:1909.01066.
    """
    return model.gap_log_probs([item.text for item in items], [item.candidates for item in items])


def stroop(model: TextEncoding, items: Sequence[ClozeItem]) -> list[np.ndarray]:
    """Return the cosine between the sentence with its gap and the sentence with each candidate in it.

    The word that the encoder expects in the gap changes the vector of the sentence least, just as the name of a color
    is read fastest in ink of that color.

    Args:
        model: a model whose text encoder gives one vector for a text.
        items: sentences with a gap.

    Source:
        Alper et al. 2023, arXiv:2303.12513.
    """
    texts = [[item.text, *map(item.sentence, item.candidates)] for item in items]
    vectors = model.embed_texts([text for each in texts for text in each])
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    ends = accumulate(map(len, texts), initial=0)
    return [units[start + 1 : end] @ units[start] for start, end in pairwise(ends)]


def word_probes(model: GapFilling | TextEncoding) -> Mapping[str, WordProbe]:
    """Return the probes that a model can be asked with, by name: "cloze", "stroop" or both."""
    found: dict[str, WordProbe] = {}
    if isinstance(model, GapFilling):
        found["cloze"] = partial(cloze, model)
    if isinstance(model, TextEncoding):
        found["stroop"] = partial(stroop, model)
    return found
