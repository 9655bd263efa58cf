"""Anchors of verdicts and rows: one each, whatever the names are."""

import ast
import re
from itertools import product

import pytest

from vlcheck.results.anchors import row_anchor, verdict_anchor
from vlcheck.suite.shipped import suite_files

SHIPPED = [
    (f"{path}::{node.name}[{metric}]", node.name, metric)
    for path, text in suite_files().items()
    if path.startswith("behavior_tests/test_")
    for node in ast.parse(text).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    for metric in ("mlm", "itm", "mrc", "mm-shap", "map")
]
OWN = "behavior_tests/test_position.py::test_mirror_swaps_sides[itm]"
NAMES = ("test_mirror_swaps_sides", "itm")


def test_each_test_of_the_suite_has_its_name_for_an_anchor():
    anchors = [verdict_anchor(*one) for one in SHIPPED]
    assert verdict_anchor(OWN, *NAMES) == "mirror-swaps-sides-itm"
    assert len(set(anchors)) == len(anchors) > 100
    assert anchors == [f"{name.removeprefix('test_').replace('_', '-')}-{metric}" for _, name, metric in SHIPPED]


@pytest.mark.parametrize(
    "test",
    [
        "elsewhere/test_position.py::test_mirror_swaps_sides[itm]",
        "/work/behavior_tests/test_position.py::test_mirror_swaps_sides[itm]",
        "behavior_tests/test_mine.py::test_mirror_swaps_sides[itm]",
        "behavior_tests/test_order.py::test_mirror_swaps_sides[itm]",
        "behavior_tests/test_position.py::TestAll::test_mirror_swaps_sides[itm]",
        "behavior_tests/test_position.py::test_mirror_swaps_sides[itm-red]",
        "behavior_tests/test_position.py::test_mirror_swaps_sides",
        "",
    ],
)
def test_a_foreign_or_parametrized_test_is_told_from_the_suites(test):
    assert re.fullmatch(r"mirror-swaps-sides-itm-[0-9a-f]{10}", verdict_anchor(test, *NAMES))


def test_a_test_of_ones_own_in_a_file_of_the_suite_has_digits():
    own = "behavior_tests/test_position.py::test_mine[itm]", "test_mine", "itm"
    assert re.fullmatch(r"mine-itm-[0-9a-f]{10}", verdict_anchor(*own))


def test_names_that_are_spelled_alike_have_anchors_of_their_own():
    behaviors = ("test_a_b", "test_a__b", "test_a-b", "test_A_b", "a_b", "test_ä_b", "test_a b", "test_" + "a" * 500)
    metrics = ("itm", "ITM", "i-tm", "i_tm", "")
    keys = [(f"t.py::{name}[{metric}]", name, metric) for name, metric in product(behaviors, metrics)]
    assert len({verdict_anchor(*key) for key in keys}) == len(keys)


HOSTILE = ("", " ", "a b", "a,b", 'a"b', "<b>", "\u202e", "\n", "&lt;", "#x", "日本", "x" * 9_999, "A b", "a-b")


def test_a_row_has_its_case_and_its_edit_for_an_anchor_in_safe_characters():
    anchors = [row_anchor(OWN, *NAMES, *pair) for pair in product(HOSTILE, repeat=2)]
    assert len(set(anchors)) == len(HOSTILE) ** 2
    for anchor in anchors:
        assert re.fullmatch(r"mirror-swaps-sides-itm-[a-z0-9]+(-[a-z0-9]+)*", anchor)
        assert len(anchor) < 120


def test_rows_of_two_verdicts_are_told_apart():
    others = [verdict for verdict in SHIPPED if verdict[2] in ("mlm", "itm")]
    assert len({row_anchor(*verdict, "scene-0-00001", "mirror v1") for verdict in others}) == len(others)
