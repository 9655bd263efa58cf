"""The table of docs/reference/generative-types.md, from benchmarks/generative_types.json."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

PREFIX, STATES, NOTHING = "prefix", "states", "nothing"  # what is kept of a picture between its texts
_WORKS = {
    PREFIX: "works",
    STATES: "works without kept prefix: the states of the vision network are kept",
    NOTHING: "works without kept prefix: each conversation is read whole",
}


def types_passage(measured: str) -> str:
    """Return the table, after a sentence that counts what it says."""
    stored = json.loads(measured)
    types = stored["types"]
    count = Counter(entry.get("kept", "refused") for entry in types)
    apart = max(entry["difference"] for entry in types if "difference" in entry)
    return (
        f"transformers {stored['transformers']} maps {len(types)} types. {sum(count.values()) - count['refused']} work:"
        f" {count[PREFIX]} with a kept prefix, {count[STATES]} with kept states of the vision network and"
        f" {count[NOTHING]} with each conversation read whole. {count['refused']} are refused. With a kept prefix and"
        f" without it, {_compared(types)} differ by {apart:.0e} at most, in float32.\n\n"
        "| type | class | |\n| --- | --- | --- |\n"
        + "".join(f"| `{entry['type']}` | `{entry['class']}` | {_said(entry)} |\n" for entry in types)
        + "\n`python -m benchmarks.generative_types` tries them, `python -m benchmarks.table` writes this.\n"
    )


def _said(entry: dict[str, Any]) -> str:
    if "kept" not in entry:
        return f"refused: {entry['refused']}".replace("|", "\\|")
    lacking = "" if "itm" in entry["metrics"] else "; it fills in words, and is asked no question"
    return _WORKS[entry["kept"]] + lacking


def _compared(types: list[dict[str, Any]]) -> str:
    """Return what was compared of each type; entries of an earlier form have P(match) of one text a picture alone."""
    each = [entry.get("scores") for entry in types if "difference" in entry]
    if None in each:
        return "values of P(match)"
    return f"{min(each)} scores or more of each type (P(match) and shares of words)"
