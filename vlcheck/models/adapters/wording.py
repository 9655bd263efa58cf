"""The wordings of the question whether a picture shows what a text says."""

from __future__ import annotations

from vlcheck.errors import UsageError
from vlcheck.models.protocol import VisionLanguageModel

QUESTION = 'Does this figure show "{text}"? Please answer yes or no.'
# The wordings in which the question may be asked, the usual one first. In each, "yes" says that the text is true.
WORDINGS = (
    QUESTION,
    'Is "{text}" a true description of this image? Answer with yes or no.',
    'Look at the picture. Is it right to say that it shows "{text}"? Reply with one word, yes or no.',
)


def demand_wording(wording: str, model: VisionLanguageModel) -> None:
    """Raise UsageError if a model that is asked in words is not asked in a wording.

    Args:
        wording: the wording.
        model: the model.
    """
    if wording not in WORDINGS:
        raise UsageError(f"{model.name} has no wording {wording!r} of its question. Known: {', '.join(WORDINGS)}")
