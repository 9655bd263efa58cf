"""Results of a perturbation of one's own that no model can be asked about: the error says what to write."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from vlcheck.cases import Box, Case
from vlcheck.cases.view import View
from vlcheck.errors import ForeignFault
from vlcheck.perturb import Compose, Labelled, Mirror, Solid
from vlcheck.perturb.base import perturbed

VIEW = View.of(
    Case(
        id="one",
        image=Solid((64, 48), (200, 0, 0)),
        caption="a ball in his left hand",
        target="left",
        region=(Box(1, 2, 3, 4),),
    )
)


@dataclass(frozen=True)
class Gives(Labelled):
    """Returns what it is told to."""

    what: Any
    name = "gives"
    version = 1

    @property
    def label(self):
        return "gives v1"

    def __call__(self, view, others):
        return self.what


def fault(what, perturbation=Gives):
    with pytest.raises(ForeignFault) as raised:
        perturbed(perturbation(what), VIEW, ())
    return str(raised.value)


@pytest.mark.parametrize("wrapped", [Gives, lambda what: Compose(Gives(what), Mirror())])
def test_a_text_in_place_of_a_view_is_no_reason_but_a_fault(wrapped):
    said = fault("A BALL", wrapped)
    assert "its __call__ returned str ('A BALL'); it has to return a view, e.g. replace(view, template=...)" in said
    assert said.startswith("gives v1")


def test_nothing_in_place_of_a_view_is_a_fault():
    assert "its __call__ returned NoneType" in fault(None)


@pytest.mark.parametrize(
    ("template", "times"),
    [("A BALL IN HIS [mask] HAND", 0), ("a ball", 0), ("[MASK] or [MASK]", 2)],
)
def test_a_text_keeps_the_mask_exactly_once(template, times):
    said = fault(replace(VIEW, template=template))
    assert said.startswith(f"gives v1: its text {template!r} has [MASK] {times} times;")


def test_a_plain_tuple_is_no_box():
    said = fault(replace(VIEW, region=((1, 2, 3, 4),)))
    assert "its region has (1, 2, 3, 4), which is no Box: write Box(x, y, width, height), in pixels" in said


def test_what_the_data_has_is_not_laid_to_the_perturbation():
    odd = replace(VIEW, template="[MASK] or [MASK]", region=((1, 2, 3, 4),))
    assert perturbed(Gives(replace(odd, target="right")), odd, ()).target == "right"


def test_an_edit_of_a_picture_has_a_method_for_it():
    with pytest.raises(TypeError, match=r"lacks name, version, edit; accepted: .* a method edit\(image\)"):
        VIEW.picture.then(lambda image: image)
