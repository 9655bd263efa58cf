"""What readers of a results file rely on, line by line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

from vlcheck.stats.decision import BY_GRAVITY, Claim

SCHEMA = 1
_FIGURES = (
    *("n", "not_applicable", "violations", "rate", "rate_low", "rate_high", "allowed", "alpha", "p", "needed_n"),
    *("detectable", "effect", "effect_low", "effect_high", "asked", "offered", "refused", "mass"),
)
_SCALE = ("gain", "offset", "power", "auc", "auc_low", "pairs")
_KNOWN = ("bias", "behavior", "metric", "stale")  # of an entry of the policy


def complaint(line: object) -> str:
    """Why a value is no line of a results file, or ""."""
    kind = line.get("kind") if isinstance(line, dict) else None
    if not isinstance(line, dict) or not isinstance(kind, str) or kind not in _READ:
        return "no line of a results file; each names its kind"
    if kind == "run" and line.get("schema") != SCHEMA:
        return f"schema {line.get('schema')!r}; this vlcheck reads schema {SCHEMA}"
    for key, accepted in _READ[kind].items():
        if not (accepted.holds(line[key]) if key in line else accepted.optional):
            return f"{kind} line without {key!r}, which has to be {accepted.said}"
    return ""


def completed(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line without a complaint, with all that readers rely on: what is optional and not there is None, or empty."""
    known = _READ[line["kind"]].items()
    return {**line} | {key: one.missing for key, one in known if one.optional and line.get(key) is None}


class _Accepted(NamedTuple):
    holds: Callable[[Any], bool]
    said: str
    optional: bool = False
    missing: Any = None  # what stands for it where it is optional, and not there or null

    def if_any(self, missing: Any = None) -> _Accepted:
        return self._replace(optional=True, missing=missing)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value is None
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float is as large as
        return False


def _is_cells(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _is_table(value: Any) -> bool:
    return value is None or _is_cells(value)


def _is_list_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(holds, value))


def _is_scored(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_text(value[0]) and _is_number(value[1])


def _is_box(value: Any) -> bool:
    return _is_list_of(_is_number)(value) and len(value) == 4 and None not in value


def _or_none(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def _is_object(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _is_policy(value: Any) -> bool:
    known = value.get("known", []) if isinstance(value, dict) else []
    return _is_object(value) and _is_list_of(_is_known)(known)


def _is_contract(value: Any) -> bool:
    """What a run says of its model's contract: whether it was tried, and the clauses that are broken."""
    said = value if isinstance(value, dict) else {}
    return value is None or (isinstance(said.get("tried"), bool) and _is_list_of(_is_text)(said.get("broken")))


def _is_stated(value: Any) -> bool:
    """What each selected test is about."""
    each = value.values() if isinstance(value, dict) else [None]
    return all(
        isinstance(one, dict) and one.keys() == {"bias", "metric"} and all(map(_is_text, one.values())) for one in each
    )


def _is_known(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, (value.get(key) for key in _KNOWN)))


def _is_tables(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and all(map(_is_table, value.values())))


def _is_scale(value: Any) -> bool:
    """What a verdict says of its scale: which was asked for, which was used and why, and its figures."""
    if value is None:
        return True
    said = isinstance(value, dict) and [value.get(key) for key in ("demanded", "used")]
    known = said and all(one in ("calibrated", "raw") for one in said) and _is_text(value.get("reason"))
    figures = known and [value.get(key) for key in _SCALE]
    if not figures or not all(map(_is_number, figures)):
        return False
    return value["used"] == "raw" or (None not in figures and value["gain"] > 0 and value["power"] > 0)


_TEXT = _Accepted(_is_text, "text")
_TEXT_OR_NONE = _Accepted(_or_none(_is_text), "text or null")
_NUMBER_OR_NONE = _Accepted(_is_number, "a number or null")
_TEXTS = _Accepted(_is_list_of(_is_text), "a list of texts")
_BAND = _Accepted(
    _or_none(lambda value: _is_list_of(_is_number)(value) and len(value) == 2 and None not in value),
    "two numbers or null",
)
_BOXES = _Accepted(_or_none(_is_list_of(_is_box)), "a list of boxes of four numbers, or null")
_SCORES = _Accepted(_or_none(_is_list_of(_is_cells)), "a list of objects of numbers, or null")
_TABLE = _Accepted(_is_table, "an object of numbers, or null")
_TABLES = _Accepted(_is_tables, "an object of tables, or null")
_WORDS = _Accepted(_or_none(_is_list_of(_is_scored)), "a list of words with their scores, or null")
_OBJECT = _Accepted(_is_object, "an object or null")
_POLICY = _Accepted(_is_policy, f"an object whose known biases have texts under {', '.join(_KNOWN)}, or null")
_CONTRACT = _Accepted(_is_contract, "an object with tried, a flag, and broken, a list of texts, or null")
_NUMBERS = _Accepted(_or_none(_is_list_of(_is_number)), "a list of numbers, or null")
_SCALE_SAID = _Accepted(_is_scale, f"an object with demanded, used, reason, {', '.join(_SCALE)}, or null")
_STATED = _Accepted(_or_none(_is_stated), "an object of objects that have a bias and a metric, or null")
_FLAG = _Accepted(_or_none(lambda value: isinstance(value, bool)), "true, false or null")
_STATUS = _Accepted(lambda value: value in BY_GRAVITY, f"one of {', '.join(BY_GRAVITY)}")

# What readers rely on, by kind of line; more is written.
_READ: Mapping[str, Mapping[str, _Accepted]] = {
    "run": dict.fromkeys(("name", "fingerprint", "data", "started"), _TEXT)
    | dict.fromkeys(("score_kinds", "versions", "left_out"), _OBJECT.if_any(missing={}))
    | {
        "policy": _POLICY.if_any(missing={}),
        "contract": _CONTRACT.if_any(),
        "complete": _FLAG.if_any(),
        "run_id": _TEXT_OR_NONE.if_any(),
        "exit_status": _NUMBER_OR_NONE.if_any(),
        "verdicts": _NUMBER_OR_NONE.if_any(),
        "lines": _NUMBER_OR_NONE.if_any(),
        "unjudged": _TEXTS.if_any(missing=[]),
        "stated": _STATED.if_any(missing={}),
        "required": _TEXTS.if_any(missing=[]),
        "schema": _Accepted(lambda value: type(value) is int, "a whole number"),
    },
    "image": {"key": _TEXT, "width": _NUMBER_OR_NONE.if_any()},
    "evidence": {
        "case": _TEXT,
        "image": _TEXT_OR_NONE,
        "perturbed": _TEXT_OR_NONE,
        "texts": _TEXTS,
        "margin": _NUMBER_OR_NONE,
    }
    | dict.fromkeys(("effect", "before", "after"), _NUMBER_OR_NONE.if_any())
    | dict.fromkeys(("top_before", "top_after"), _WORDS.if_any())
    | dict.fromkeys(("test", "metric", "perturbation", "reason", "violated"), _TEXT_OR_NONE.if_any())
    | {
        "values": _TABLE.if_any(),
        "targets": _TEXTS.if_any(missing=[]),
        "wanted": _TEXTS.if_any(missing=[]),
        "scores": _SCORES.if_any(),
        "levels": _NUMBERS.if_any(missing=[]),
    }
    | dict.fromkeys(("boxes", "perturbed_boxes"), _BOXES.if_any()),
    "verdict": dict.fromkeys(("test", "bias", "behavior", "metric", "score_kind", "reason"), _TEXT)
    | dict.fromkeys(("doc", "bias_doc", "expected", "perturbation", "cause"), _TEXT_OR_NONE.if_any())
    | dict.fromkeys(_FIGURES, _NUMBER_OR_NONE.if_any())
    | {
        "claim": _Accepted(lambda value: value in get_args(Claim), '"rate" or "mean"'),
        "status": _STATUS,
        "band": _BAND.if_any(),
        "tolerances": _TABLE.if_any(),
        "scale": _SCALE_SAID.if_any(),
        "tables": _TABLES.if_any(missing={}),
        "known": _OBJECT.if_any(),
        "gates": _FLAG.if_any(),
    },
}
