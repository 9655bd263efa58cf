"""What is amiss in a statement is said with what to write, and nothing is amiss in what the suite states."""

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from vlcheck.behaviors.statement import complaint
from vlcheck.behaviors.tables import ColorAndGrey
from vlcheck.cases import Selection, with_target
from vlcheck.expect.base import WHOLE, BaseExpectation
from vlcheck.expect.invariance import Preserved
from vlcheck.perturb import Bare, Block, Compose, Each, Grayscale, Labelled, OfThePicture

SOUND = {"cases": with_target("object"), "expect": Preserved(), "perturb": Grayscale(), "given": None, "tables": ()}


class Edit(OfThePicture):
    name, version = "edit", 1

    def edit(self, image):
        return image


@dataclass(frozen=True)
class Nameless(OfThePicture):
    version: ClassVar[int] = 1

    def edit(self, image):
        return image


@dataclass(frozen=True)
class Named(Nameless):
    name: ClassVar[str] = "named"


class WithParameter(Named):
    strength: int = 1


@dataclass(frozen=True)
class Unversioned(Labelled):
    name: ClassVar[str] = "unversioned"

    def __call__(self, view, others):
        return view


@dataclass
class Thawed(OfThePicture):
    name: ClassVar[str] = "thawed"
    version: ClassVar[int] = 1

    def edit(self, image):
        return image


class Raises(Preserved):
    @property
    def claim(self):
        return 1 / 0


@dataclass(frozen=True)
class OfAList(Named):
    parts: list = field(default_factory=list)


@dataclass(frozen=True)
class OfAnObject(Named):
    what: object = field(default_factory=object)


@dataclass(frozen=True)
class Empty(Named):
    name: ClassVar[str] = " "


@dataclass(frozen=True)
class Escaping(Named):
    name: ClassVar[str] = "\x1b[31m"


@dataclass(frozen=True)
class Two(Named):
    name: ClassVar[str] = "two\nlines"


class Plain(BaseExpectation):
    def margins(self, sample, tolerances):
        return {WHOLE: 1.0}


@dataclass(frozen=True)
class Marginless(BaseExpectation):
    pass


@dataclass(frozen=True)
class Misreads(Plain):
    def reads(self):
        return ("withn",)


@dataclass(frozen=True)
class ReadsOne(Plain):
    def reads(self):
        return "within"


@dataclass(frozen=True)
class BadArm(Plain):
    def arms(self):
        return {"other": Grayscale}


@dataclass(frozen=True)
class Breaks(Plain):
    def arms(self):
        return 1 / 0


@dataclass(frozen=True)
class NoTable:
    def arms(self):
        return {}

    def words(self, view):
        return ()

    def cells(self, samples):
        return {}


def test_nothing_is_amiss_in_what_is_sound():
    assert complaint(**SOUND) == ""
    several = Each(Compose(Bare(), Block()), Grayscale(), Named())
    assert complaint(**SOUND | {"perturb": several, "given": Bare(), "tables": [ColorAndGrey()]}) == ""


@pytest.mark.parametrize(
    ("where", "stated", "said"),
    [
        ("perturb", Grayscale, "Grayscale is a class; write Grayscale()"),
        ("perturb", lambda view, others: view, "is a function"),
        ("perturb", "grayscale", "str is no perturbation"),
        ("perturb", Edit(), "Edit is no dataclass: add @dataclass(frozen=True) above the class"),
        (
            "perturb",
            WithParameter(),
            "add @dataclass(frozen=True) above the class, with strength",
        ),
        (
            "perturb",
            Nameless(),
            'Nameless lacks a name, by which results know it: add name: ClassVar[str] = "posterize"',
        ),
        ("perturb", Unversioned(), "Unversioned lacks a version"),
        ("perturb", Thawed(), "Thawed cannot be a key"),
        ("perturb", OfAList(), "OfAList cannot be a key (TypeError: unhashable type: 'list'"),
        ("perturb", OfAnObject(), "OfAnObject has no key, of its name, version and parameters"),
        ("perturb", Empty(), "the name of Empty, ' ', has to be a text"),
        ("perturb", Escaping(), "the name of Escaping"),
        ("perturb", Two(), "the name of Two"),
        ("perturb", Each(Grayscale(), Bare), "Bare is a class; write Bare()"),
        ("perturb", Compose(Grayscale(), Nameless()), "Nameless lacks a name"),
        ("given", Each(Bare(), Block()), "Each is no perturbation here"),
        ("perturb", Labelled(), "Labelled is no perturbation: it lacks __call__(self, view, others)"),
        ("given", Bare, "given: Bare is a class"),
        ("expect", Preserved, "Preserved is a class; write Preserved()"),
        (
            "expect",
            None,
            "NoneType lacks claim, competence, expected, hollow, contrasts: derive it from BaseExpectation",
        ),
        ("expect", Plain(), "Plain is no dataclass: add @dataclass(frozen=True)"),
        ("expect", Marginless(), "Marginless lacks margins: define conditions or margins(self, sample, tolerances)"),
        ("expect", Misreads(), "no tolerance is called 'withn'. Did you mean 'within'?"),
        ("expect", ReadsOne(), "ReadsOne.reads() has to give a tuple"),
        ("expect", BadArm(), "arms()['other']: Grayscale is a class; write Grayscale()"),
        ("expect", Raises(), "ZeroDivisionError: division by zero (tests/behaviors/test_statement.py:"),
        ("expect", Breaks(), "Breaks has no arms(). ZeroDivisionError"),
        ("cases", Selection, 'Selection is a class; write with_target("object")'),
        ("cases", with_target, "with_target is a function"),
        ("cases", "object", "str is no selection of cases"),
        ("cases", ["object"], "list is no selection of cases"),
        ("cases", Selection("object"), "kinds is one text; write a tuple of texts"),
        ("cases", Selection(["object"]), "Selection cannot be a key"),
        ("tables", ColorAndGrey(), "ColorAndGrey is no sequence of tables; write tables=(ColorAndGrey(),)"),
        ("tables", [ColorAndGrey], "ColorAndGrey is a class; write ColorAndGrey()"),
        ("tables", [NoTable()], "NoTable lacks a name"),
        ("tables", [Grayscale()], "Grayscale lacks arms, words, cells"),
        ("tables", [ColorAndGrey(), ColorAndGrey()], "is the name of two of them"),
    ],
)
def test_what_is_amiss_is_said_with_what_to_write(where, stated, said):
    found = complaint(**SOUND | {where: stated})
    assert found.startswith((f"{where}: ", "what the test states cannot be read. "))
    assert said in found
    assert found.isprintable()
