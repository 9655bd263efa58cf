"""Settings of the documentation site: `sphinx-build --fail-on-warning -c docs . build/docs`, from the root.

The root is the source folder, so that a relative link between any two Markdown pages works on a forge and on the site.
"""

import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

project = "vlcheck"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/**", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "vlcheck"
html_extra_path = ["site"]  # the index.html that leads to docs/index.html

SECTION = re.compile(r"^## (.+)\n((?:(?!^## ).*\n)*)", re.MULTILINE)
LISTED = re.compile(r"^- \[[^\]]+\]\(([^)#]+)\.md\)", re.MULTILINE)
GALLERY = "docs/gallery"
DRAWN = re.compile(r"\[([^\]]+)\]\(([\w-]+\.html)\)")


def add_tables_of_contents(_app: Sphinx, page: str, text: list[str]) -> None:
    """Give the first page the tables of contents that its own lists of links stand for.

    Args:
        page: name of the page that was read.
        text: its source, one element, which is changed in place.
    """
    if page != root_doc:
        return
    for title, section in SECTION.findall(text[0]):
        listed = "\n".join(LISTED.findall(section))
        text[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{listed}\n```\n"


def open_drawn_pages(_app: Sphinx, page: str, text: list[str]) -> None:
    """Let the links of the gallery open the pages that vlcheck drew; Sphinx would offer them as downloads.

    Args:
        page: name of the page that was read.
        text: its source, one element, which is changed in place.
    """
    if page == f"{GALLERY}/index":
        text[0] = DRAWN.sub(r'<a href="\2">\1</a>', text[0])


def copy_drawn_pages(app: Sphinx, failure: Exception | None) -> None:
    """Copy the pages that vlcheck drew beside the page that lists them."""
    if not failure:
        for drawn in (app.srcdir / GALLERY).glob("*.html"):
            shutil.copy(drawn, Path(app.outdir) / GALLERY)


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_tables_of_contents)
    app.connect("source-read", open_drawn_pages)
    app.connect("build-finished", copy_drawn_pages)
