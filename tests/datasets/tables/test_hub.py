"""Data sets of the package datasets: saved folders, splits, and a hub that cannot be reached."""

import pytest

from tests.datasets.tables.samples import CAPTIONS, pictures, write_parquet
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.tables import arrow
from vlcheck.datasets.tables.hub import StreamedPart, hub_part, hub_stream
from vlcheck.errors import UsageError

datasets = pytest.importorskip("datasets", reason="needs vlcheck[tables]")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    import huggingface_hub.constants

    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def splits(tmp_path):
    one = datasets.Dataset.from_dict(
        {"caption": [*CAPTIONS], "image": [{"bytes": b, "path": None} for b in pictures()]}
    )
    one = one.cast_column("image", datasets.Image())
    datasets.DatasetDict({"train": one, "test": one.select([1])}).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_split_follows_the_name(splits):
    assert len(hub_part(str(splits), "test").dataset) == 1
    source = open_source(f"hf:{splits}:train:7:3")
    assert (source.images, source.seed, len(source.offer.cases)) == (7, 3, 3)
    assert len(open_source(f"hf:{splits}@test:7").offer.cases) == 1


def test_splits_that_there_are_are_named(splits):
    with pytest.raises(UsageError, match=r"has several splits; name one\. Known: train, test\."):
        open_source(f"hf:{splits}")
    with pytest.raises(UsageError, match=r":tran: has no split 'tran'\. Did you mean 'train'\?"):
        open_source(f"hf:{splits}:tran")


def test_a_hub_that_cannot_be_reached_says_so():
    for load in (hub_part, hub_stream):
        with pytest.raises(UsageError, match=r"^hf:nobody/nothing: the hub cannot be reached \(.*HF_HUB_OFFLINE"):
            load("nobody/nothing", "")


def test_a_folder_that_is_no_data_set_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"empty: cannot be loaded by datasets"):
        hub_part(str(tmp_path / "empty"), "")


def test_a_saved_folder_without_its_files_is_refused(splits):
    for file in (splits / "train").glob("*.arrow"):
        file.unlink()
    with pytest.raises(UsageError, match=r"saved:train: cannot be loaded by datasets"):
        hub_part(str(splits), "train")


def test_a_folder_of_files_is_loaded_without_a_word(tmp_path, capfd):
    (tmp_path / "folder").mkdir()
    write_parquet(tmp_path / "folder" / "train.parquet", {"caption": [*CAPTIONS], "image": pictures()})
    datasets.enable_progress_bars()
    assert hub_part(str(tmp_path / "folder"), "").dataset.num_rows == 3
    assert capfd.readouterr().err == ""
    assert not datasets.are_progress_bars_disabled()
    assert any((tmp_path / "cache").iterdir())  # as docs/reference/tables.md says


def test_a_stream_gives_captions_in_chunks(tmp_path):
    write_parquet(tmp_path / "train.parquet", {"caption": [f"caption {at}" for at in range(25)]})
    stream = datasets.load_dataset("parquet", data_files=str(tmp_path / "train.parquet"), split="train", streaming=True)
    part = StreamedPart(stream, "hf:x", tmp_path)
    assert part.columns() == ("caption",)
    (chunk,) = part.chunks({"caption": "caption"})
    assert (chunk.rows, chunk.fields["caption"][24], chunk.row(24).where) == (25, "caption 24", "hf:x: row 24")


def test_a_missing_package_names_the_extra():
    with pytest.raises(UsageError, match=r"^a\.parquet: needs absent_package, .*: pip install 'vlcheck\[tables\]'"):
        arrow.import_extra("absent_package.module", "a.parquet")
