"""Kill writers of a score store by SIGKILL at random moments, and check what is in the store afterwards.

    python -m benchmarks.store_kills [--kills 50] [--seed 0]

Each kill has a store of its own, and one of these at work on it: two writers, of which one is killed; a migration of
a store of schema 1; `vlcheck store prune` with VACUUM; `vlcheck merge`. Takes about 10 seconds. Ends with 1 where one
of these does not hold:

- each answer that a writer reported as kept is there and right, in the killed process's as in the other's;
- the answers of a call of `put` are there all, or none of them;
- whatever is there is right: no answer is cut, mixed up or invented;
- the store opens at once in the next process, and takes new answers.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from PIL import Image

from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.store import ScoreStore
from vlcheck.scoring.stores.merge import merge_stores
from vlcheck.scoring.stores.prune import Outdated, prune_store
from vlcheck.scoring.stores.store_file import StoreFile

FORK = multiprocessing.get_context("fork")
VERSIONS = {"torch": "1"}
AT_ONCE = 16  # answers in a call of `put`
CALLS = 200  # at most, of a writer
LONGEST = 0.12  # seconds until a process is killed
SCHEMA_1 = (
    """CREATE TABLE answers (
        fingerprint TEXT, query TEXT, run TEXT, scores BLOB, top TEXT, unasked TEXT, error TEXT,
        PRIMARY KEY (fingerprint, query)) WITHOUT ROWID""",
    "CREATE TABLE pictures (key TEXT PRIMARY KEY, sha256 TEXT, jpeg BLOB)",
    "CREATE TABLE installed (fingerprint TEXT, model TEXT, versions TEXT, UNIQUE (fingerprint))",
    f"PRAGMA application_id = {int.from_bytes(b'vlck')}",
    "PRAGMA user_version = 1",
)


class Drawn:
    """A source of pictures that is never opened."""

    size = (8, 8)

    def __init__(self, number: int) -> None:
        self.key = f"source {number}"

    def open(self) -> Image.Image:
        raise AssertionError("nothing is asked")


def call(writer: int, number: int) -> list[tuple[Query, Answer]]:
    """The answers that a writer puts in one call; the values follow from the question."""
    queries = [Query("itm", Picture(Drawn(number)), f"writer {writer}, call {number}, {i}") for i in range(AT_ONCE)]
    return [(query, right(query)) for query in queries]


def right(query: Query) -> Answer:
    return Answer((int(query.key[:8], 16) / 2**32,), ((query.text, 0.5),))


def open_store(path: Path) -> ScoreStore:
    return ScoreStore(path, "model", versions=VERSIONS)


def write(path: Path, writer: int) -> None:
    """Put answers until killed; report each call of `put` once it has returned."""
    report = os.open(report_of(path, writer), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with open_store(path) as store:
        for number in range(CALLS):
            store.put(call(writer, number))
            store.keep_picture(f"{writer} {number}", "sha", b"\xff\xd8 copy \xff\xd9")
            os.write(report, f"{number}\n".encode())


def report_of(path: Path, writer: int) -> Path:
    return path.with_name(f"{path.name}.kept-{writer}")


def killed(work: Callable[..., object], *arguments: object, after: float) -> None:
    """Run something in a process of its own, and kill that after some seconds."""
    process = FORK.Process(target=work, args=arguments)
    process.start()
    time.sleep(after)
    process.kill()
    process.join()


def held(path: Path, writer: int, calls: Sequence[int]) -> Iterator[str]:
    """Yield what is wrong with the answers of a writer: those of the given calls have to be there."""
    with open_store(path) as store:
        for number in range(CALLS):
            asked = dict(call(writer, number))
            known = store.get_many(asked)
            if known and len(known) != AT_ONCE:
                yield f"call {number} of writer {writer}: {len(known)} of {AT_ONCE} answers"
            if any(known[query.key] != answer for query, answer in asked.items() if query.key in known):
                yield f"call {number} of writer {writer}: other answers than were put"
            if number in calls and not known:
                yield f"call {number} of writer {writer}: reported as kept, and gone"
        query = Query("itm", Picture(Drawn(0)), "afterwards")
        store.put([(query, right(query))])
        if store.get(query) != right(query):
            yield "takes no new answer"


def writers(folder: Path, after: float) -> Iterator[str]:
    """Kill one of two writers."""
    path = folder / "store.sqlite"
    other = FORK.Process(target=write, args=(path, 2))
    other.start()
    killed(write, path, 1, after=after)
    other.join()
    for writer in (1, 2):
        report = report_of(path, writer)
        calls = [int(line) for line in report.read_text().splitlines()] if report.exists() else []
        yield from held(path, writer, calls)
    if other.exitcode:
        yield f"the other writer ended with {other.exitcode}"


def migration(folder: Path, after: float) -> Iterator[str]:
    """Kill the process that brings a store of schema 1 to this one."""
    path = folder / "store.sqlite"
    as_schema_1(path, range(CALLS))
    killed(lambda: open_store(path).close(), after=after / 4)
    yield from held(path, 0, range(CALLS))


def as_schema_1(path: Path, calls: Sequence[int]) -> None:
    """Write a store as a vlcheck of schema 1 did."""
    with open_store(path.with_name("other.sqlite")) as store:
        key = store.fingerprint
        store.put(pair for number in calls for pair in call(0, number))
        rows = store._opened[0].rows("SELECT query, scores, top FROM answers")
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in SCHEMA_1:
            connection.execute(statement)
        connection.execute("INSERT INTO installed VALUES (?, 'model', '{\"torch\": \"1\"}')", (key,))
        connection.executemany(f"INSERT INTO answers VALUES ('{key}', ?, 'run', ?, ?, '', '')", rows)  # noqa: S608
        connection.execute("INSERT INTO pictures VALUES ('key', 'sha', x'ffd8ffd9')")


def prune(folder: Path, after: float) -> Iterator[str]:
    """Kill the process that prunes the answers of another model."""
    path = folder / "store.sqlite"
    with open_store(path) as ours, ScoreStore(path, "outdated", versions=VERSIONS) as outdated:
        for number in range(CALLS):
            ours.put(call(0, number))
        outdated.put(pair for number in range(CALLS) for pair in call(1, number))
    killed(_prune, path, after=after / 4)
    yield from held(path, 0, range(CALLS))


def _prune(path: Path) -> None:
    with closing(StoreFile(path)) as store:
        prune_store(store, Outdated(model="outdated"))


def merge(folder: Path, after: float) -> Iterator[str]:
    """Kill the process that merges two stores, and merge them again."""
    parts = [folder / "1.sqlite", folder / "2.sqlite"]
    for writer, path in enumerate(parts):
        with open_store(path) as store:
            store.put(pair for number in range(CALLS) for pair in call(writer, number))
    whole = folder / "all.sqlite"
    killed(merge_stores, parts, whole, after=after / 2)
    for writer in range(2):
        yield from held(whole, writer, ())
    merge_stores(parts, whole)
    for writer in range(2):
        yield from held(whole, writer, range(CALLS))


KINDS = (writers, migration, prune, merge)


def kill_many(kills: int, seed: int) -> Iterator[str]:
    """Kill so many processes, and yield what does not hold."""
    chance = random.Random(seed)
    for number in range(kills):
        kind, after = KINDS[number % len(KINDS)], chance.uniform(0, LONGEST)
        with tempfile.TemporaryDirectory() as folder:
            for fault in kind(Path(folder), after):
                yield f"{number}: {kind.__name__}, killed after {after:.4f} s: {fault}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    said = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faults = 0
    for fault in kill_many(said.kills, said.seed):
        print(fault, flush=True)
        faults += 1
    print(f"{said.kills} kills, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
