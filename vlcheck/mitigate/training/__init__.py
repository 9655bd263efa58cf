"""Cures for the training: transforms of a picture with its caption, filters, weights and negatives.

They know what a pipeline knows: a picture, its caption and, where it has them, the boxes and categories that were
annotated. Each is a callable for `torchvision.transforms.v2.Compose`, for the functions `map` and `filter` of a
`datasets.Dataset`, or for a `torch.utils.data.Dataset`. docs/explanation/cures.md says what each cures, and what not.
"""

from vlcheck.mitigate.sides import can_be_mirrored, exchange_sides
from vlcheck.mitigate.training.colors import ColorBalance
from vlcheck.mitigate.training.crops import ShiftedCrop, names_a_place
from vlcheck.mitigate.training.flips import SideAwareFlip
from vlcheck.mitigate.training.foils import draw_foil, joins_exchangeable, order_foils, present_foils, shuffle_words
from vlcheck.mitigate.training.pictures import is_loaded, joined_as_seen, names_one_of_several, names_only
from vlcheck.mitigate.training.word_order import WordOrder

__all__ = [
    "ColorBalance",
    "ShiftedCrop",
    "SideAwareFlip",
    "WordOrder",
    "can_be_mirrored",
    "draw_foil",
    "exchange_sides",
    "is_loaded",
    "joined_as_seen",
    "joins_exchangeable",
    "names_a_place",
    "names_one_of_several",
    "names_only",
    "order_foils",
    "present_foils",
    "shuffle_words",
]
