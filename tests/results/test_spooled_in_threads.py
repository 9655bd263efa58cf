"""Lines that are kept in a temporary file are read as from a list: by several threads, from a copy, from a pickle."""

import copy
import pickle
import threading

import pytest

from vlcheck.results.file import ResultLines
from vlcheck.results.spooled import IN_MEMORY, Spool

LINES = [f"{number:06d}" * 100 for number in range(500)]


@pytest.fixture(params=["in memory", "in a file"])
def lines(request, monkeypatch):
    monkeypatch.setattr("vlcheck.results.spooled.IN_MEMORY", IN_MEMORY if request.param == "in memory" else 1000)
    kept = Spool().lines()
    for line in LINES:
        kept.append(line)
    return kept


def test_they_are_read_as_from_a_list(lines):
    assert lines == LINES
    assert (lines[-1], lines[3:9:2], len(lines)) == (LINES[-1], LINES[3:9:2], len(LINES))


def test_each_thread_reads_the_line_that_it_asks_for(lines):
    wrong = []

    def read(first):
        numbers = [(first + 79 * step) % len(LINES) for step in range(5000)]
        wrong.extend(number for number in numbers if lines[number] != LINES[number])

    threads = [threading.Thread(target=read, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda kept: pickle.loads(pickle.dumps(kept))])
def test_results_with_many_rows_can_be_copied_and_sent_to_another_process(lines, copied):
    there = copied(ResultLines(evidence={("test", "behavior", "itm"): lines}))
    assert there.evidence == {("test", "behavior", "itm"): LINES}
