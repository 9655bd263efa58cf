"""The stores of shards are merged into one, which then answers a run on all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vlcheck._util.installed import version_changes
from vlcheck.errors import UsageError
from vlcheck.scoring.stores.reader import StoreReader
from vlcheck.scoring.stores.rows import is_sound, unpack_scores, versions_in
from vlcheck.scoring.stores.store_file import StoreFile, Tell, warn_of_store

_ROUNDING = {"float64": 1e-9, "bfloat16": 2e-2, "float16": 5e-3}  # differences of scores from batch to batch
_OTHERWISE = 1e-5  # in float32, and where the precision is not known
_MODELS = "SELECT key, fingerprint, versions, name, precision FROM models WHERE unconfirmed = ''"
_SHARDS = """SELECT models.key, asked, number, count, data FROM shards
    JOIN models ON models.id = shards.model ORDER BY shards.kept"""
_UNCONFIRMED = """SELECT count(*) FROM answers JOIN models ON models.id = answers.model
    WHERE unconfirmed != '' AND error = ''"""

# The other store is attached as `other`. The views have the ids of equal rows in both.
_VIEWS = (
    """CREATE TEMP VIEW same_text AS SELECT theirs.id AS their, ours.id AS our
        FROM other.texts AS theirs JOIN main.texts AS ours USING (text)""",
    """CREATE TEMP VIEW same_shown AS SELECT theirs.id AS their, ours.id AS our
        FROM other.shown AS theirs JOIN main.shown AS ours USING (key)""",
    """CREATE TEMP VIEW same_model AS SELECT theirs.id AS their, ours.id AS our, ours.precision
        FROM other.models AS theirs JOIN main.models AS ours USING (key) WHERE theirs.unconfirmed = ''""",
)
_COPY = (
    """INSERT OR IGNORE INTO main.models (key, fingerprint, versions, unconfirmed, name, precision)
        SELECT key, fingerprint, versions, unconfirmed, name, precision FROM other.models WHERE unconfirmed = ''""",
    "INSERT OR IGNORE INTO main.runs VALUES (0, '')",
    "INSERT OR IGNORE INTO main.texts (text) SELECT text FROM other.texts",
    """INSERT OR IGNORE INTO main.shown (key, source, place, edits)
        SELECT key, source, (SELECT our FROM same_text WHERE their = place),
            (SELECT our FROM same_text WHERE their = edits) FROM other.shown""",
    """INSERT OR IGNORE INTO main.questions
        SELECT query, metric, (SELECT our FROM same_shown WHERE their = picture),
            (SELECT our FROM same_text WHERE their = text), (SELECT our FROM same_text WHERE their = words),
            (SELECT our FROM same_text WHERE their = wording) FROM other.questions""",
    """INSERT INTO main.pictures SELECT * FROM other.pictures WHERE true
        ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, jpeg = excluded.jpeg
        WHERE length(excluded.jpeg) > 0 AND length(jpeg) = 0""",
    """INSERT INTO main.answers SELECT our, query, 0, kept, scores, top, unasked, error
        FROM other.answers JOIN same_model ON their = model WHERE error = ''
        ON CONFLICT DO UPDATE SET run = 0, kept = excluded.kept, scores = excluded.scores, top = excluded.top,
            unasked = excluded.unasked, error = ''
        WHERE answers.error != '' OR (is_sound(excluded.scores) AND NOT is_sound(answers.scores))""",
    """INSERT OR IGNORE INTO main.shards SELECT our, asked, number, count, kept, data
        FROM other.shards JOIN same_model ON their = model""",
)
_BOTH = """SELECT precision, mine.scores, theirs.scores, mine.unasked, theirs.unasked
    FROM other.answers AS theirs JOIN same_model ON their = theirs.model
    JOIN main.answers AS mine ON mine.model = our AND mine.query = theirs.query
    WHERE theirs.error = '' AND mine.error = '' AND (mine.scores, mine.unasked) != (theirs.scores, theirs.unasked)"""


@dataclass(frozen=True)
class ScoresApart:
    """Answers to equal questions that differ in two stores by more than rounding; the earlier store's are taken.

    Attributes:
        store: the later store.
        answers: number of such answers.
        largest: the largest difference of two scores, in [0, 1]; 1 where one of them is no score.
    """

    store: Path
    answers: int
    largest: float


@dataclass(frozen=True)
class Merged:
    """A finished merge.

    Attributes:
        answers: number of answers in the merged store, without errors.
        unconfirmed: number of unconfirmed answers of models that may change, which were left out, by store.
        disagreements: the stores that disagree with earlier ones.
        missing: the parts that no store has, in words.
        unsharded: the stores that name no part.
    """

    answers: int
    unconfirmed: Mapping[Path, int]
    disagreements: Sequence[ScoresApart]
    missing: Sequence[str]
    unsharded: Sequence[Path]


class _Model(NamedTuple):
    """A row of a model."""

    key: str
    fingerprint: str
    versions: str
    name: str
    precision: str

    @property
    def said(self) -> str:
        """The model in words."""
        return f"{self.name or self.fingerprint[:12]} ({self.precision or 'precision not known'})"


class _Part(NamedTuple):
    """A row of a shard: the model and digest of its plan, its number among all, and the data in words."""

    model: str
    asked: str
    number: int
    of: int
    data: str


@dataclass(frozen=True)
class _Source:
    """A store to be merged, with the models of its shards, and these, the earliest first."""

    path: Path
    models: Mapping[str, _Model]
    parts: Sequence[_Part]
    unconfirmed: int

    @property
    def asking(self) -> frozenset[str]:
        return frozenset(part.model for part in self.parts)

    @property
    def asked(self) -> frozenset[str]:
        return frozenset(part.asked for part in self.parts)


def merge_stores(paths: Sequence[Path], into: Path, *, tell: Tell = warn_of_store) -> Merged:
    """Merge stores of shards, which may be read-only, into a new store, or into one of an earlier merge.

    Errors and unconfirmed answers stay behind. All stores are checked before anything is written; each store is then
    merged as a whole or not at all, so that a merge that was stopped is completed by the next one.

    Args:
        paths: the stores of the shards.
        into: the merged store.
        tell: called with warnings about the files.

    Raises:
        UsageError: a file is no store, or shards are of different models, versions, data or tests; the message names
            both stores. Nothing was written.
    """
    given = [path for path in dict.fromkeys(paths) if path.resolve() != into.resolve()]
    sources = [_read(path, tell) for path in ([into] if into.exists() else []) + given]
    sharded = [source for source in sources if source.parts]
    for source in sharded[1:]:
        _demand_same(sharded[0], source)
    with closing(StoreFile(into, named=str(into), tell=tell)) as store:
        found = (_merge_one(store, path, tell) for path in given)
        disagreements = [one for one in found if one.answers]
        ((answers,),) = store.rows("SELECT count(*) FROM answers WHERE error = ''")
    return Merged(
        answers=answers,
        unconfirmed={source.path: source.unconfirmed for source in sources if source.unconfirmed},
        disagreements=disagreements,
        missing=list(_missing(sharded)),
        unsharded=[source.path for source in sources if not source.parts],
    )


def _read(path: Path, tell: Tell) -> _Source:
    """Read what a store says of itself. Raises UsageError if it is none."""
    if not path.exists():
        raise UsageError(f"{path}: there is no such file; a store of --vl-shard is accepted.")
    with closing(StoreReader(path, named=str(path), tell=tell)) as store:
        models = {row[0]: _Model(*row) for row in store.rows(_MODELS)}
        parts = [_Part(*row) for row in store.rows(_SHARDS)]
        ((unconfirmed,),) = store.rows(_UNCONFIRMED)
    return _Source(path, models, parts, unconfirmed)


def _demand_same(one: _Source, other: _Source) -> None:
    """Raise UsageError if the shards of two stores are of different models, versions or questions."""
    if not one.asking & other.asking:
        a, b = (source.models[source.parts[-1].model] for source in (one, other))
        what = f"{a.said}, and of {b.said}" if a.fingerprint != b.fingerprint else _versions_apart(a, b)
        raise UsageError(f"{one.path}, {other.path}: are parts of different runs: of {what}. Nothing was merged.")
    if not one.asked & other.asked:
        ours, theirs = (source.parts[-1].data for source in (one, other))
        what = f"{ours}, and of {theirs}" if ours != theirs else f"{ours}, but of other tests, options or pictures"
        raise UsageError(f"{one.path}, {other.path}: are parts of different questions: of {what}. Nothing was merged.")


def _versions_apart(one: _Model, other: _Model) -> str:
    changes = version_changes(versions_in(one.versions), versions_in(other.versions))
    said = "; ".join(change.replace(" before, ", " and ").removesuffix(" now") for change in changes)
    return f"{one.said} under different versions: {said or 'of packages that one of them lacks'}"


def _missing(sources: Sequence[_Source]) -> Iterator[str]:
    """Yield the shards of a plan that no store has; none of a plan that has all of its shards in one of its counts."""
    plans: dict[tuple[str, str], dict[int, dict[int, str]]] = {}
    for part in (part for source in sources for part in source.parts):
        plans.setdefault((part.model, part.asked), {}).setdefault(part.of, {})[part.number] = part.data
    lacking = (
        f"part {number} of {count} of {next(iter(there.values()))}"
        for counts in plans.values()
        if not any(len(there) == count for count, there in counts.items())
        for count, there in counts.items()
        for number in range(1, count + 1)
        if number not in there
    )
    yield from dict.fromkeys(lacking)  # a model and its control have the same parts


def _merge_one(store: StoreFile, path: Path, tell: Tell) -> ScoresApart:
    """Copy the rows of a store that are not there yet, in one transaction; it is only read."""
    reader = StoreReader(path, named=str(path), tell=tell)
    with closing(reader), reader.place() as place, store.beside(place, _VIEWS):
        apart = [gap for gap in _gaps(store) if gap > 0]
        with store.transaction() as connection:
            connection.create_function("is_sound", 1, is_sound, deterministic=True)
            for statement in _COPY:
                connection.execute(statement)
    return ScoresApart(path, len(apart), max(apart, default=0.0))


def _gaps(store: StoreFile) -> Iterator[float]:
    """Yield the differences of answers that both stores have; 0 where it is a matter of rounding.

    Damaged answers, and those that are no numbers, differ from nothing: the sound one of both is taken.
    """
    for precision, mine, theirs, *unasked in store.stream(_BOTH):
        if not (is_sound(mine) and is_sound(theirs)):
            continue
        a, b = unpack_scores(mine) or (), unpack_scores(theirs) or ()
        if len(a) != len(b) or len({*unasked}) > 1:
            yield 1.0
        gap = max((abs(x - y) for x, y in zip(a, b, strict=False)), default=0.0)
        yield gap if gap > _ROUNDING.get(precision, _OTHERWISE) else 0.0
