"""Templates, style sheets and scripts of pages: they become one HTML file that loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vlcheck._util.numbers import counted
from vlcheck.report.page.escaping import unbroken


def pieces(
    template: str,
    view: object,
    *,
    start: str,
    styles: Sequence[str] = ("page.css", "charts.css"),
    scripts: Sequence[str] = ("theme.js",),
    pictures: Iterable[str] = (),
) -> Iterator[str]:
    """Yield the HTML of a page piece by piece; the browser runs none but its own styles and scripts.

    Args:
        template: name of the template, which shows `view` as `page`.
        view: everything that the page shows.
        start: the beginning of the page, by which its file is recognised.
        styles: names of its style sheets, in the order in which they apply.
        scripts: names of its scripts, in the order in which they run.
        pictures: the rules of the style sheet that holds its pictures.
    """
    style, script = (Markup("").join(map(_asset, names)) for names in (styles, scripts))
    return (
        _environment()
        .get_template(template)
        .generate(
            start=Markup(start),  # noqa: S704 - ours
            page=view,
            style=style,
            script=script,
            digests={"styles": [_digest([style]), _digest(pictures)], "script": _digest([script])},
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("vlcheck.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"unbroken": unbroken, "counted": counted}
    return environment


def _asset(name: str) -> Markup:
    """Return the text of a style sheet or script of this package."""
    loader = _environment().loader
    assert loader is not None  # noqa: S101 - for mypy; it is set above
    text, _, _ = loader.get_source(_environment(), name)
    return Markup(text)  # noqa: S704 - it is a file of this package


def _digest(asset: Iterable[str]) -> str:
    """Return the hash by which the page allows this style or script, given in parts, and no other one, to run."""
    found = hashlib.sha256()
    for part in asset:
        found.update(part.encode())
    return f"sha256-{base64.b64encode(found.digest()).decode('ascii')}"
