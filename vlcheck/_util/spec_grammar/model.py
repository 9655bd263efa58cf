"""The parser of specs of models."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from vlcheck._util.paths import there_is
from vlcheck._util.spec_grammar.forms import FAMILY, HUB_ID, Adapted, Factory, Reference, Several, Single, Wrapped
from vlcheck._util.spec_grammar.scanner import Exists, Scanner
from vlcheck.errors import UsageError, argument, nearest, printable

_KEY = re.compile(r"([A-Za-z_]\w*)=")
_NEXT = re.compile(r"(?=,\s*[A-Za-z_]\w*=)")
_NEXT_OR_ADAPTER = re.compile(rf"{_NEXT.pattern}|(?=\+)")
_OPTION = re.compile(r",\s*([A-Za-z_]\w*)=")
_IN_FILE = re.compile(r"(.+\.py):([A-Za-z_]\w*)", re.DOTALL)
_IN_MODULE = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")
_NAMED = re.compile(r":([A-Za-z_]\w*)")


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
    scan = Scanner(spec, exists)
    try:
        model = _model(scan, _Names(families, metrics, wrappers))
        scan.demand_end()
    except UsageError as error:
        raise UsageError(f"{argument('model', repr(printable(spec)))}: {error}") from error
    return model


def _model(scan: Scanner, names: _Names) -> Single | Several:
    """Read one model, or a model for each metric, up to the end of the text."""
    if _KEY.match(scan.text, scan.at) and not scan.exists(scan.text[scan.at :]):
        return _several(scan, names)
    return _single(scan, names)


def _several(scan: Scanner, names: _Names) -> Several:
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


def _single(scan: Scanner, names: _Names) -> Single:
    begin = scan.at
    if (wrapper := FAMILY.match(scan.text, begin)) and wrapper[1] in names.wrappers:
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


def _wrapped(scan: Scanner, wrapper: str, names: _Names) -> Wrapped:
    """Read the model that a wrapper wraps. In a pair of models that is one model, else it may itself be a pair."""
    if wrapper in names.outside:
        raise UsageError(f"{wrapper} is named twice; once is enough.")
    within = replace(names, outside=(*names.outside, wrapper))
    inner = _single(scan, within) if names.ends else _model(scan, within)
    if isinstance(inner, Single) and not str(inner.what):
        raise UsageError(f"{wrapper} wraps another model, and none is named. Say {wrapper}:SPEC, e.g. {wrapper}:tiny.")
    return Wrapped(wrapper, inner)


def _keys(scan: Scanner, ends: Collection[str]) -> Iterator[str]:
    """Yield the keys of options up to that of the next model."""
    while (found := _OPTION.match(scan.text, scan.at)) and found[1] not in ends:
        scan.at = found.end()
        yield found[1]


def _what(scan: Scanner, names: _Names) -> Reference | Adapted | Factory:
    family = FAMILY.match(scan.text, scan.at)
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


def _adapted(scan: Scanner) -> Reference | Adapted:
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


def _place(scan: Scanner) -> Reference:
    """Read the place of a checkpoint or an adapter: a folder or a hub id, perhaps with its revision."""
    if scan.at_quote:
        path = scan.value(_NEXT)
        return Reference("", path, scan.value(_NEXT_OR_ADAPTER) if scan.take_mark("@") else "")
    said = scan.value(_NEXT_OR_ADAPTER)
    hub = None if scan.exists(said) else HUB_ID.fullmatch(said)
    return Reference("", hub[1], hub[2] or "") if hub else Reference("", said)
