"""A run says which pictures it left out, and counts copies of one picture once."""

import json
import shutil

from PIL import Image


def test_copies_count_once_in_the_verdict_and_are_left_out_in_the_results(project):
    spoil(project.folder / "data")
    project.run("-k", "grayscale")
    (run,) = project.results("run")
    assert run["left_out"]["picture is a copy of another one"] == 1
    assert [count for why, count in run["left_out"].items() if "stored mirrored" in why] == [1]
    assert {verdict["n"] for verdict in project.results("verdict")} == {40 - 2}


def spoil(folder):
    """Make one photograph a copy of another one, and store one with a box mirrored."""
    shutil.copyfile(folder / "0.png", folder / "4.png")
    exif = Image.Exif()
    exif[0x0112] = 2
    with Image.open(folder / "1.png") as picture:
        picture.save(folder / "1.png", exif=exif)
    lines = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines()]
    lines[1]["region"] = [[0, 0, 20, 20]]
    (folder / "cases.jsonl").write_text("\n".join(map(json.dumps, lines)))
