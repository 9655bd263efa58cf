"""A training leaves the files of others alone, and a folder as it was where it comes to no end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.zoo.processes import ROOT, ended, training
from tests.zoo.test_training import SMALL
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.zoo.export import write_model
from vlcheck.zoo.training import first_weights, train
from vlcheck.zoo.workspace import CHECKSUMS, SHARED, checksums, digest_of, read_sums

pytestmark = pytest.mark.slow

DIGEST = "0" * 64


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".lock")}


def wait_for(path, process):
    while not path.exists() and process.poll() is None:
        time.sleep(0.02)
    assert path.exists(), process.communicate()


@pytest.fixture(scope="module")
def network():
    return first_weights(SMALL.config, 0).eval()


@pytest.mark.parametrize("name", [*SHARED, CHECKSUMS])
def test_files_of_others_are_named_before_the_first_step_and_stay(name, tmp_path):
    """Somebody's own BERT, and somebody's own checksums."""
    (tmp_path / name).write_text(f"{DIGEST}  mine.iso\n")
    code, out, err = ended("small", "--to", tmp_path)
    assert (code, out) == (4, "")
    assert f"--to {tmp_path}: {name} is there already, not as `vlcheck train` left it" in err
    assert "Accepted: an empty folder, or one that `vlcheck train` made and nobody changed." in err
    assert contents(tmp_path) == {name: f"{DIGEST}  mine.iso\n".encode()}


def test_files_of_others_that_came_during_the_training_stay_too(network, tmp_path):
    (tmp_path / "vocab.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"vocab\.txt is there already"):
        write_model(tmp_path, SMALL, network, [], {})
    assert contents(tmp_path) == {"vocab.txt": b"mine"}


def test_what_vlcheck_wrote_it_writes_again(network, tmp_path):
    """Also with another vocabulary than it has now, where the checksums say that it was vlcheck's."""
    write_model(tmp_path, SMALL, network, [], {})
    (tmp_path / "vocab.txt").write_text("of an older vlcheck")
    with pytest.raises(UsageError, match=r"vocab\.txt is there already"):
        train(SMALL, tmp_path, steps=1)
    old = read_sums(tmp_path) | {"vocab.txt": digest_of(tmp_path / "vocab.txt")}
    (tmp_path / CHECKSUMS).write_bytes(checksums(old))
    train(SMALL, tmp_path, steps=1)
    write_model(tmp_path, SMALL, network, [], {})
    assert load_model(f"albef:{tmp_path}/small.safetensors").metrics == {"mlm", "itm"}


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        (b"\xff\xfe0\x000\x00", "not a list of checksums: it is not UTF-8 at byte 0"),
        (
            f"{DIGEST}  vocab.txt\n{DIGEST} config.json\n".encode(),
            r"SHA256SUMS:2: not a checksum: 64 hexadecimal digits",
        ),
        (b"\n", "SHA256SUMS:1: not a checksum"),
        (b"", "SHA256SUMS is there already"),
    ],
    ids=["not UTF-8", "one space", "an empty line", "empty"],
)
def test_damaged_checksums_are_named(damaged, said, tmp_path):
    (tmp_path / CHECKSUMS).write_bytes(damaged)
    with pytest.raises(UsageError, match=rf"to={tmp_path}: .*{said}.*Accepted: an empty folder"):
        train(SMALL, tmp_path)


def test_a_second_training_in_a_folder_is_refused_at_once_and_one_of_another_recipe_is_not(tmp_path):
    with training("endless", "--to", tmp_path) as first:
        wait_for(tmp_path / "endless.checkpoint.pt", first)
        code, out, err = ended("endless", "--to", tmp_path)
        assert (code, out) == (4, "")
        assert f"--to {tmp_path}: another process trains endless there; wait for it, or name another folder." in err
        assert ended("small", "--to", tmp_path, "--steps", 1)[0] == 0
        assert first.poll() is None
    code, out, err = ended("endless", "--to", tmp_path, "--steps", 1)
    assert (code, err) == (0, ""), "a kill frees the folder"


def test_ctrl_c_ends_with_a_line_that_says_how_to_go_on(tmp_path):
    with training("endless", "--to", tmp_path) as process:
        wait_for(tmp_path / "endless.checkpoint.pt", process)
        time.sleep(1)  # in the midst of the steps
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == f"Stopped; the same command goes on from {tmp_path}/endless.checkpoint.pt.\n"
    assert set(contents(tmp_path)) == {"endless.checkpoint.pt"}


def test_a_disk_that_is_too_small_for_the_checkpoint_is_named_before_the_first_step(tmp_path):
    code, out, err = ended("endless", "--to", tmp_path, largest=20_000)
    assert (code, out) == (4, "")
    assert err == f"Error: --to {tmp_path}: {tmp_path}/endless.checkpoint.pt cannot be written (File too large).\n"
    assert contents(tmp_path) == {}


def test_a_checkpoint_stays_where_the_next_does_not_fit(tmp_path):
    train(SMALL, tmp_path, steps=2)
    before = contents(tmp_path)
    code, _, err = ended("small", "--to", tmp_path, largest=20_000)
    assert (code, "small.checkpoint.pt cannot be written" in err) == (4, True)
    assert contents(tmp_path) == before


def test_a_kill_while_a_variant_is_written_leaves_its_neighbours_whole(network, tmp_path):
    """All of it is beside the old files when the first is put in place."""
    write_model(tmp_path, SMALL, network, [], {})
    before = contents(tmp_path)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from tests.zoo.test_workspace import SMALL, first_weights, write_model\n"
        "Path.replace = lambda draft, path: os.kill(os.getpid(), 9)\n"
        "write_model(Path(sys.argv[1]), SMALL, first_weights(SMALL.config, 1), [], {})"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len([name for name in after if name.endswith(".draft")]) == len(before)


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    broken = first_weights(SMALL.config, 0)
    broken.itm_head.weight.data[0, 0] = 1e6  # more than half precision has
    with pytest.raises(UsageError, match=r"small: itm_head\.weight is not finite in half precision"):
        write_model(tmp_path, SMALL, broken, [], {})
    assert contents(tmp_path) == {}
