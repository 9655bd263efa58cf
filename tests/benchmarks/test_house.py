"""The drawing of the architecture, held against the code."""

from benchmarks import house


def test_the_drawing_is_that_of_the_code():
    assert house.DRAWING.read_text(encoding="utf-8") == house.drawing(), "write it with python -m benchmarks.house"


def test_a_room_is_the_innermost_folder_that_the_table_names():
    found = house.arrows()
    assert "errors.py" in found["cases"]
    assert "models" in found["models/adapters"]
    assert all(room not in others for room, others in found.items())


def test_an_arrow_that_follows_from_others_is_left_out():
    found = {"cli": {"plugin", "cases", "stats"}, "plugin": {"cases"}, "cases": set(), "stats": set()}
    assert house.direct(found)["cli"] == {"plugin", "stats"}
