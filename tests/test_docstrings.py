"""Docstrings can be read: each says in plain sentences what a name is, takes, returns and raises.

Ruff checks their form (pydocstyle's rules, Google's convention). These tests check what ruff cannot: that a function
of two parameters or more describes them, that no sentence begins with a clause in the place of its subject, that
parameters, attributes and returned values are described by noun phrases, and that the names in them exist.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
CLAUSE = re.compile(r"(?:^|[.:;!?] +)(?:What|Which|That|As|Where|Whether|Whose|Who|Those|How)\b(?! is why| said)")
NO_NOUN = re.compile(
    r"(?:what|which|how|where|as|that|who|it|from|to|of|under|by|with|in|at|on|done|shown|told|leads|likewise)\b",
    re.IGNORECASE,
)
NO_VERB = re.compile(
    r"(?:The|An?|What|Which|That|This|These|Those|As|Where|Whether|When|Who|Whoever|Whose|How|Why|Of|From|For|In|On|By|At"
    r"|With|Without|One|Two|All|Both|Each|Every|Some|No|None|Nothing|Its|Their|Another|Many)\b"
)

Definition = ast.FunctionDef | ast.AsyncFunctionDef


class Documented(NamedTuple):
    """A module, a class or a function, with its docstring."""

    name: str
    node: ast.Module | ast.ClassDef | Definition
    text: str

    @property
    def is_property(self) -> bool:
        """Return True if the docstring names a value and does not describe a call."""
        decorators = [ast.unparse(one) for one in getattr(self.node, "decorator_list", ())]
        return any(one.rpartition(".")[2] in ("property", "cached_property") for one in decorators)

    @property
    def is_public(self) -> bool:
        """Return True if no part of the name begins with an underscore."""
        return not any(part.startswith("_") for part in self.name.partition("::")[2].split("."))

    @property
    def is_command(self) -> bool:
        """Return True if typer calls it: its parameters have their help texts in their annotations."""
        if not isinstance(self.node, Definition):
            return False
        told = [*self.node.decorator_list, self.node.args]
        return any(re.search(r"\btyper\.(Option|Argument)\(|\bapp\.command\(", ast.unparse(one)) for one in told)


def documented(path: Path) -> Iterator[Documented]:
    """Yield all that has a docstring in a file, named `path::Class.method`."""
    relative = path.relative_to(ROOT).as_posix()

    def inside(node: ast.AST, prefix: str) -> Iterator[Documented]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | Definition):
                name = f"{prefix}{child.name}"
                if text := ast.get_docstring(child):
                    yield Documented(f"{relative}::{name}", child, text)
                yield from inside(child, f"{name}.")

    tree = ast.parse(path.read_text("utf-8"))
    if text := ast.get_docstring(tree):
        yield Documented(f"{relative}::", tree, text)
    yield from inside(tree, "")


@cache
def checked() -> tuple[Documented, ...]:
    """Return all of vlcheck that has a docstring."""
    files = sorted((ROOT / "vlcheck").rglob("*.py"))
    return tuple(one for path in files for one in documented(path))


def lacks_args(one: Documented) -> bool:
    """Return True if a public function of two parameters or more does not describe them."""
    if not isinstance(one.node, Definition) or not one.is_public or one.is_property or one.is_command:
        return False
    spec = one.node.args
    names = [each.arg for each in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg) if each]
    return len([name for name in names if name not in ("self", "cls")]) >= 2 and "Args:\n" not in one.text


def clauses(text: str) -> list[str]:
    """Return the beginnings of sentences that have a clause in the place of their subject."""
    paragraphs = re.split(r"\n\s*\n|\n(?=\s+\w+: )", text)
    joined = (" ".join(paragraph.split()) for paragraph in paragraphs)
    return [one[found.start() : found.start() + 60] for one in joined for found in CLAUSE.finditer(one)]


def riddles(text: str) -> list[str]:
    """Return the entries of Args, Attributes, Returns and Yields that do not begin with a noun phrase or `whether`."""
    found = []
    for name, section in re.findall(
        r"^(Args|Attributes|Returns|Yields):\n((?:(?: +.*)?(?:\n|$))+)", text, re.MULTILINE
    ):
        for entry in re.findall(r"^ {4}(?! )(.+)", section, re.MULTILINE):
            said = entry.partition(": ")[2] if name in ("Args", "Attributes") else entry
            found += [entry] if NO_NOUN.match(said) else []
    return found


def lacks_verb(one: Documented) -> bool:
    """Return True if a function's first line does not begin with a verb."""
    return isinstance(one.node, Definition) and not one.is_property and bool(NO_VERB.match(one.text))


def test_functions_of_two_parameters_describe_them():
    assert not [one.name for one in checked() if lacks_args(one)]


def test_no_sentence_begins_with_a_clause_as_its_subject():
    assert not [f"{one.name}: {found}" for one in checked() for found in clauses(one.text)]


def test_parameters_and_results_are_described_by_noun_phrases():
    assert not [f"{one.name}: {entry}" for one in checked() for entry in riddles(one.text)]


def test_the_first_line_of_a_function_begins_with_a_verb():
    assert not [f"{one.name}: {one.text[:60]}" for one in checked() if lacks_verb(one)]


def examples() -> list[str]:
    """Return the modules that have an example in a docstring."""
    files = sorted((ROOT / "vlcheck").rglob("*.py"))
    there = (path for path in files if re.search(r"^ *>>> ", path.read_text("utf-8"), re.MULTILINE))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in there]


@pytest.mark.parametrize("module", examples())
def test_examples_run(module):
    result = doctest.testmod(import_module(module))
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Return the preview of all selected tests.", 0),
        ("That of all selected tests.", 1),
        ("Return the rate. As it is where no more than so many do.", 1),
        ("Return the rate.\n\nWhat is seen, for who does not know it.", 1),
        ("Return the rate.\n\nThat is why the order does not matter.", 0),
        ("Return the part that is seen,\nWhat is not.", 0),
    ],
)
def test_a_clause_is_found_at_the_beginning_of_a_sentence_alone(text, found):
    assert len(clauses(text)) == found


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("expect: the expectation.", 0),
        ("expect: from scores to margins.", 1),
        ("tables: what the results show.", 1),
        ("sequential: whether to stop early.", 0),
        ("arms: one for each view,\n        as `Sample` has them.", 0),
    ],
)
def test_an_entry_that_is_no_noun_phrase_is_found(entry, found):
    assert len(riddles(f"Return the sum.\n\nArgs:\n    {entry}\n\nWhat else.")) == found


def test_a_function_without_args_is_found(tmp_path, monkeypatch):
    source = 'def add(one, other):\n    """Add two numbers."""\n\n\ndef _add(one, other):\n    """The sum."""\n'
    (tmp_path / "sums.py").write_text(source)
    monkeypatch.setitem(documented.__globals__, "ROOT", tmp_path)
    found = list(documented(tmp_path / "sums.py"))
    assert [lacks_args(one) for one in found] == [True, False]
    assert [lacks_verb(one) for one in found] == [False, True]


def own_names(node: ast.AST) -> set[str]:
    """Return the names that a module or a class defines, and the attributes that it sets on `self`."""
    found = {one.name for one in ast.walk(node) if isinstance(one, Definition | ast.ClassDef)}
    found |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    found |= {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)}
    return found | {one.asname or one.name for one in ast.walk(node) if isinstance(one, ast.alias)}


def unknown_names(text: str, members: dict[str, set[str]]) -> list[str]:
    """Return the names in backticks, `Class.member` or `vlcheck.module.name`, whose class or module lacks them.

    Args:
        text: a docstring.
        members: the names that each module, by its dotted name, and each class of vlcheck defines.
    """
    found = []
    for name in re.findall(r"`((?:vlcheck|[A-Z]\w*)(?:\.\w+)+)(?:\(.*?\))?`", text):
        parts = name.split(".")
        holder = next(
            (".".join(parts[:end]) for end in range(len(parts), 0, -1) if ".".join(parts[:end]) in members), ""
        )
        rest = name.removeprefix(holder).removeprefix(".").partition(".")[0]
        found += [name] if holder and rest and rest not in members[holder] else []
    return found


def test_names_in_docstrings_exist():
    members: dict[str, set[str]] = {}
    for path in sorted((ROOT / "vlcheck").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        members.setdefault(module, set()).update(own_names(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).partition("[")[0] for base in node.bases}
                if bases <= {"NamedTuple", "Protocol", "Enum", "Exception"}:  # of a subclass, others define names, too
                    members.setdefault(node.name, set()).update(own_names(node))
    assert not [f"{one.name}: {name}" for one in checked() for name in unknown_names(one.text, members)]


def test_a_name_that_its_class_lacks_is_found():
    members = {"Box": {"area"}, "vlcheck.cases": {"Box"}}
    assert unknown_names("See `Box.area`, `vlcheck.cases.Box`, `Image.open`.", members) == []
    assert unknown_names("See `Box.size` and `vlcheck.cases.Bax`.", members) == ["Box.size", "vlcheck.cases.Bax"]
