"""The families of models, as Markdown for the documentation and as JSON for `vlcheck models`."""

from __future__ import annotations

import json
from collections import Counter

from vlcheck.models.loading.registry import (
    family_key,
    imported,
    registered_families,
    registered_tasks,
    registered_wrappers,
)
from vlcheck.models.loading.registry import table as family_rows
from vlcheck.plugin.collect import collect
from vlcheck.suite.shipped import suite_folder
from vlcheck.zoo import PLANTED


def families() -> str:
    """The families of models as Markdown, but for those of the zoo, and without wrappers."""
    tests = Counter(str(test.metric) for test in collect(suite_folder() / "behavior_tests").tests)
    head, *rows = family_rows(
        tests, (imported(entry) for _, entry in sorted((registered_families() | registered_tasks()).items()))
    )
    cells = [head, ["---"] * len(head), *([f"`{name}`", *row] for name, *row in rows if name not in PLANTED)]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells) + "\n`vlcheck models` lists them.\n"


def listing() -> str:
    """Return what the shipped families and wrappers state of themselves, as JSON for `vlcheck models`."""
    registered = registered_families() | registered_tasks() | registered_wrappers()
    shipped = [entry for _, entry in sorted(registered.items()) if entry.value.startswith("vlcheck.")]
    found = {family_key(entry): imported(entry) for entry in shipped}
    said = {key: {"known": family.known, "kinds": dict(family.kinds or {})} for key, family in found.items()}
    return json.dumps(said, indent=1) + "\n"
