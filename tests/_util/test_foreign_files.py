"""What is read of others is a file, of bearable size, that decodes and parses; whatever it is not is named."""

import json
import os
import socket

import pytest

from tests.waiting import no_longer_than
from vlcheck._util import foreign_files
from vlcheck._util.foreign_files import fault, parse_json, read_bytes, read_json, read_lines, read_text, read_toml
from vlcheck.errors import UsageError, printable


def pipe(folder):
    os.mkfifo(folder / "a")
    return folder / "a"


def listening(folder):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "a"))
    return folder / "a"


def circle(folder):
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    return folder / "a"


def link(folder):
    (folder / "a").symlink_to("/dev/zero")
    return folder / "a"


NO_FILES = {
    "a pipe": (pipe, "it is a pipe"),
    "a socket": (listening, "it is a socket"),
    "a device": (link, "it is a device"),
    "a folder": (lambda folder: folder, "Is a directory"),
    "a circle": (circle, "Too many levels of symbolic links"),
    "nothing": (lambda folder: folder / "a", "No such file or directory"),
    "below a file": (lambda folder: (folder / "f").write_text("") or folder / "f" / "a", "Not a directory"),
    "a long name": (lambda folder: folder / ("a" * 5000), "File name too long"),
    "a null byte": (lambda folder: folder / "a\0b", "null byte"),
}


@pytest.fixture(autouse=True)
def _soon():
    with no_longer_than(20):
        yield


@pytest.mark.parametrize("read", [read_bytes, read_text, read_json, read_toml, lambda path: [*read_lines(path)]])
@pytest.mark.parametrize(("make", "said"), NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_file_is_named_and_not_waited_for(tmp_path, make, said, read):
    path = make(tmp_path)
    with pytest.raises(UsageError, match=rf"cannot be read \(.*{said}") as caught:
        read(path)
    assert str(caught.value).startswith(printable(str(path), 900).removesuffix(" ..."))
    assert said in fault(path)


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a").write_text("")
    monkeypatch.setattr(foreign_files.Path, "open", refuse)
    for read in (read_bytes, lambda path: [*read_lines(path)]):
        with pytest.raises(UsageError, match=r"a: cannot be read \(Permission denied\)"):
            read(tmp_path / "a")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"not JSON \(Expecting value"),
        (b"{", r"not JSON \(Expecting property name"),
        (b"\xff", r"cannot be read \('utf-8' codec can't decode"),
        ('{"a": 1}'.encode("utf-16"), "cannot be read"),
        (b'{"a": %s}' % (b"1" * 5000), r"not JSON \(Exceeds the limit"),
        (b"[" * 100_000, r"not JSON \(nested too deeply\)"),
        (b"[" * 101 + b"]" * 101, r"not JSON \(nested too deeply\)"),
        (b'{"a": ' * 101 + b"1" + b"}" * 101, r"not JSON \(nested too deeply\)"),
        (b'{"a": 1,\n "b": {"c": 1,\n "c": 2}}', r":3: not JSON \('c' is there twice\)"),
        (b'[{"a": 1},\n {"a": 1, "a": 2}]', r"json: not JSON \('a' is there twice\)"),
        (b'{"a\\n": 1, "a\\u000a": 2}', r"not JSON \('a\\n' is there twice\)"),
    ],
)
def test_what_is_no_json_is_named(tmp_path, content, said):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_json(path)


def test_a_key_that_is_there_twice_is_found_soon():
    keys = [*map(str, range(300_000)), "299999"]
    with pytest.raises(ValueError, match="'299999' is there twice"):
        parse_json("{" + ", ".join(f'"{key}": 1' for key in keys) + "}")


def test_json_of_any_style_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a":\r\n[1, {"a": 2}]}\r\n')
    assert read_json(path) == {"a": [1, {"a": 2}]}
    deep = "[" * 100 + "]" * 100
    assert json.dumps(parse_json(deep)) == deep
    wide = json.dumps([[] for _ in range(1000)])
    assert json.dumps(parse_json(wide)) == wide


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = 1\na = 2", "Cannot overwrite a value"),
        (b"a = " + b"1" * 5000, "Exceeds the limit"),
        (b"a = " + b"[" * 5000, "maximum recursion"),
        (b"a." * 300_000 + b"b = 1", "nested too deeply"),  # in a second: tomllib would take hours
        (b"[" + b"a." * 300_000 + b"b]", "nested too deeply"),
        (b"a = {" + b"a." * 300_000 + b"b = 1}", "nested too deeply"),
        (b"a = " + b"[" * 150 + b"]" * 150, "nested too deeply"),
        (b"a = \xff", "can't decode"),
    ],
)
def test_what_is_no_toml_is_named(tmp_path, content, said):
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"a\.toml: .*{said}"):
        read_toml(path)


def test_a_file_that_is_too_large_is_not_read_on(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole of a terabyte
    with pytest.raises(UsageError, match="has more than 67108864 bytes"):
        read_json(path)


def test_of_a_line_that_is_too_long_its_beginning_comes(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbfone\r\n" + b"x" * 50 + b"\nthree")
    assert [*read_lines(path, longest=10)] == [b"one\r\n", b"x" * 11, b"three"]
