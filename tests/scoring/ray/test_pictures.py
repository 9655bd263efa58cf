"""What is sent to nodes: pictures by path or with their content, and classes of the user's own modules."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.scoring.counting import Brighten, photograph, questions
from vlcheck.cases.encoded_image import ImageFile, ImageWithin
from vlcheck.cases.picture import Picture
from vlcheck.errors import UsageError
from vlcheck.scoring.plan import Chunk

pytest.importorskip("ray", reason="needs the package ray, of the extra ray")

from vlcheck.scoring.engines.ray.pictures import SentFile, Unseen, pickled


def test_a_file_goes_by_its_path_and_is_not_read_again(tmp_path):
    picture = photograph(tmp_path, 1)
    key = picture.source.key

    sent = pickled(picture)
    found = pickle.loads(sent)
    Path(picture.source.path).chmod(0o000)

    assert len(sent) < 500
    assert (found, found.source.key) == (picture, key)


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"another file")])
def test_a_node_without_the_same_file_says_so(tmp_path, change):
    picture = photograph(tmp_path, 1)
    sent = pickled(picture)
    change(picture.source.path)

    with pytest.raises(Unseen):
        pickle.loads(sent)


def test_a_file_goes_with_its_content_once_for_all_its_edits(tmp_path):
    picture = photograph(tmp_path, 1)
    edited = [Picture(ImageFile(picture.source.path)).then(Brighten(by)) for by in range(1, 9)]
    pixels, size = np.asarray(picture.render()), picture.source.path.stat().st_size

    sent = pickled((picture, *edited), with_files=True)
    picture.source.path.unlink()
    found, *others = pickle.loads(sent)

    assert len(sent) < 2 * size + 8_000
    assert type(found.source) is SentFile
    assert (found.key, [one.key for one in others]) == (picture.key, [one.key for one in edited])
    np.testing.assert_array_equal(np.asarray(found.render()), pixels)
    assert found.source.open().info["vlcheck file"] == picture.source.path


def test_a_photograph_within_a_larger_file_goes_with_its_content(tmp_path):
    content = photograph(tmp_path, 1).source.path.read_bytes()
    with (tmp_path / "table.parquet").open("wb") as held:  # readers of tables hold files, which cannot be pickled
        within = ImageWithin("table.parquet, row 7", lambda: b"" if held.closed else content)
        found = pickle.loads(pickled(within))

    assert (found.place, found.key) == ("table.parquet, row 7", within.key)
    np.testing.assert_array_equal(np.asarray(found.open()), np.asarray(photograph(tmp_path, 1).render()))


def test_a_photograph_that_cannot_be_read_any_more_is_an_error_of_its_own_questions(tmp_path):
    picture, within = photograph(tmp_path, 1), ImageWithin("row 7", lambda: b"no picture")
    _ = picture.source.key, within.key
    picture.source.path.unlink()

    def fails() -> bytes:
        raise UsageError("row 7: cannot be read")

    vars(within)["read"] = fails
    found, row = pickle.loads(pickled((picture.source, within), with_files=True))

    with pytest.raises(UsageError, match=r"no such photograph"):
        found.open()
    with pytest.raises(UsageError, match=r"^row 7: cannot be read"):
        row.open()


def test_classes_of_the_users_own_modules_go_along(tmp_path):
    """A process that cannot import tests/ reads an edit that is defined there."""
    chunk = Chunk(tuple(questions(photograph(tmp_path, 1).then(Brighten(3)))))
    (tmp_path / "sent").write_bytes(pickled(chunk))
    code = """
import pickle, sys
from pathlib import Path
chunk = pickle.loads(Path("sent").read_bytes())
print(chunk.key, chunk.pictures[0].render().size, "tests" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert said.stdout.split("\n")[0] == f"{chunk.key} (24, 16) False"
