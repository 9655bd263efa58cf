"""Settings of the documentation site: `sphinx-build --fail-on-warning -c docs . build/docs`, from the root.

The root is the source folder, so that a relative link between any two Markdown pages works on a forge and on the site.
"""

import re

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


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_tables_of_contents)
