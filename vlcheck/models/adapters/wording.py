"""The wordings of the question whether a picture shows what a text says."""

from __future__ import annotations

QUESTION = 'Does this figure show "{text}"? Please answer yes or no.'
# The wordings in which the question may be asked, the usual one first. In each, "yes" says that the text is true.
WORDINGS = (
    QUESTION,
    'Is "{text}" a true description of this image? Answer with yes or no.',
    'Look at the picture. Is it right to say that it shows "{text}"? Reply with one word, yes or no.',
)
