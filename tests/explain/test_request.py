"""The requests of --vl-explain, as they are typed."""

import argparse

import pytest

from vlcheck.errors import UsageError
from vlcheck.explain.request import parse_methods, parse_requests
from vlcheck.plugin.options import _Joining


@pytest.mark.parametrize("said", [" ", ",", "saliency,", ",saliency"])
def test_an_empty_name_is_told(said):
    with pytest.raises(UsageError, match="explain: there is no such method as an empty name"):
        parse_requests(said)


def test_blanks_around_a_name_are_ignored():
    assert [method.name for method in parse_methods("saliency, random")] == ["saliency", "random"]


def test_an_option_that_is_said_twice_asks_for_both():
    parser = argparse.ArgumentParser()
    parser.add_argument("--explain", action=_Joining)
    assert parser.parse_args(["--explain=mmshap", "--explain", "saliency:3"]).explain == "mmshap,saliency:3"
    assert parser.parse_args([]).explain is None
