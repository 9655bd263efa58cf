"""COCO's annotation files are read by one process of a run; the others open what it kept."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vlcheck.cases import with_target
from vlcheck.datasets.registry import open_source, reads_once
from vlcheck.errors import UsageError

SELECTIONS = (with_target("object"), with_target("color"), with_target("single", bare=True))


@pytest.fixture
def spec(folder):
    for number in range(6):
        captions = f"A red dog on day {number}.", f"A blue shirt on day {number}."
        folder.photograph(*captions, instances=[("dog", 0, 0, 80, 80)])
    folder.person(1, left_wrist=(10, 10))
    return f"coco:{folder.write()}:5"


def told(source):
    return [*source.cases], [source.select(one) for one in SELECTIONS], source.left_out, source.offer.missing


def test_what_was_kept_is_what_was_read(spec, tmp_path):
    read, kept, again = open_source(spec), open_source(spec, run=tmp_path), open_source(spec, run=tmp_path)
    assert told(read) == told(kept) == told(again)
    assert len(read.cases) == 18


def test_photographs_have_what_their_annotations_say(photographs_root, tmp_path):
    read, kept = open_source(f"coco:{photographs_root}"), open_source(f"coco:{photographs_root}", run=tmp_path)
    assert told(read) == told(kept)


def test_the_annotations_are_not_opened_again(spec, folder, tmp_path):
    first = open_source(spec, run=tmp_path)
    for file in (folder.root / "annotations").iterdir():
        file.write_text("{}")
    assert told(open_source(spec, run=tmp_path)) == told(first)
    with pytest.raises(UsageError, match="has no list"):
        open_source(spec)


def test_other_lexicons_are_other_cases(spec, tmp_path):
    own = tmp_path / "lexicons"
    own.mkdir()
    (own / "nouns.toml").write_text('words = ["bus"]\n', encoding="utf-8")
    usual, others = open_source(spec, run=tmp_path), open_source(spec, lexicons=own, run=tmp_path)
    assert len(usual.cases) == 18
    assert len(others.cases) == 12


DYING = """
import sys, time
from pathlib import Path
from vlcheck.datasets.coco import kept

def read(file):
    file.write(b"half of it")
    file.flush()
    print("reads", flush=True)
    time.sleep(60)

kept.read_once(Path(sys.argv[1]), read)
"""


def test_a_process_that_dies_while_it_reads_leaves_the_files_to_the_next(spec, tmp_path):
    first = open_source(spec, run=tmp_path)
    (shared,) = tmp_path.glob("data-*")
    shutil.rmtree(shared)
    with subprocess.Popen([sys.executable, "-c", DYING, str(shared)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "reads\n"
        process.kill()
    assert told(open_source(spec, run=tmp_path)) == told(first)


def test_only_large_data_is_kept_for_others(tmp_path):
    assert reads_once("coco:here:5")
    assert not reads_once("scenes:5")
    open_source("scenes:5", run=tmp_path)
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_takes_no_files_is_named(spec, tmp_path):
    Path(tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"^TMPDIR .*: the cases cannot be kept there \(Not a directory\)"):
        open_source(spec, run=tmp_path / "file")
