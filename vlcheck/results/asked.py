"""The data of a run, in words that may be published: no path of the machine is in them."""

from __future__ import annotations

import re
from pathlib import PurePath

from vlcheck._util.numbers import counted
from vlcheck.results.records import RunRecord

_OF_THE_HUB = re.compile(r"hf:([\w.-]+/[\w.-]+)")


def scheme_of(run: RunRecord) -> str:
    """Return the kind of the data, e.g. "coco"."""
    return str(run.data).partition(":")[0]


def dataset_of(run: RunRecord) -> str:
    """Return the data's name without its path, since what is published names no path."""
    place = re.sub(r"(^|:)\d+(:\d+)?$", "", str(run.data).partition(":")[2])
    return PurePath(place).name or scheme_of(run)


def hub_dataset_of(run: RunRecord) -> str:
    """Return the id on the hub of the data set that a run asked about, e.g. "ORG/NAME"; "" for other data."""
    found = _OF_THE_HUB.match(str(run.data))
    return found[1] if found else ""


def amount_of(run: RunRecord) -> str:
    """Return how many images were asked about, if the run says so."""
    images, seed = run.images, run.seed
    amount = f"{counted(images, 'image')} a test at most" if isinstance(images, int) else ""
    return ", ".join(filter(None, [amount, "" if seed is None else f"seed {seed}"]))
