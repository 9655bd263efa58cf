"""The tables of a policy file as typed records, and the file's JSON schema.

`python -m vlcheck.policy.schema` prints the schema.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from typing import Annotated, Any, get_origin, get_type_hints

from msgspec import Meta, Struct, defstruct, field

from vlcheck._util.typed import json_schema
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.registry import KINDS
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.policy.policy import METRICS, PARITY, Margins, Rule, Scaling, Undecided

_Biases = Annotated[list[str], Meta(description='a list of biases, e.g. ["color", "position"]')]
_Text = Annotated[str, Meta(pattern=r"\S", description='a text, e.g. "the captions name no sides"')]
_Day = Annotated[date, Meta(description="a day, e.g. 2027-01-31")]
_Flag = Annotated[bool, Meta(description="true or false")]


class KnownRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry under [[known]]; `vlcheck.policy.policy.Known` explains its keys."""

    behavior: _Text = ""
    bias: _Text = ""
    reason: _Text
    metric: Annotated[Metric | None, Meta(description="a metric")] = None
    until: _Day
    invalid: _Flag = False

    def __post_init__(self) -> None:
        """Raise ValueError unless it names either a behavior or a bias."""
        subjects = [key for key in ("behavior", "bias") if getattr(self, key)]
        if len(subjects) != 1:
            named = " and ".join(subjects) or "none"
            raise ValueError(f"has to name either a behavior or a bias; it names {named}")


_KnownRecords = Annotated[list[KnownRecord], Meta(description="a list of tables, each under [[known]]")]
_Field = tuple[str, Any, Any]  # a key, its type and its default


def _record(name: str, *keys: _Field) -> Any:
    """Return a type of records.

    Args:
        name: the type's name.
        *keys: the keys of a record.
    """
    rename = {key.replace("-", "_"): key for key, _, _ in keys}
    named = [(name, kind, default) for name, (_, kind, default) in zip(rename, keys, strict=True)]
    return defstruct(name, named, frozen=True, forbid_unknown_fields=True, rename=rename)


def _of(*groups: type[Any]) -> list[_Field]:
    """Return the fields of dataclasses."""
    hints = {key: kind for group in groups for key, kind in get_type_hints(group, include_extras=True).items()}
    return [(one.name, hints[one.name], one.default) for group in groups for one in fields(group)]


def _empty(kind: Any, *keys: str) -> list[_Field]:
    """Return keys of one type, whose default is an empty value.

    Args:
        kind: the type.
        *keys: the keys.
    """
    return [(key, kind, field(default_factory=get_origin(kind) or kind)) for key in keys]


_Scores = _record("ScoresTable", *_of(Tolerances, Scaling))
_Metric = _record("MetricTable", *_of(Tolerances, Scaling), *_empty(_Scores, *KINDS))
_Tests = _record("TestsTable", *_of(Rule, Tolerances, Scaling, Undecided))
PolicyFile = _record(
    "PolicyFile",
    ("required", _Biases, None),
    *_empty(_record("DefaultsTable", *_of(Rule, Scaling)), "defaults"),
    *_empty(_record("OnTable", *_of(Undecided)), "on"),
    *_empty(_record("ParityTable", *_of(Margins)), PARITY),
    *_empty(_record("TolerancesTable", *_empty(_Metric, *METRICS)), "tolerances"),
    *_empty(dict[str, _Tests], "biases", "behaviors"),  # type: ignore[valid-type]  # made above, not declared
    ("known", _KnownRecords, field(default_factory=list)),
)


if __name__ == "__main__":
    print(json.dumps(json_schema(PolicyFile), indent=1))
