"""JUnit XML, which pytest writes before a served model is asked whether it has changed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

_NAME = "the model is one and the same"


def add_failure(path: Path, why: str) -> None:
    """Add a failed test case to a file that pytest has written; a file that is not there or no XML stays as it is.

    Args:
        path: the file.
        why: the reason.
    """
    with suppress(OSError, ElementTree.ParseError):
        tree = ElementTree.parse(path)  # noqa: S314  # pytest's own file
        for suite in tree.iter("testsuite"):
            case = ElementTree.SubElement(suite, "testcase", classname="vlcheck", name=_NAME, time="0")
            ElementTree.SubElement(case, "failure", message=why).text = why
            for count in ("tests", "failures"):
                suite.set(count, str(int(suite.get(count, "0")) + 1))
        tree.write(path, encoding="utf-8", xml_declaration=True)
