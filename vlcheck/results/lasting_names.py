"""The tests of the shipped suite that have anchors without digits: a name here stands for one test, and for good.

A new test is added. A test that moves or gets another name keeps its line, so that links to older results hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_BY_FILE = {
    "color": (
        "grayscale_drops_chromatic_words grayscale_preserves_achromatic_words grayscale_preserves_objects "
        "no_color_is_answered_too_often rotated_hue_preserves_objects true_color_beats_a_wrong_one "
        "unusual_color_keeps_its_name"
    ),
    "foils": (
        "caption_beats_added_attribute caption_beats_added_object caption_beats_denied_existence "
        "caption_beats_other_word_order caption_beats_replaced_attribute caption_beats_replaced_object "
        "caption_beats_replaced_relation caption_beats_swapped_attributes caption_beats_swapped_objects "
        "caption_beats_wrong_action caption_beats_wrong_answer caption_beats_wrong_count "
        "caption_beats_wrong_number caption_beats_wrong_relation"
    ),
    "modality": (
        "another_image_drops_bare_word another_image_drops_match blocking_drops_bare_word "
        "blocking_drops_match caption_tells_class_of_hidden_regions caption_tells_what_is_hidden "
        "neither_modality_collapses neither_modality_decides_alone vision_alone_preserves "
        "vision_and_language_balance word_comes_from_the_thing_not_its_surroundings"
    ),
    "order": (
        "color_is_bound_to_its_object exchanged_colors_drop_match exchanged_roles_drop_match "
        "neutral_opening_preserves shuffled_words_drop_match thing_is_bound_to_who_holds_it"
    ),
    "place": ("attention_follows_the_object other_cells_preserve"),
    "position": (
        "map_is_mirrored_with_the_picture mirror_and_swapped_words_preserve mirror_flips_hands "
        "mirror_preserves_sideless_captions mirror_swaps_own_hands mirror_swaps_sides "
        "right_is_not_preferred_to_left true_hand_beats_the_other true_side_beats_the_other "
        "true_vertical_beats_the_other upside_down_swaps_above_and_below"
    ),
    "robustness": ("brightness_preserves crop_preserves jpeg_preserves slight_blur_preserves"),
}

# File by name of the test, both without "test_".
FILES: Mapping[str, str] = MappingProxyType({name: file for file, names in _BY_FILE.items() for name in names.split()})
