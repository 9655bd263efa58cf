"""What a real run prints, draws and writes holds no number that reads as another one."""

import re
from html.parser import HTMLParser

import pytest

from vlcheck.report.markdown import markdown
from vlcheck.report.markdown.model_card import card
from vlcheck.results.file import read

WORDS = "cases|images|rows|tests|verdicts|pictures|texts|violations|biases|photographs|seconds|minutes|pairs|times"
FORBIDDEN = {
    "a plural of one": rf"\b1 (more )?({WORDS})\b",
    "digits that arithmetic leaves behind": r"\d\.\d{9,}",
    "a negative zero": r"(?<![\d.e])-0(\.0+)?(?![\d.e])",
    "no number": r"(?<![\w-])(nan|inf)(?![\w-])",
    "a part of an image": r"\d\.\d+ of \d",
    "a p of zero": r"p[ =]*0\.0+\b(?!\d)",
}


class Text(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.said, self._skipped = [], 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self._skipped += tag in ("style", "script")
        self.said += [value for name, value in attributes if name in ("aria-label", "title")]

    def handle_endtag(self, tag):
        self._skipped -= tag in ("style", "script")

    def handle_data(self, data):
        self.said += [] if self._skipped else [data]


@pytest.mark.parametrize("model", ["loves_color", "hashes"])
def test_no_surface_of_a_run_has_a_number_that_says_more(project, model):
    result = project.run("--vl-report=page.html", "--junit-xml=tests.xml", "-rA", model=model)
    results = read(project.folder / "vlcheck-results.jsonl")
    said = {
        "terminal": re.sub(r"in \d+\.\d+s", "", result.stdout.str()),
        "page": "\n".join(Text((project.folder / "page.html").read_text()).said),
        "junit": "\n".join(re.findall(r"<property [^>]*>", (project.folder / "tests.xml").read_text())),
        "card": card(results),
        "markdown": markdown.summary(results),
        "reasons": "\n".join(verdict.reason for verdict in results.verdicts.values()),
    }
    found = [
        (where, what, match[0])
        for where, text in said.items()
        for what, pattern in FORBIDDEN.items()
        for match in re.finditer(pattern, text)
    ]
    assert found == []
    for part, whole, percent in re.findall(r"([\d,]+) of ([\d,]+) violates? \(([\d.]+) %", "\n".join(said.values())):
        assert (float(percent) in (0, 100)) == (part in ("0", whole))
