"""The suite of tests, asked about a table, from its file to the results."""

import io
import json
from collections import Counter

# pytester forgets what a run imports, and neither torch nor numpy can be imported twice
import numpy.fft  # noqa: F401
import pytest

import vlcheck.models.loading.pretrained
import vlcheck.plugin.workbench  # noqa: F401
from tests.conftest import ROOT
from tests.datasets.tables.samples import write_parquet
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.tables.parquet import ParquetRow

pytest.importorskip("pyarrow", reason="needs vlcheck[tables]")

COLUMNS = {
    "caption": lambda case: case.caption,
    "target": lambda case: case.target,
    "tags": lambda case: sorted(case.tags),
    "bare": lambda case: case.bare,
    "candidates": lambda case: [*case.candidates],
    "present": lambda case: sorted(case.present),
    "region": lambda case: [[*map(float, box)] for box in case.region],
}


def encoded(case):
    file = io.BytesIO()
    case.image.open().save(file, "PNG")
    return file.getvalue()


def write_scenes(path, number):
    """Write drawn scenes, with the target of each, as Parquet."""
    cases = open_source(f"scenes:{number}").cases
    columns = {name: [read(case) for case in cases] for name, read in COLUMNS.items()}
    return write_parquet(path, {"image": [encoded(case) for case in cases], **columns}, row_group_size=100)


@pytest.fixture
def reads(monkeypatch):
    """How often each row was read again."""
    counts, read = Counter(), ParquetRow.value

    def counted(row, column):
        counts[row.number] += 1
        return read(row, column)

    monkeypatch.setattr(ParquetRow, "value", counted)
    return counts


@pytest.mark.slow
def test_a_run_on_a_table_comes_to_its_verdicts(tmp_path, pytester, reads):
    table, results = write_scenes(tmp_path / "scenes.parquet", 30), tmp_path / "results.jsonl"
    suite = (f"--rootdir={ROOT}", f"-c{ROOT / 'pyproject.toml'}", str(ROOT / "behavior_tests"))
    said = ("--vl-model=tiny", f"--vl-data=parquet:{table}:30", f"--vl-results={results}", "--vl-no-images")
    pytester.runpytest_inprocess("-p", "no:cacheprovider", *suite, *said, "-k", "modality or colorless or grayscale")
    _, *lines = map(json.loads, results.read_text(encoding="utf-8").splitlines())
    verdicts = [line for line in lines if line["kind"] == "verdict"]
    assert {line["bias"] for line in verdicts} >= {"modality", "color"}
    assert {line["status"] for line in verdicts if line["n"] >= 30} == {"pass"}  # tiny was trained to, on scenes
    cases = {line["case"] for line in lines if line["kind"] == "evidence"}
    assert cases
    assert all(case.startswith("scenes.parquet-") for case in cases)
    assert sum(reads.values()) <= 6 * len(reads)
