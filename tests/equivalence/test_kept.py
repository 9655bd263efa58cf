"""Files of kept answers are read line by line, and refused with the line that is wrong."""

import json

import pytest

from tests.equivalence.sides import case, head, match, words, written
from vlcheck.equivalence.kept import Kept, is_kept
from vlcheck.errors import UsageError


def test_what_is_written_is_read_again(tmp_path):
    cases = [case("x", match(0.9, 0.1), words(0.5, 0.25)), case("red", match(refused="why"), probe=True)]
    kept = written(tmp_path / "a.parity", cases)
    assert kept.head == head()
    assert list(kept.cases()) == cases
    assert is_kept(kept.path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parity": 2}, "form of version 2, and this vlcheck asks by version 1"),
        ({"asks": 7}, "questions of version 7"),
        ({"images": -1}, "a.parity:1: is no line of kept answers"),
    ],
)
def test_a_head_of_another_version_is_refused(tmp_path, change, said):
    path = tmp_path / "a.parity"
    written(path, [])
    first = json.loads(path.read_text()) | change
    path.write_text(json.dumps(first, separators=(",", ":")) + "\n")
    with pytest.raises(UsageError, match=said):
        Kept.open(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ":2: is no line of kept answers"),
        ('{"case": "x", "answers": 3}', ":2: is no line of kept answers"),
        ('{"case": "x"', ":2: the file ends within a line"),
        (
            '{"case":"x","answers":[{"view":"own","metric":"itm","text":"","asked":["a","b"],"scores":[0.5]}]}',
            ":2: is no line of kept answers",
        ),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, said):
    path = tmp_path / "a.parity"
    kept = written(path, [])
    path.write_text(path.read_text() + line + ("" if "ends" in said else "\n"))
    with pytest.raises(UsageError, match=said):
        list(kept.cases())


@pytest.mark.parametrize("content", ["", "{}\n", "results\n"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "a.parity"
    path.write_text(content)
    with pytest.raises(UsageError, match="is no file of `vlcheck parity --keep`"):
        Kept.open(path)
