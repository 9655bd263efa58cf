"""The pages that a user reads, and the files that these show."""

import re

from tests.conftest import ROOT

DOCS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", *DOCS)
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
RUN = "\n".join(TEXTS[page] for page in ("README.md", *DOCS))  # the pages of which each block of commands is run
SHOWN = "\n".join(TEXTS[page] for page in ("README.md", "CONTRIBUTING.md", *DOCS))  # of which each Python file is run
FENCE = r"^```{}\n(.*?)^```$"


def fenced(language: str, text: str = RUN) -> list[str]:
    """Return the blocks of a language; the same block of two pages is one."""
    return list(dict.fromkeys(re.findall(FENCE.format(language), text, re.MULTILINE | re.DOTALL)))


def shown_files() -> dict[str, str]:
    """Return the Python files that the pages show, by the names in the comments above them."""
    block = r"^<!-- file: (\S+\.py) -->\n" + FENCE.format("python").removeprefix("^")
    return dict(re.findall(block, SHOWN, re.MULTILINE | re.DOTALL))


FILES = shown_files()
