"""The limits beyond which a finding names a cause.

They were chosen on captions of the zoo's worlds with the seeds 1000 to 1003, before the seeds of the proof, 0 to 19,
were looked at; docs/explanation/audit.md says how, and for which COCO's captions and photographs were looked at, too.
"""

from __future__ import annotations

RARE_SIDES = 0.01  # share of captions that name a side, below which nothing teaches sides
SKEWED_SIDES = 0.65  # share of the more frequent side
FALSE_FLIPS = 0.0001  # share of captions that a mirror, or turning upside down, makes false
CHANGED_COLORS = 0.02  # share of captions with a color, in a recipe that changes colors
BOUND_COLORS = 0.15  # by how much the noun tells the color more often than the most frequent color would be right
BOUND_NOUN = 2.0  # how many times its usual share a color has beside a noun that it is bound to
FREE_ORDER = 0.05  # share of pictures that have two captions with the same words in another order
UNNEEDED_ORDER = 0.01  # share of captions whose words occur in another order, below which nothing teaches order
BLANK_PICTURES = 0.02  # share of pictures that are blank or do not load
NAMED_MIDDLE = 0.2  # by how much things in the middle are named more often than things elsewhere
LARGE = 0.04  # share of the picture that a thing takes up at least to count: small ones are rarely named anywhere
CENTRED_THINGS = 0.8  # share of things whose center is in the middle ninth of the picture
