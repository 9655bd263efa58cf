"""Reading of lexicons: TOML files in fixtures/lexicons, each of which can be replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, cast

from vlcheck._util.foreign_files import read_toml
from vlcheck._util.paths import is_folder
from vlcheck.datasets.lexicons.lexicon import (
    ColorWords,
    Held,
    Lexicons,
    ObjectWords,
    Persons,
    Roles,
    Sides,
    Stops,
    Writing,
)
from vlcheck.datasets.limbs import CHAINS
from vlcheck.errors import UsageError, argument, nearest

Lexicon = TypeVar("Lexicon")
Entry = TypeVar("Entry")

FILES = ("aloft", "colors", "held", "nouns", "objects", "persons", "roles", "sides", "stops", "writing")


def load_lexicons(shipped: Path, own: Path | None = None) -> Lexicons:
    """Read the lexicons.

    Args:
        shipped: the folder that has all of them.
        own: a folder with files that replace shipped ones.

    Raises:
        UsageError: If a key is unknown, missing or of the wrong kind; the message names the file and the key.
    """
    paths = {name: shipped / f"{name}.toml" for name in FILES} | (_own(own) if own else {})
    lexicons = Lexicons(
        objects=_each(paths["objects"], _objects),
        colors=_each(paths["colors"], _colors),
        nouns=_whole(paths["nouns"], lambda section: frozenset(section.words("words"))),
        persons=_whole(paths["persons"], _persons),
        roles=_whole(paths["roles"], _roles),
        sides=_whole(paths["sides"], _sides),
        held=_each(paths["held"], _held),
        aloft=_each(paths["aloft"], lambda section: frozenset(section.words("said", optional=True))),
        stops=_whole(paths["stops"], _stops),
        writing=_whole(paths["writing"], _writing),
    )
    _check_names(paths["objects"], lexicons.objects)
    _check_names(paths["colors"], lexicons.colors)
    return lexicons


class _Section:
    """A table of a file; it remembers the keys that were read, to find unknown ones."""

    def __init__(self, where: str, table: Mapping[str, object]) -> None:
        self.where = where
        self._table = table
        self._asked: set[str] = set()

    def words(self, key: str, *, optional: bool = False) -> tuple[str, ...]:
        value = self._get(key, [] if optional else None)
        if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
            raise UsageError(f'{self.where}: {key} has to be a list of words, like ["bus", "buses"].')
        return tuple(word.lower() for word in value)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str):
            raise UsageError(f"{self.where}: {key} has to be a text.")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise UsageError(f"{self.where}: {key} has to be true or false.")
        return value

    def groups(self, key: str) -> Mapping[str, frozenset[str]]:
        value = self._get(key, None)
        if not isinstance(value, dict):
            raise UsageError(f"{self.where}: {key} has to be a table of lists of words.")
        section = _Section(f"{self.where} [{key}]", value)
        return {name: frozenset(section.words(name)) for name in value}

    def shares(self, key: str) -> Mapping[str, float]:
        value = self._get(key, None)
        if not isinstance(value, dict) or not all(map(_is_share, value.values())):
            raise UsageError(f"{self.where}: {key} has to be a table of shares from 0 to 1, like bus = 0.1.")
        return {name: float(share) for name, share in value.items()}

    def finish(self) -> None:
        """Raise UsageError if there is an unknown key."""
        for key in self._table:
            if key not in self._asked:
                raise UsageError(f"{self.where}: unknown key {key!r}. {nearest(key, self._asked)}")

    def _get(self, key: str, default: object) -> object:
        self._asked.add(key)
        value = self._table.get(key, default)
        if value is None:
            raise UsageError(f"{self.where}: has no {key}.")
        return value


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _objects(section: _Section) -> ObjectWords:
    lists = {key: section.words(key, optional=True) for key in ("one", "many", "phrases", "also", "never", "near")}
    words = ObjectWords(**lists, candidate=section.flag("candidate", True), name=section.text("name", ""))
    for word in (*words.one, *words.many):
        if " " in word:
            raise UsageError(f"{section.where}: {word!r} is a phrase; one and many hold single words.")
    for phrase in words.phrases:
        if not set(phrase.split()).intersection((*words.one, *words.many)):
            raise UsageError(f"{section.where}: the phrase {phrase!r} has none of the words in one and many.")
    return words


def _colors(section: _Section) -> ColorWords:
    kind, words = section.text("kind"), section.words("words")
    if kind not in ("chromatic", "achromatic"):
        raise UsageError(f"{section.where}: kind is {kind!r}; it has to be chromatic or achromatic.")
    if not words:
        raise UsageError(f"{section.where}: words has to hold the color's name.")
    return ColorWords(kind, words, section.words("also", optional=True), section.words("near", optional=True))


def _persons(section: _Section) -> Persons:
    return Persons(section.text("category"), section.groups("contrary"))


def _roles(section: _Section) -> Roles:
    return Roles(
        determiners=section.words("determiners"),
        modifiers=frozenset(section.words("modifiers", optional=True)),
        auxiliaries=frozenset(section.words("auxiliaries", optional=True)),
        turns=frozenset(section.words("turns", optional=True)),
        mutual=section.words("mutual", optional=True),
        doings=frozenset(section.words("doings", optional=True)),
        generic=frozenset(section.words("generic", optional=True)),
        joints=section.words("joints", optional=True),
        acts=section.groups("acts"),
        persons=section.groups("persons"),
        animals=section.groups("animals"),
        sexes=section.groups("sexes"),
        ages=section.groups("ages"),
    )


def _sides(section: _Section) -> Sides:
    words, also = frozenset(section.words("words")), frozenset(section.words("also", optional=True))
    possessors, aside = frozenset(section.words("possessors")), frozenset(section.words("aside", optional=True))
    animals = frozenset(section.words("animals", optional=True))
    mirrors = frozenset(section.words("mirrors", optional=True))
    return Sides(words, also, possessors, aside, animals, frozenset(section.words("parts")), mirrors)


def _held(section: _Section) -> Held:
    named, limbs = section.text("limb", "hand"), {limb: limb for limb in CHAINS}
    if named not in limbs:
        raise UsageError(f"{section.where}: limb is {named!r}; it has to be {' or '.join(limbs)}.")
    return Held(limbs[named], section.text("word"), frozenset(section.words("said", optional=True)))


def _stops(section: _Section) -> Stops:
    return Stops(
        colors=section.words("colors"),
        grey=section.words("grey"),
        depictions=frozenset(section.words("depictions")),
        quotes=frozenset(section.words("quotes", optional=True)),
        materials=frozenset(section.words("materials", optional=True)),
        denials=frozenset(section.words("denials")),
        before=frozenset(section.words("before")),
        after=frozenset(section.words("after")),
        endings=section.words("endings"),
        compounds=frozenset(section.words("compounds")),
        shades=frozenset(section.words("shades")),
    )


def _writing(section: _Section) -> Writing:
    return Writing(section.words("words"), section.words("never", optional=True), section.shares("categories"))


def _whole(path: Path, reader: Callable[[_Section], Lexicon]) -> Lexicon:
    section = _Section(str(path), read_toml(path))
    lexicon = reader(section)
    section.finish()
    return lexicon


def _each(path: Path, reader: Callable[[_Section], Entry]) -> dict[str, Entry]:
    entries = {}
    for name, table in read_toml(path).items():
        if not isinstance(table, dict):
            raise UsageError(f"{path}: unknown key {name!r}; the file holds tables, one under each name.")
        section = _Section(f"{path} [{name}]", cast("dict[str, object]", table))
        entries[name] = reader(section)
        section.finish()
    return entries


def _check_names(path: Path, entries: Mapping[str, ObjectWords] | Mapping[str, ColorWords]) -> None:
    for name, entry in entries.items():
        for other in entry.near:
            if other not in entries:
                raise UsageError(f"{path} [{name}]: near has an unknown name {other!r}. {nearest(other, entries)}")


def _own(folder: Path) -> dict[str, Path]:
    if not is_folder(folder):
        raise UsageError(f"{argument('lexicons', folder)}: there is no such folder.")
    files = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if not files:
        raise UsageError(f"{argument('lexicons', folder)}: has none of {', '.join(f'{name}.toml' for name in FILES)}.")
    for name, path in files.items():
        if name not in FILES:
            raise UsageError(f"{path}: there is no such lexicon. {nearest(name, FILES)}")
    return files
