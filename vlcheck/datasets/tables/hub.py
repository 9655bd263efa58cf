"""Data sets of the Hugging Face hub, and folders that `save_to_disk` wrote, read by the package datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from vlcheck.datasets.tables.arrow import import_extra, read_fields
from vlcheck.datasets.tables.parquet import without_pictures
from vlcheck.datasets.tables.table import CHUNK, TableChunk
from vlcheck.errors import UsageError, nearest, printable

_SAVED = ("state.json", "dataset_dict.json")  # files that save_to_disk writes: of a data set, and of several splits
_UNREACHABLE = ("Connect", "Offline", "Timeout", "LocalEntryNotFound", "MaxRetry", "NameResolution")


@dataclass(frozen=True)
class HubRow:
    """A row of a data set.

    Attributes:
        dataset: the data set of the package datasets.
        said: the spec that named it, for messages.
        at: index of the row.
    """

    dataset: Any = field(repr=False, compare=False)
    said: str
    at: int

    @property
    def name(self) -> str:
        return f"row-{self.at}"

    @property
    def where(self) -> str:
        return f"{self.said}: row {self.at}"

    def value(self, column: str) -> object:
        with _asking(self.where):
            cell = self.dataset.select_columns([column]).with_format("arrow")[self.at : self.at + 1]
            return cell.column(0)[0].as_py()


@dataclass(frozen=True)
class HubPart:
    """A split of a data set, which is in Arrow files on disk and read from there.

    Attributes:
        dataset: the data set of the package datasets.
        where: the spec that named it.
        folder: the folder that its paths have to be in.
    """

    dataset: Any
    where: str
    folder: Path

    def columns(self) -> Sequence[str]:
        return tuple(self.dataset.column_names)

    def chunks(self, columns: Mapping[str, str]) -> Iterator[TableChunk]:
        read = without_pictures(self.dataset.features.arrow_schema, columns, self.where)
        with _asking(self.where):
            rows = self.dataset.select_columns([*dict.fromkeys(read.values())]).with_format("arrow")
            for start in range(0, len(rows), CHUNK):
                batch = rows[start : start + CHUNK]
                yield TableChunk(read_fields(batch, read), batch.num_rows, partial(self._row, start))

    def _row(self, start: int, at: int) -> HubRow:
        return HubRow(self.dataset, self.where, start + at)


@dataclass(frozen=True)
class StreamedRow:
    """A row that passed by in a stream."""

    said: str
    at: int

    @property
    def name(self) -> str:
        return f"row-{self.at}"

    @property
    def where(self) -> str:
        return f"{self.said}: row {self.at}"

    def value(self, column: str) -> object:
        raise UsageError(f"{self.where}: was streamed, and cannot be read again.")


@dataclass(frozen=True)
class StreamedPart:
    """A split of a data set that is read from the hub while it is iterated; its pictures cannot be read again.

    Attributes:
        dataset: the iterable data set of the package datasets.
        where: the spec that named it.
        folder: the folder that its paths have to be in.
    """

    dataset: Any
    where: str
    folder: Path

    def columns(self) -> Sequence[str]:
        with _asking(self.where):
            return tuple(self.dataset.column_names or next(iter(self.dataset), {}))

    def chunks(self, columns: Mapping[str, str]) -> Iterator[TableChunk]:
        read = {one: column for one, column in columns.items() if one != "image"}
        number = 0
        with _asking(self.where):
            for batch in self.dataset.select_columns([*dict.fromkeys(read.values())]).iter(CHUNK):
                fields = {one: batch[column] for one, column in read.items()}
                count = len(fields["caption"])
                yield TableChunk(fields, count, partial(self._row, number))
                number += count

    def _row(self, start: int, at: int) -> StreamedRow:
        return StreamedRow(self.where, start + at)


def hub_part(name: str, split: str) -> HubPart:
    """Load a data set; one of the hub is downloaded to the cache of the package datasets.

    Args:
        name: its name on the hub, or a folder: one that `save_to_disk` wrote, or one of files that datasets reads.
        split: the split; "" if it has only one.

    Raises:
        UsageError: If datasets is not installed, the hub cannot be reached, or there is no such data set or split.
    """
    said = _said(name, split)
    datasets = import_extra("datasets", said)
    with _asking(said):
        if any(Path(name, file).is_file() for file in _SAVED):
            return HubPart(_chosen(datasets.load_from_disk(name), said, split), said, _folder(datasets, name))
        return HubPart(_loaded(datasets, name, said, split), said, _folder(datasets, name))


def hub_stream(name: str, split: str) -> HubPart | StreamedPart:
    """Open a data set to read its captions; one of the hub is not downloaded, but streamed.

    Args:
        name: its name on the hub, or a folder, as for `hub_part`.
        split: the split; "" if it has only one.

    Raises:
        UsageError: Under the same conditions as `hub_part`.
    """
    if Path(name).exists():
        return hub_part(name, split)
    said = _said(name, split)
    datasets = import_extra("datasets", said)
    with _asking(said):
        return StreamedPart(_loaded(datasets, name, said, split, streaming=True), said, _folder(datasets, name))


def _loaded(datasets: Any, name: str, said: str, split: str, **how: bool) -> Any:
    splits = datasets.get_dataset_split_names(name)
    with _without_bars(datasets) if Path(name).exists() else nullcontext():
        return datasets.load_dataset(name, split=_split_of(splits, said, split), **how)


@contextmanager
def _without_bars(datasets: Any) -> Iterator[None]:
    """Keep the progress of a local conversion out of the run; that of a download stays."""
    if datasets.are_progress_bars_disabled():
        yield
        return
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.enable_progress_bars()


def _chosen(loaded: Any, said: str, split: str) -> Any:
    """Return a split of what `load_from_disk` returned, a data set or several by their split."""
    if isinstance(loaded, dict):
        return loaded[_split_of([*loaded], said, split)]
    if split and str(loaded.split) != split:
        raise UsageError(f"{said}: the folder holds one data set, {loaded.split or 'of no split'}. Leave :{split} out.")
    return loaded


def _split_of(splits: Sequence[str], said: str, split: str) -> str:
    if not split and len(splits) == 1:
        return splits[0]
    if split not in splits:
        known = nearest(split, splits) if split else f"Known: {', '.join(splits)}."
        raise UsageError(f"{said}: {f'has no split {split!r}' if split else 'has several splits; name one'}. {known}")
    return split


def _folder(datasets: Any, name: str) -> Path:
    """Return the folder that a data set's paths have to be in: its own, or the hub's cache."""
    return Path(name).resolve() if Path(name).exists() else Path(datasets.config.HF_CACHE_HOME)


def _said(name: str, split: str) -> str:
    return f"hf:{name}:{split}" if split else f"hf:{name}"


@contextmanager
def _asking(said: str) -> Iterator[None]:
    """Raise UsageError for whatever datasets raises; the message says whether the hub could not be reached."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        why = printable(str(error).partition("\n")[0], 200) or type(error).__name__
        if _is_unreachable(error):
            raise UsageError(
                f"{said}: the hub cannot be reached ({why}). Go online (HF_HUB_OFFLINE must not be set), or name a"
                " folder that save_to_disk wrote, hf:FOLDER."
            ) from error
        raise UsageError(f"{said}: cannot be loaded by datasets ({type(error).__name__}: {why}).") from error


def _is_unreachable(error: BaseException | None) -> bool:
    """Return True if an error, or one that led to it, is about the connection."""
    while error is not None:
        name = type(error).__name__
        if isinstance(error, ConnectionError | TimeoutError) or any(word in name for word in _UNREACHABLE):
            return True
        error = error.__cause__ or error.__context__
    return False
