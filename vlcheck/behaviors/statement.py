"""Checks of a test's statement before a model is asked; a message names the fault and its correction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from inspect import get_annotations
from typing import Any, get_args

from vlcheck import perturb as perturbations
from vlcheck._util.foreign_code import describe_error
from vlcheck.behaviors import tables as shipped_tables
from vlcheck.cases import Selection
from vlcheck.cases.picture import identity
from vlcheck.errors import nearest, printable
from vlcheck.expect.base import BaseExpectation, Competence
from vlcheck.perturb import Compose, Each
from vlcheck.policy.policy import TOLERANCES
from vlcheck.stats.decision import Claim

_FROZEN = "@dataclass(frozen=True)"
_EXPECTS = ("arms", "words", "reads", "known", "conditions", "margins", "effect", "wanted")
_LAYS_OUT = ("arms", "words", "cells")


class _AmissError(Exception):
    """A fault in a statement; the message says what is wrong, and what to write."""


def complaint(*, cases: object, expect: object, perturb: object, given: object, tables: object) -> str:
    """Return the fault in a statement, with its correction; "" if there is none.

    Args:
        cases: a `vlcheck.cases.Selection`, or an object with the same methods.
        expect: a `vlcheck.expect.base.Expectation`.
        perturb: a `vlcheck.perturb.Perturbation`, `Each` of several, or None.
        given: a perturbation or None.
        tables: a sequence of `vlcheck.behaviors.tables.Table`.
    """
    try:
        _check_selection(cases)
        if perturb is not None:
            for part in _parts(perturb, Each):
                _check_perturbation("perturb", part)
        if given is not None:
            _check_perturbation("given", given)
        _check_expectation(expect)
        _check_tables(tables)
    except _AmissError as amiss:
        return printable(str(amiss), 500)
    except Exception as error:  # noqa: BLE001 - what is stated may be foreign code
        return f"what the test states cannot be read. {describe_error(error)}"
    return ""


def named(*, expect: Any, perturb: Any, given: Any, tables: Iterable[Any]) -> Iterator[Any]:
    """Yield everything in a correct statement that has a name: its perturbations and its tables.

    Args:
        expect: the expectation.
        perturb: a perturbation, `Each` of several, or None.
        given: a perturbation or None.
        tables: the tables.
    """
    tables = tuple(tables)
    edits = [perturb, given, *expect.arms().values(), *(edit for table in tables for edit in table.arms().values())]
    for one in edits:
        yield from (part for part in _parts(one, (Each, Compose)) if getattr(part, "name", None))
    yield from tables


def shipped() -> Iterator[type]:
    """Yield the classes of vlcheck whose names are reserved."""
    for module in (perturbations, shipped_tables):
        for one in vars(module).values():
            if isinstance(one, type) and isinstance(vars(one).get("name"), str):
                yield one


def _parts(one: Any, of: Any) -> Iterator[Any]:
    """Yield the parts of a combination, recursively; anything else yields itself."""
    if isinstance(one, of):
        for part in one.parts:
            yield from _parts(part, of)
    else:
        yield one


def _check_selection(cases: Any) -> None:
    _check_made("cases", cases, 'with_target("object")')
    if isinstance(cases, str) or not (hasattr(cases, "accepts") and hasattr(cases, "kinds")):
        raise _AmissError(f'cases: {_kind(cases)} is no selection of cases; write with_target("object"), say.')
    if not isinstance(cases, Selection):
        _demand("cases", cases, ("having", "lacking", "bare", "label", "accepts"), "derive it from Selection")
    for name in ("kinds", "having", "lacking"):
        if isinstance(getattr(cases, name), str):
            raise _AmissError(f"cases: {name} is one text; write a tuple of texts, or with_target(...).")
    _check_hash("cases", cases)


def _check_perturbation(where: str, one: Any) -> None:
    if isinstance(one, Compose):
        for part in _parts(one, Compose):
            _check_perturbation(where, part)
        return
    kind = _check_made(where, one, f"{_kind(one)}()")
    if isinstance(one, Each):
        raise _AmissError(f"{where}: Each is no perturbation here; accepted: a perturbation, or Compose of several.")
    if not callable(one):
        raise _AmissError(
            f"{where}: {kind} is no perturbation: it lacks __call__(self, view, others), which returns the changed"
            " view; an edit of pixels alone is an OfThePicture with edit(self, image)."
        )
    _check_name(where, one, 'name: ClassVar[str] = "posterize"')
    if not isinstance(getattr(one, "version", None), int):
        raise _AmissError(f"{where}: {kind} lacks a version, part of every kept score's key: add version = 1.")
    _check_dataclass(where, one)
    _check_text(where, kind, "label", _made(where, kind, "label", lambda: one.label))
    _made(where, kind, "key, of its name, version and parameters (numbers, texts, edits)", lambda: identity(one))


def _check_expectation(expect: Any) -> None:
    where, kind = "expect", _check_made("expect", expect, f"{_kind(expect)}()")
    _demand(where, expect, ("claim", "competence", "expected", "hollow", "contrasts"), "derive it from BaseExpectation")
    _demand(where, expect, _EXPECTS, "derive it from BaseExpectation, and define margins(self, sample, tolerances)")
    if all(getattr(type(expect), name) is getattr(BaseExpectation, name, None) for name in ("conditions", "margins")):
        raise _AmissError(f"{where}: {kind} lacks margins: define conditions or margins(self, sample, tolerances).")
    _check_dataclass(where, expect)
    for name, known in (("claim", get_args(Claim)), ("competence", get_args(Competence))):
        if getattr(expect, name) not in known:
            raise _AmissError(f"{where}: {kind}.{name} has to be one of {', '.join(known)}.")
    if not isinstance(expect.expected, str):
        raise _AmissError(f"{where}: {kind}.expected has to be a text: what is expected, in a few words.")
    reads = _made(where, kind, "reads()", expect.reads)
    if not isinstance(reads, tuple):
        raise _AmissError(f'{where}: {kind}.reads() has to give a tuple, e.g. ("within",).')
    for key in reads:
        if key not in TOLERANCES:
            raise _AmissError(
                f"{where}: {kind}.reads(): no tolerance is called {key!r}. {nearest(str(key), TOLERANCES)}"
            )
    _check_arms(where, kind, expect)


def _check_tables(tables: Any) -> None:
    if isinstance(tables, str) or not isinstance(tables, Iterable):
        raise _AmissError(f"tables: {_kind(tables)} is no sequence of tables; write tables=({_kind(tables)}(),).")
    names = set()
    for table in tables:
        kind = _check_made("tables", table, f"{_kind(table)}()")
        _check_name("tables", table, 'name: ClassVar[str] = "my_table"')
        _demand("tables", table, _LAYS_OUT, "see vlcheck.behaviors.tables.Table")
        _check_hash("tables", table)
        _check_arms("tables", kind, table)
        if table.name in names:
            raise _AmissError(f"tables: {table.name!r} is the name of two of them; one would take the other's place.")
        names.add(table.name)


def _check_arms(where: str, kind: str, one: Any) -> None:
    """Check the perturbations that an expectation or a table asks for."""
    arms = _made(where, kind, "arms()", one.arms)
    if not isinstance(arms, Mapping):
        raise _AmissError(f"{where}: {kind}.arms() has to give a mapping of perturbations, {{}} for none.")
    for name, edit in arms.items():
        _check_perturbation(f"{where}: {kind}.arms()[{name!r}]", edit)


def _check_made(where: str, one: Any, how: str) -> str:
    """Refuse a class or a function where an object of a class is wanted; return the name of its class."""
    if isinstance(one, type):
        raise _AmissError(f"{where}: {_kind(one)} is a class; write {how}, which makes one.")
    if hasattr(one, "__code__"):
        raise _AmissError(
            f"{where}: {_kind(one)} is a function; accepted: what {how} makes, if there is that, or an object of a"
            f" class of your own with {_FROZEN} above it."
        )
    return _kind(one)


def _check_name(where: str, one: Any, line: str) -> None:
    if getattr(one, "name", None) is None:
        raise _AmissError(f"{where}: {_kind(one)} lacks a name, by which results know it: add {line} to it.")
    _check_text(where, _kind(one), "name", one.name)


def _check_text(where: str, kind: str, what: str, text: object) -> None:
    if not isinstance(text, str) or not text.strip() or not text.isprintable():
        raise _AmissError(f"{where}: the {what} of {kind}, {text!r}, has to be a text of one line that can be printed.")


def _check_dataclass(where: str, one: Any) -> None:
    """Refuse anything but a frozen dataclass: objects with equal fields have to be equal and to have one key."""
    kind = type(one)
    fields = [name for name, said in get_annotations(kind).items() if "ClassVar" not in str(said)]
    if not is_dataclass(one) or (fields and "__dataclass_fields__" not in vars(kind)):
        of = f", with {', '.join(fields)} as its parameters" if fields else ""
        raise _AmissError(f"{where}: {_kind(one)} is no dataclass: add {_FROZEN} above the class{of}.")
    _check_hash(where, one)


def _check_hash(where: str, one: Any) -> None:
    try:
        hash(one)
    except Exception as error:
        raise _AmissError(
            f"{where}: {_kind(one)} cannot be a key ({describe_error(error)}): {_FROZEN} above its class, and tuples in"
            " place of lists in it, make it one."
        ) from error


def _demand(where: str, one: Any, names: Iterable[str], cure: str) -> None:
    if missing := [name for name in names if not hasattr(one, name)]:
        raise _AmissError(f"{where}: {_kind(one)} lacks {', '.join(missing)}: {cure}.")


def _made(where: str, kind: str, what: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:
        raise _AmissError(f"{where}: {kind} has no {what}. {describe_error(error)}") from error


def _kind(one: Any) -> str:
    named = one if isinstance(one, type) or hasattr(one, "__code__") else type(one)
    return str(named.__name__)
