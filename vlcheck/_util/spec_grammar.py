"""The grammar of specs of data and models; docs/reference/specs.md describes it with examples.

    data   = source [":" N [":" SEED]]
    source = SCHEME [":" PATH] ["@" SPLIT | "@" source | "@" PATH]
    model  = single | METRIC "=" single "," METRIC "=" single | WRAPPER ":" model
    single = what {"," KEY "=" VALUE} | WRAPPER ":" single
    what   = FAMILY [":" PATH] | place ["+" place] | FILE ":" NAME | MODULE ":" NAME
    place  = PATH ["@" REVISION]

PATH, SPLIT, REVISION, FILE and VALUE are texts. A text in double quotes is taken literally, with `""` for a quote. A
text without quotes ends at the end of the longest existing file or folder name, else at the first character that can
end it. `str()` of a parsed spec is a spec again, with quotes where they are needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from vlcheck._util.paths import there_is
from vlcheck.errors import UsageError, argument, nearest, printable

IMAGES_PER_BEHAVIOR, MOST_IMAGES = 200, 100_000
_DIGITS = 18  # the most digits of a number; Python itself refuses thousands

Exists = Callable[[str], bool]

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_PLAIN = re.compile(r'(?:[A-Za-z]:(?=[\\/]))?[^":@,=]+')  # a drive's colon ends nothing
_PLAIN_PLACE = re.compile(r'(?:[A-Za-z]:(?=[\\/]))?[^":@,=+]+')  # of a checkpoint, which an adapter may follow
_PLAIN_SPLIT = re.compile(r"[\w.-]+")

_SCHEME = re.compile(r"[^:@]*")
_LIKE_SCHEME = re.compile(r"[A-Za-z][\w-]+:(?![0-9]+(?::[0-9]+)?\Z)")  # a folder's name stands before N and SEED alone
_TAIL = re.compile(r"(?::([0-9]+))?(?::([0-9]+))?\Z")
_BEFORE_TAIL = r"(?=(?::[0-9]+){1,2}\Z)"
_TAIL_BEGINS = re.compile(_BEFORE_TAIL)
_BEFORE_AT = r"(?=@)"
_BEFORE_SPLIT = r'(?=@(?:"(?:[^"]|"")*"|[^"@:/\\]+)(?::[0-9]+){0,2}\Z)'
_NAMED_SPLIT = re.compile(r":([A-Za-z_][\w.-]*)(?=(?::[0-9]+){0,2}\Z)")
_BEFORE_NAMED_SPLIT = rf"(?={_NAMED_SPLIT.pattern})"

_KEY = re.compile(r"([A-Za-z_]\w*)=")
_NEXT = re.compile(r"(?=,\s*[A-Za-z_]\w*=)")
_NEXT_OR_ADAPTER = re.compile(rf"{_NEXT.pattern}|(?=\+)")
_OPTION = re.compile(r",\s*([A-Za-z_]\w*)=")
_FAMILY = re.compile(r"([\w.-]+)(?::|(?=,\s*[A-Za-z_]\w*=)|\Z)")
_HUB_ID = re.compile(r"([\w-][\w.-]*/[\w.-]+)(?:@([\w./-]+))?")
_IN_FILE = re.compile(r"(.+\.py):([A-Za-z_]\w*)", re.DOTALL)
_IN_MODULE = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")
_NAMED = re.compile(r":([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Scheme:
    """The form of a data spec.

    Attributes:
        form: the form for messages, e.g. "coco:ROOT[@SPLIT]".
        path: whether it has a path.
        at: the part that may follow an @. "source" is another source, or the path of a folder; a "named split" may
            follow a colon, too, as in hf:NAME:SPLIT.
        foils: whether such data may have foils, so that it is read to find out which tests there are cases for.
    """

    form: str
    path: bool = True
    at: Literal["nothing", "split", "named split", "source"] = "nothing"
    foils: bool = True

    @property
    def ends(self) -> re.Pattern[str]:
        """A pattern of the places where its path can end."""
        more = {
            "nothing": [],
            "split": [_BEFORE_SPLIT],
            "named split": [_BEFORE_SPLIT, _BEFORE_NAMED_SPLIT],
            "source": [_BEFORE_AT],
        }[self.at]
        return re.compile("|".join([_BEFORE_TAIL, *more]))


@dataclass(frozen=True)
class Reference:
    """Data or a model at a place.

    Attributes:
        scheme: the kind of data, or the family of models; "" for a checkpoint's folder or hub id.
        path: the path as it was written, `~` included.
        at: a split, a revision, or the source that it refers to.
    """

    scheme: str
    path: str = ""
    at: str | Reference = ""

    def __str__(self) -> str:
        if not self.scheme:
            return self._checkpoint()
        at = str(self.at) if isinstance(self.at, Reference) else _quoted(self.at, _PLAIN_SPLIT)
        return self.scheme + (f":{_quoted(self.path)}" if self.path else "") + (f"@{at}" if self.at else "")

    def _checkpoint(self) -> str:
        """Write a folder or hub id so that it is neither read as a family nor as a path that contains an @."""
        if self.at:
            said = f"{self.path}@{self.at}"
            plain = _HUB_ID.fullmatch(self.path) and _HUB_ID.fullmatch(said)
            return said if plain else f"{_in_quotes(self.path)}@{_quoted(str(self.at), _PLAIN_PLACE)}"
        if _FAMILY.fullmatch(self.path):
            return _in_quotes(self.path)
        return self.path and _quoted(self.path, _PLAIN_PLACE)


@dataclass(frozen=True)
class DataSpec:
    """Data, and how much of it to use.

    Attributes:
        source: the place of the data.
        images: largest number of images for each behavior.
        seed: determines which images are chosen.
    """

    source: Reference
    images: int = IMAGES_PER_BEHAVIOR
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.images}:{self.seed}"


@dataclass(frozen=True)
class Adapted:
    """A checkpoint with an adapter of its weights.

    Attributes:
        base: the place of the checkpoint.
        adapter: the place of the adapter.
    """

    base: Reference
    adapter: Reference

    def __str__(self) -> str:
        return f"{self.base}+{self.adapter}"


@dataclass(frozen=True)
class Factory:
    """A function that makes a model.

    Attributes:
        where: its Python file or module.
        name: the function's name.
    """

    where: str
    name: str

    @property
    def in_file(self) -> bool:
        """True if it is in a file, False if it is in an importable module."""
        return self.where.endswith(".py")

    def __str__(self) -> str:
        return f"{_quoted(self.where)}:{self.name}"


@dataclass(frozen=True)
class Single:
    """One model.

    Attributes:
        what: the place of the model, with or without an adapter, the function that makes it, or the wrapper around
            another model.
        options: the options after it, by key; those of a wrapped model are its own.
        said: the text that was parsed.
    """

    what: Reference | Adapted | Factory | Wrapped
    options: tuple[tuple[str, str], ...] = ()
    said: str = field(default="", compare=False)

    def __str__(self) -> str:
        return ",".join([str(self.what), *(f"{key}={_quoted(value)}" for key, value in self.options)])


@dataclass(frozen=True)
class Several:
    """A model for each metric.

    Attributes:
        parts: metrics and their models.
    """

    parts: tuple[tuple[str, Single], ...]

    def __str__(self) -> str:
        return ",".join(f"{metric}={part}" for metric, part in self.parts)


@dataclass(frozen=True)
class Wrapped:
    """A model that another one wraps.

    Attributes:
        wrapper: the name of the wrapper.
        inner: the wrapped model.
    """

    wrapper: str
    inner: Single | Several

    def __str__(self) -> str:
        return f"{self.wrapper}:{self.inner}"


@dataclass(frozen=True)
class _Names:
    """The names that have a meaning in the spec of a model.

    Attributes:
        families: families of models.
        metrics: metrics, each of which can have a model of its own.
        wrappers: wrappers that may stand before a model.
        ends: names of metrics whose `,METRIC=` ends the options of a model.
        outside: the wrappers around the model that is read; each may be named once.
    """

    families: Collection[str]
    metrics: Collection[str]
    wrappers: Collection[str] = ()
    ends: Collection[str] = ()
    outside: tuple[str, ...] = ()


def parse_data(spec: str, schemes: Mapping[str, Scheme], *, exists: Exists = there_is) -> DataSpec:
    """Parse the spec of data.

    Args:
        spec: the text.
        schemes: the known schemes, by name.
        exists: returns True if a path is that of a file or folder.

    Raises:
        UsageError: If a part means nothing; the message names it, and what would be accepted.
    """
    try:
        return _data(_Scanner(spec, exists), schemes)
    except UsageError as error:
        raise UsageError(f"{argument('data', repr(printable(spec)))}: {error}") from error


def accepted(schemes: Mapping[str, Scheme]) -> str:
    """Describe the accepted data specs."""
    *others, last = (f"{scheme.form}[:N[:SEED]]" for scheme in schemes.values())
    return f"{', '.join(others)} or {last}"


def parse_model(
    spec: str,
    families: Collection[str],
    metrics: Collection[str],
    *,
    wrappers: Collection[str] = (),
    exists: Exists = there_is,
) -> Single | Several:
    """Parse the spec of a model.

    Args:
        spec: the text.
        families: names that stand before a path; other text before a colon is a part of the path.
        metrics: the metrics, each of which can have a model of its own.
        wrappers: names that stand before the spec of another model.
        exists: returns True if a path is that of a file or folder.

    Raises:
        UsageError: If a part means nothing; the message names it, and what would be accepted.
    """
    scan = _Scanner(spec, exists)
    try:
        model = _model(scan, _Names(families, metrics, wrappers))
        scan.demand_end()
    except UsageError as error:
        raise UsageError(f"{argument('model', repr(printable(spec)))}: {error}") from error
    return model


class _Scanner:
    """A text that is read from left to right."""

    def __init__(self, text: str, exists: Exists) -> None:
        self.text, self.exists, self.at = text, exists, 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read a match of the pattern at the current place."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def take_mark(self, mark: str) -> bool:
        """Read a character, if it is at the current place."""
        found = self.text.startswith(mark, self.at)
        self.at += found
        return found

    def value(self, ends: re.Pattern[str]) -> str:
        """Read a text in quotes, or up to one of its ends: the last before which a file exists, else the first."""
        if self.at_quote:
            return self._quoted()
        stops = [*(end.start() for end in ends.finditer(self.text, self.at)), len(self.text)]
        begin = self.at
        self.at = next((stop for stop in reversed(stops) if self.exists(self.text[begin:stop])), stops[0])
        return self.text[begin : self.at]

    @property
    def at_quote(self) -> bool:
        return self.text.startswith('"', self.at)

    def _quoted(self) -> str:
        quoted = self.take(_QUOTED)
        if not quoted:
            raise UsageError('a double quote is not closed. One that belongs to a name is written twice: "a""b".')
        return quoted[1].replace('""', '"')

    def demand_end(self) -> None:
        """Raise UsageError if more text follows."""
        if self.at < len(self.text):
            raise UsageError(f"{printable(self.text[self.at :])!r} follows the closing quote, and means nothing there.")


def _data(scan: _Scanner, schemes: Mapping[str, Scheme]) -> DataSpec:
    source = _source(scan, schemes)
    tail = scan.take(_TAIL)
    if not tail:
        what = "takes N, images a behavior, from 1 on, and SEED, from 0 on"
        raise UsageError(f"{printable(scan.text[scan.at :])!r}: {source.scheme} {what}. Say {accepted(schemes)}.")
    images, seed = tail[1] or str(IMAGES_PER_BEHAVIOR), tail[2] or "0"
    if len(images) > _DIGITS or not 1 <= int(images) <= MOST_IMAGES:
        raise UsageError(f"N is the number of images per behavior; it has to be from 1 to {MOST_IMAGES}.")
    if len(seed) > _DIGITS:
        raise UsageError(f"SEED has {len(seed)} digits; at most {_DIGITS} are accepted.")
    return DataSpec(source, int(images), int(seed))


def _source(scan: _Scanner, schemes: Mapping[str, Scheme]) -> Reference:
    taken = scan.take(_SCHEME)
    name = taken[0] if taken else ""
    scheme = schemes.get(name)
    if scheme is None:
        raise UsageError(
            f"unknown source {printable(name)!r}. {nearest(name, schemes)} Say {accepted(schemes)}; a name that holds"
            " any of these characters stands in double quotes."
        )
    if not scheme.path:
        return Reference(name)
    named, rest = scan.take_mark(":"), scan.text[scan.at :]
    path = scan.value(scheme.ends) if named else ""
    if not path:
        raise UsageError(f"{name} names no path. Say {scheme.form}.")
    if not rest.startswith('"') and (amiss := _beside_a_path(path, rest, scan.exists)):
        raise UsageError(f"{amiss}. Say {scheme.form}[:N[:SEED]], N from 1 on, and SEED from 0 on.")
    if scheme.at == "named split" and (split := scan.take(_NAMED_SPLIT)):
        return Reference(name, path, split[1])
    if scheme.at == "nothing" or not scan.take_mark("@"):
        return Reference(name, path)
    return Reference(name, path, _other(scan, schemes, scheme) if scheme.at == "source" else scan.value(scheme.ends))


def _other(scan: _Scanner, schemes: Mapping[str, Scheme], beside: Scheme) -> Reference:
    """Read the source after an @; what neither is nor looks like a scheme is the path of a folder."""
    name = _SCHEME.match(scan.text, scan.at)
    scheme = name is not None and name[0] in schemes
    if scheme or (_LIKE_SCHEME.match(scan.text, scan.at) and not scan.exists(scan.text[scan.at :])):
        return _source(scan, schemes)
    path = scan.value(_TAIL_BEGINS)
    if not path:
        raise UsageError(f"nothing follows the @. Say {beside.form}.")
    return Reference("", path)


def _beside_a_path(path: str, rest: str, exists: Exists) -> str:
    """Describe the text beside the longest path that exists; "" if the whole path exists, or none.

    Args:
        path: the path as it was read.
        rest: the text from the path's beginning on.
        exists: returns True if a path is that of a file or folder.
    """
    if exists(path):
        return ""
    if exists(path.strip()) and path != path.rstrip():
        return f"{printable(path)!r} ends with a space, and {printable(path.strip())!r} is there"
    if exists(path.strip()):
        return f"{printable(path)!r} begins with a space, and {printable(path.strip())!r} is there"
    stops = [mark.start() for mark in re.finditer("[:@]", path)]
    stop = next((stop for stop in reversed(stops) if exists(path[:stop])), None)
    if stop is None:
        return ""
    return f"{printable(rest[stop:])!r} after {printable(path[:stop])!r}, which is there, means nothing"


def _model(scan: _Scanner, names: _Names) -> Single | Several:
    """Read one model, or a model for each metric, up to the end of the text."""
    if _KEY.match(scan.text, scan.at) and not scan.exists(scan.text[scan.at :]):
        return _several(scan, names)
    return _single(scan, names)


def _several(scan: _Scanner, names: _Names) -> Several:
    metrics, each = names.metrics, replace(names, ends=names.metrics)
    parts: dict[str, Single] = {}
    found = scan.take(_KEY)
    while found:
        metric = found[1]
        if metric not in metrics:
            raise UsageError(f"{metric!r} is no metric. {nearest(metric, metrics)}")
        if metric in parts:
            raise UsageError(f"{metric} is named twice; one model answers it.")
        parts[metric] = _single(scan, each)
        found = scan.take(_OPTION)
    scan.demand_end()
    if missing := [metric for metric in metrics if metric not in parts or not str(parts[metric].what)]:
        others = [key for part in parts.values() for key, _ in part.options]
        strange = "".join(f"{key!r} is no metric. {nearest(key, metrics)} " for key in others)
        forms = ",".join(f"{metric}=SPEC" for metric in sorted(metrics))
        raise UsageError(f"{strange}no model is named for {' and '.join(missing)}. Accepted: {forms}.")
    return Several(tuple(parts.items()))


def _single(scan: _Scanner, names: _Names) -> Single:
    begin = scan.at
    if (wrapper := _FAMILY.match(scan.text, begin)) and wrapper[1] in names.wrappers:
        scan.at = wrapper.end()
        wrapped = _wrapped(scan, wrapper[1], names)
        return Single(wrapped, said=scan.text[begin : scan.at])
    what = _what(scan, names)
    options: dict[str, str] = {}
    for key in _keys(scan, names.ends):
        if key in options:
            raise UsageError(f"{key} is named twice.")
        options[key] = scan.value(_NEXT)
    return Single(what, tuple(options.items()), scan.text[begin : scan.at])


def _wrapped(scan: _Scanner, wrapper: str, names: _Names) -> Wrapped:
    """Read the model that a wrapper wraps. In a pair of models that is one model, else it may itself be a pair."""
    if wrapper in names.outside:
        raise UsageError(f"{wrapper} is named twice; once is enough.")
    within = replace(names, outside=(*names.outside, wrapper))
    inner = _single(scan, within) if names.ends else _model(scan, within)
    if isinstance(inner, Single) and not str(inner.what):
        raise UsageError(f"{wrapper} wraps another model, and none is named. Say {wrapper}:SPEC, e.g. {wrapper}:tiny.")
    return Wrapped(wrapper, inner)


def _keys(scan: _Scanner, ends: Collection[str]) -> Iterator[str]:
    """Yield the keys of options up to that of the next model."""
    while (found := _OPTION.match(scan.text, scan.at)) and found[1] not in ends:
        scan.at = found.end()
        yield found[1]


def _what(scan: _Scanner, names: _Names) -> Reference | Adapted | Factory:
    family = _FAMILY.match(scan.text, scan.at)
    if family and family[1] in names.families:
        scan.at = family.end()
        return Reference(family[1], scan.value(_NEXT))
    begin = scan.at
    if scan.at_quote:
        path = scan.value(_NEXT)
        if named := scan.take(_NAMED):
            return Factory(path, named[1])
    else:
        said = scan.value(_NEXT)
        if scan.exists(said):
            return Reference("", said)
        factory = _IN_FILE.fullmatch(said) or _IN_MODULE.fullmatch(said)
        if factory and '+"' not in said:  # else the colon belongs to the path of an adapter
            return Factory(factory[1], factory[2])
    scan.at = begin
    return _adapted(scan)


def _adapted(scan: _Scanner) -> Reference | Adapted:
    """Read a checkpoint, and the adapter that may follow it."""
    base = _place(scan)
    if not scan.take_mark("+"):
        return base
    adapter = _place(scan)
    if not base.path or not adapter.path:
        raise UsageError("a + stands between a checkpoint and its adapter. Say BASE+ADAPTER, both a folder or hub id.")
    if scan.take_mark("+"):
        raise UsageError("a second + follows; one adapter is accepted. A path with + is written in double quotes.")
    return Adapted(base, adapter)


def _place(scan: _Scanner) -> Reference:
    """Read the place of a checkpoint or an adapter: a folder or a hub id, perhaps with its revision."""
    if scan.at_quote:
        path = scan.value(_NEXT)
        return Reference("", path, scan.value(_NEXT_OR_ADAPTER) if scan.take_mark("@") else "")
    said = scan.value(_NEXT_OR_ADAPTER)
    hub = None if scan.exists(said) else _HUB_ID.fullmatch(said)
    return Reference("", hub[1], hub[2] or "") if hub else Reference("", said)


def _quoted(text: str, plain: re.Pattern[str] = _PLAIN) -> str:
    """Put a text in quotes unless it is plain."""
    return text if plain.fullmatch(text) else _in_quotes(text)


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
