"""Edits of the phrase around the target."""

from __future__ import annotations

import pytest

from vlcheck.cases import Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb import AfterCaption, MaskPhrase, Solid


def view(caption: str, target: str = "dog", bare: str | None = "a photo of a [MASK]") -> View:
    return View.of(Case(id="one", image=Solid((8, 8), (0, 0, 0)), caption=caption, target=target, bare=bare))


@pytest.mark.parametrize(
    ("caption", "masked"),
    [
        ("a man walks a big brown dog", "a man walks a [MASK]"),
        ("An old, brown dog sleeps.", "A [MASK] sleeps."),
        ("a black and white dog", "a [MASK]"),
        ("two small dogs on a red sofa", "two [MASK] on a red sofa"),
        ("a man walks his dog", "a man walks his [MASK]"),
        ("a man walking dog", "a man walking [MASK]"),  # a verb
        ("a red and a white dog", "a red and a [MASK]"),  # of something else
        ("a dark-haired dog", "a dark-haired [MASK]"),
        ("brown dogs", "[MASK]"),
    ],
)
def test_the_adjectives_of_the_phrase_go_with_the_target(caption: str, masked: str) -> None:
    target = "dogs" if "dogs" in caption else "dog"
    assert MaskPhrase()(view(caption, target), ()).template == masked


@pytest.mark.parametrize(
    ("without", "text"),
    [
        ("nothing", "An old, brown dog sleeps, a photo of a [MASK]"),
        ("phrase", "it sleeps, a photo of a [MASK]"),
        ("all", "a photo of a [MASK]"),
    ],
)
def test_the_short_text_follows_what_is_left_of_the_caption(without: str, text: str) -> None:
    assert AfterCaption(without)(view("An old, brown dog sleeps."), ()).template == text


def test_it_is_about_the_caption_whatever_the_text_was() -> None:
    once = AfterCaption()(view("a man walks his dog"), ())
    assert AfterCaption("phrase")(once, ()).template == "a man walks it, a photo of a [MASK]"
    assert AfterCaption()(AfterCaption("phrase")(once, ()), ()) == once


def test_without_a_short_text_there_is_nothing_to_ask() -> None:
    with pytest.raises(NotApplicable, match="the case has no bare text"):
        AfterCaption("all")(view("a man walks his dog", bare=None), ())


def test_it_is_labelled_with_what_is_removed() -> None:
    assert AfterCaption().label == "after-caption(nothing) v1"
    assert MaskPhrase().label == "mask-phrase v1"
    with pytest.raises(ValueError, match="'object' is none of nothing, phrase, all"):
        AfterCaption("object")
