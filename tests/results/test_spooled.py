"""Evidence and pictures are the same in memory and in a file, whatever ends the process or fills the disk."""

import json
import resource
import signal
import subprocess
import sys
import tempfile

import pytest

from tests.report.pages import RUN, image, results, row, rows, small, verdict
from vlcheck.errors import UsageError
from vlcheck.report.page import draw
from vlcheck.results import spooled
from vlcheck.results.file import ResultLines
from vlcheck.results.parts import gather
from vlcheck.results.schema import record_of
from vlcheck.results.spooled import Spool
from vlcheck.results.spooled_images import SpooledImages

LIMIT = 100  # bytes
KILLED = """
import os, signal, sys
from vlcheck.results import spooled
spooled.IN_MEMORY = 100
lines = spooled.Spool().lines()
for number in range(1_000):
    lines.append(f"{number:0100}")
assert lines[500] == f"{500:0100}"
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setattr(spooled, "IN_MEMORY", LIMIT)


@pytest.fixture
def full_disk(monkeypatch, tmp_path, small_memory):
    """A folder for temporary files where each may have four times LIMIT bytes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * LIMIT, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("bytes_", [LIMIT - 1, LIMIT, LIMIT + 1, 3 * LIMIT])
@pytest.mark.parametrize("length", [1, 7, LIMIT])
def test_lines_are_the_same_below_at_and_above_the_limit(small_memory, bytes_, length):
    text = ("0123456789" * 40)[:bytes_]
    wanted = [text[start : start + length] for start in range(0, bytes_, length)]
    lines = Spool().lines()
    for line in wanted:
        lines.append(line)
    assert lines._spool._file._rolled == (bytes_ > LIMIT)
    assert list(lines) == lines[:] == wanted
    assert lines[len(wanted) - 1] == wanted[-1]
    assert lines[1::2] == wanted[1::2]


def test_the_length_of_a_line_is_in_bytes(small_memory):
    lines = Spool().lines()
    for line in ("caf\u00e9", "", "\u732b" * LIMIT, "end"):
        lines.append(line)
    assert list(lines) == ["caf\u00e9", "", "\u732b" * LIMIT, "end"]


def test_lines_of_two_verdicts_may_come_in_turns_and_be_read_in_between(small_memory):
    spool = Spool()
    one, other = spool.lines(), spool.lines()
    for number in range(50):
        one.append(f"one {number}")
        other.append(f"other {number}")
        assert one[number // 2] == f"one {number // 2}"  # moves the place in the file
    assert list(one) == [f"one {number}" for number in range(50)]
    assert list(other) == [f"other {number}" for number in range(50)]
    pairs = zip(iter(one), iter(other), strict=True)
    assert all(a.removeprefix("one") == b.removeprefix("other") for a, b in pairs)


def test_results_are_the_same_in_memory_and_in_a_file(monkeypatch):
    within = small()
    page = draw(within, source="r")
    monkeypatch.setattr(spooled, "IN_MEMORY", LIMIT)
    outside = small()
    assert outside == within
    assert list(outside.lines()) == list(within.lines())
    assert draw(outside, source="r") == page


def test_a_killed_process_leaves_no_file(tmp_path):
    environment = {"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", KILLED], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_ends_with_results_says_nothing(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("\n".join(small().lines()) + "\n", encoding="utf-8")
    script = f"import vlcheck\nresults = vlcheck.read_results({str(path)!r})"  # at the module's end
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_rows_after_which_a_process_was_killed_are_not_taken_for_those_of_the_next_verdict(small_memory, tmp_path):
    lost, kept = (verdict(name) for name in ("test_lost", "test_kept"))
    whole = [json.dumps(one | {"test": kept["test"]}) for one in rows()] + [json.dumps(kept)]
    half = [json.dumps(row(f"lost {number}", 0.1, test=lost["test"])) for number in range(20)]
    (tmp_path / "one.part.jsonl").write_text("\n".join([*whole, *half, half[0][:30]]))
    (tmp_path / "two.part.jsonl").write_text("".join(f"{line}\n" for line in whole))
    found = gather(tmp_path)
    ((key, evidence),) = found.evidence.items()
    assert key == (kept["test"], "test_kept", "mlm")
    assert list(evidence) == whole[:-1]


@pytest.mark.parametrize("lengths", [[LIMIT] * 9, [2 * LIMIT, 3 * LIMIT], [5 * LIMIT], [1, 5 * LIMIT]])
def test_a_full_disk_is_said_with_its_folder(full_disk, lengths):
    lines = Spool().lines()
    with pytest.raises(UsageError) as raised:
        _keep_and_read(lines, lengths)
    assert str(raised.value) == f"TMPDIR {full_disk}: the evidence cannot be kept there (File too large)."


def _keep_and_read(lines, lengths):
    for length in lengths:
        lines.append("x" * length)
    list(lines)  # the last one may still be in the buffer of the file


def test_a_full_disk_ends_the_reading_of_results_with_its_reason(full_disk):
    with pytest.raises(UsageError, match="the evidence cannot be kept there"):
        results((verdict(), rows({f"case {number}": 0.1 for number in range(40)})))


def test_of_two_pictures_with_one_key_the_later_one_counts_in_the_place_of_the_first(small_memory):
    pictures = SpooledImages()
    first, later, other = (record_of(image(key, color)) for key, color in (("a", 1), ("a", 2), ("b", 3)))
    pictures.update({"a": first, "b": other})
    pictures["a"] = later
    assert (pictures["a"], pictures["b"], list(pictures)) == (later, other, ["a", "b"])
    assert [record_of(json.loads(line)) for line in pictures.lines()] == [later, other]
    del pictures["a"]
    assert "a" not in pictures
    assert len(pictures) == 1
    with pytest.raises(KeyError):
        pictures["a"]


def test_of_several_lines_of_a_picture_the_one_with_a_larger_copy_stays():
    found = ResultLines()
    small, large = image("one"), image("one", large="bGFyZ2U=")
    found.add(map(json.dumps, [RUN, small, large, small]))
    assert (found.images["one"].large, len(found.images)) == ("bGFyZ2U=", 1)
    found.add([json.dumps(large | {"large": "bW9yZQ=="})])
    assert found.images["one"].large == "bW9yZQ=="
    assert found.length == len([*found.lines()]) == 2
