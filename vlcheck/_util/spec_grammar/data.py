"""The specs of data: the forms that they may have, and their parser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vlcheck._util.paths import there_is
from vlcheck._util.spec_grammar.forms import IMAGES_PER_BEHAVIOR, DataSpec, Reference
from vlcheck._util.spec_grammar.scanner import Exists, Scanner
from vlcheck.errors import UsageError, argument, nearest, printable

MOST_IMAGES = 100_000
_DIGITS = 18  # the most digits of a number; Python itself refuses thousands
_SCHEME = re.compile(r"[^:@]*")
_LIKE_SCHEME = re.compile(r"[A-Za-z][\w-]+:(?![0-9]+(?::[0-9]+)?\Z)")  # a folder's name stands before N and SEED alone
_TAIL = re.compile(r"(?::([0-9]+))?(?::([0-9]+))?\Z")
_BEFORE_TAIL = r"(?=(?::[0-9]+){1,2}\Z)"
_TAIL_BEGINS = re.compile(_BEFORE_TAIL)
_BEFORE_AT = r"(?=@)"
_BEFORE_SPLIT = r'(?=@(?:"(?:[^"]|"")*"|[^"@:/\\]+)(?::[0-9]+){0,2}\Z)'
_NAMED_SPLIT = re.compile(r":([A-Za-z_][\w.-]*)(?=(?::[0-9]+){0,2}\Z)")
_BEFORE_NAMED_SPLIT = rf"(?={_NAMED_SPLIT.pattern})"


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
        return _data(Scanner(spec, exists), schemes)
    except UsageError as error:
        raise UsageError(f"{argument('data', repr(printable(spec)))}: {error}") from error


def accepted(schemes: Mapping[str, Scheme]) -> str:
    """Describe the accepted data specs."""
    *others, last = (f"{scheme.form}[:N[:SEED]]" for scheme in schemes.values())
    return f"{', '.join(others)} or {last}"


def _data(scan: Scanner, schemes: Mapping[str, Scheme]) -> DataSpec:
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


def _source(scan: Scanner, schemes: Mapping[str, Scheme]) -> Reference:
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


def _other(scan: Scanner, schemes: Mapping[str, Scheme], beside: Scheme) -> Reference:
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
