"""Reading of tables as cases: a row is a picture with captions, and perhaps with a target or with foils."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vlcheck._util.hashing import digest
from vlcheck._util.numbers import counted
from vlcheck.cases.case import Case
from vlcheck.cases.foils import PHENOMENA
from vlcheck.cases.offer import Offer
from vlcheck.cases.source import REACH
from vlcheck.cases.words import words_of
from vlcheck.datasets.boxes import in_full, sticks_out
from vlcheck.datasets.coco.bindings import find_bindings
from vlcheck.datasets.coco.colors import find_colors
from vlcheck.datasets.coco.hands import find_hands
from vlcheck.datasets.coco.photograph import Finding, Photograph, PhotographFacts, settle
from vlcheck.datasets.coco.roles import find_roles
from vlcheck.datasets.complaints import Complaints
from vlcheck.datasets.fitness import check_color, check_upright
from vlcheck.datasets.foils.offer import foil_case
from vlcheck.datasets.jsonl import CaseLine
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.tables.best_cases import BestCases
from vlcheck.datasets.tables.columns import Columns, ColumnsSaid, parse_columns
from vlcheck.datasets.tables.hub import hub_part
from vlcheck.datasets.tables.parquet import parquet_parts
from vlcheck.datasets.tables.pictured import CaseRow, Pictured, read_pictured
from vlcheck.datasets.tables.shards import seekable_shards
from vlcheck.datasets.tables.table import TablePart
from vlcheck.datasets.tags import doubts
from vlcheck.errors import NotApplicable, UsageError, argument, parameter

# The cases that captions alone give, as those of a COCO photograph without annotations do.
_FINDERS: Mapping[str, Callable[[PhotographFacts], Iterator[Finding]]] = {
    "color": find_colors,
    "hand": find_hands,
    "binding": find_bindings,
    "role": find_roles,
}
_PLAIN = re.compile(r"[\w.-]{1,80}", re.ASCII)
_STRANGE = re.compile(r"[^\w.-]+", re.ASCII)
_LINE = ("image", "caption", "target", "bare", "id", "source", "licence", "tags", "candidates", "foils", "present")
_WANTED = (
    "A row gives a case by a caption that names a color, a hand, a binding or a role; by a target with tags; or by"
    f" foils with a tag that is a phenomenon. {parameter('columns')} names the columns of all of them."
)
_LOOKED_AT = 20  # cases whose pictures are opened when the table is read, until one can be
_OF_LINE = frozenset((*_LINE, "about", "region", "other_region"))


def read_parquet(
    path: Path, lexicons: Lexicons, *, columns: ColumnsSaid = None, images: int = 200, seed: int = 0
) -> Offer:
    """Read the cases of Parquet files.

    Args:
        path: a file, a folder, a pattern or a series.
        lexicons: the words.
        columns: the columns, as `parse_columns` reads them.
        images: number of images for each behavior.
        seed: determines the order of images.

    Raises:
        UsageError: If a file cannot be read, or a row with a target is wrong; the message names file, row and field.
    """
    return _Reading(lexicons, parse_columns(columns), images, seed).offer(parquet_parts(path))


def read_webdataset(
    path: Path, lexicons: Lexicons, *, columns: ColumnsSaid = None, images: int = 200, seed: int = 0
) -> Offer:
    """Read the cases of WebDataset shards.

    Args:
        path: a shard, a folder, a pattern or a series.
        lexicons: the words.
        columns: the columns, as `parse_columns` reads them.
        images: number of images for each behavior.
        seed: determines the order of images.

    Raises:
        UsageError: If a shard cannot be read or is compressed, or a sample with a target is wrong; the message names
            shard and sample.
    """
    return _Reading(lexicons, parse_columns(columns), images, seed).offer(seekable_shards(path))


def read_hub(
    path: Path, lexicons: Lexicons, *, split: str = "", columns: ColumnsSaid = None, images: int = 200, seed: int = 0
) -> Offer:
    """Read the cases of a data set of the Hugging Face hub, or of a folder that `save_to_disk` wrote.

    Args:
        path: the name, or the folder.
        lexicons: the words.
        split: the split; "" if there is only one.
        columns: the columns, as `parse_columns` reads them.
        images: number of images for each behavior.
        seed: determines the order of images.

    Raises:
        UsageError: If the hub cannot be reached, there is no such data set, or a row with a target is wrong.
    """
    return _Reading(lexicons, parse_columns(columns), images, seed).offer([hub_part(str(path), split)])


@dataclass(frozen=True)
class TableLine(CaseLine):
    """The fields of a row that names its target; they have to be as those of a line of JSON.

    Attributes:
        row: the row's place.
    """

    row: str

    @property
    def where(self) -> str:
        return self.row


@dataclass
class _Reading:
    """The reading of a table, with what has been found so far."""

    lexicons: Lexicons
    wanted: Columns
    images: int
    seed: int
    left_out: Counter[str] = field(default_factory=Counter)
    complaints: Complaints = field(default_factory=Complaints)
    ids: set[str] = field(default_factory=set)
    rows: int = 0

    def offer(self, parts: Sequence[TablePart]) -> Offer:
        """Read all rows, and return the cases that behaviors would choose first."""
        best = BestCases(REACH * self.images, self.seed)
        for pictured in read_pictured(parts, self.wanted, self.left_out):
            for case in self._cases(pictured):
                best.add(pictured.name, case)
        self.complaints.demand_none()
        cases = best.by_image()
        if not cases:
            raise UsageError(f"{parts[0].where}: {self._nothing()}.", *([_WANTED] if self.rows else []))
        _demand_a_picture([case for each in cases.values() for case in each][:_LOOKED_AT], parts[0].where)
        return Offer(
            cases,
            self.left_out + best.dropped(),
            lambda case: _check(case, self.lexicons),
            doubts=self._doubts(cases),
        )

    def _nothing(self) -> str:
        """Say why there is no case, with the commonest reasons."""
        why = "".join(f"; {count} times: {reason}" for reason, count in self.left_out.most_common(3))
        return f"gives no case, of {counted(self.rows, 'row')}{why}" if self.rows else f"has no row with a picture{why}"

    def _cases(self, pictured: Pictured) -> Iterator[Case]:
        """Yield the cases of a picture: of rows with a target, of rows with foils, and of all other captions."""
        said = frozenset().union(*(words_of(one) for row in pictured.rows for one in row.captions))
        name = _plain(pictured.name)
        plain: list[str] = []
        for at, row in enumerate(pictured.rows):
            self.rows += 1
            case_id = name if len(pictured.rows) == 1 else f"{name}-{at}"
            if "target" in row.fields:
                yield from self._targeted(pictured, row, case_id, said)
            elif row.fields.get("foils"):
                yield from self._against_foils(pictured, row, case_id)
            else:
                plain += row.captions
                self.left_out.update(["caption cannot be used"] if not row.captions else [])
        if plain:
            yield from self._of_captions(pictured, name, tuple(dict.fromkeys(plain)))

    def _targeted(self, pictured: Pictured, row: CaseRow, case_id: str, said: frozenset[str]) -> list[Case]:
        """Return the case of a row with a target; errors are collected, as those of lines of JSON."""
        fields = {key: value for key, value in row.fields.items() if key in _OF_LINE}
        fields |= {"image": pictured.name, "id": str(row.fields.get("id", case_id))}
        line = TableLine(Path(), self.rows, fields, pictured.name, row.where)
        kinds = self.lexicons.color_kinds
        with self.complaints.of_line(self.rows):
            if self.complaints.without(self.rows, line.checks_of_fields()) and self.complaints.without(
                self.rows, line.checks_of_words(kinds)
            ):
                if line.id in self.ids:
                    raise line.bad("id", f"{line.id!r} is that of another row, too; ids are unique")
                self.ids.add(line.id)
                return [line.case(pictured.image, said)]
        return []

    def _against_foils(self, pictured: Pictured, row: CaseRow, case_id: str) -> list[Case]:
        """Return the case of a row with foils and without a target."""
        foils, tags = (_texts(row.fields.get(one)) for one in ("foils", "tags"))
        phenomena = [one for one in tags if one in PHENOMENA]
        try:
            if len(phenomena) != 1 or len(row.captions) != 1:
                raise NotApplicable("row needs one caption, and one phenomenon among its tags")
            credit = (str(row.fields.get(one, "")) for one in ("source", "licence"))
            return [foil_case(case_id, pictured.image, row.captions[0], foils, phenomena[0], *credit)]
        except NotApplicable as reason:
            self.left_out[f"foil: {reason}"] += 1
            return []

    def _of_captions(self, pictured: Pictured, name: str, captions: tuple[str, ...]) -> Iterator[Case]:
        """Yield the cases that captions alone give by the words of the lexicons."""
        first = pictured.rows[0].fields
        photograph = Photograph(
            name=name,
            image=pictured.image,
            size=(0, 0),  # is asked only with boxes
            captions=captions,
            instances=None,
            persons=None,
            listed_in=Path(pictured.rows[0].where),
            source=str(first.get("source", "")),
            licence=str(first.get("licence", "")),
        )
        facts = PhotographFacts(photograph, self.lexicons, tuple(self.lexicons.objects))
        for kind, find in _FINDERS.items():
            found, reasons = settle(find(facts))
            self.left_out.update(f"{kind}: {reason}" for reason in reasons)
            cases = (draft.case() for draft in found)
            yield from (replace(case, id=case.id.removeprefix("coco-")) for case in cases)

    def _doubts(self, cases: Mapping[str, Sequence[Case]]) -> dict[str, list[str]]:
        """Return possible mistakes, each with the ids of the cases concerned."""
        found: dict[str, list[str]] = {}
        for case in (case for each in cases.values() for case in each):
            for doubt in doubts(case, self.lexicons):
                found.setdefault(doubt, []).append(case.id)
        return found


def _demand_a_picture(cases: Sequence[Case], where: str) -> None:
    """Raise UsageError if no picture of some cases can be read, as where another column was taken for the pictures.

    Args:
        cases: the cases, at least one.
        where: the table, for messages.
    """
    why: UsageError | None = None
    for case in cases:
        try:
            _ = case.image.size
            return
        except UsageError as error:
            why = why or error
    raise UsageError(f"{where}: none of its first pictures can be read, {argument('columns', 'image=NAME')}?", why)


def _texts(value: object) -> list[str]:
    """Return a text, or those of a list."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _plain(name: str) -> str:
    """Return a name that can be a part of an id; two names never become one."""
    return name if _PLAIN.fullmatch(name) else f"{_STRANGE.sub('-', name)[:60].strip('-')}-{digest(name)[:8]}"


def _check(case: Case, lexicons: Lexicons) -> None:
    """Raise NotApplicable unless the picture can be read and fits the case."""
    try:
        size = case.image.size
        check_upright(case, lexicons)
        check_color(case, lexicons)
    except UsageError as error:
        raise NotApplicable("picture cannot be read") from error
    for box in (*case.region, *case.other_region):
        if sticks_out(box, size):
            raise NotApplicable("region lies outside of the picture") from UsageError(
                f"{case.id}: {in_full(box, size)}"
            )
