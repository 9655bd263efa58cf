"""The cost of the store of scores, as the documentation has it."""

from __future__ import annotations

import json


def store_cost(measured: str) -> str:
    """Return what an answer costs in the store, as a sentence."""
    figures = json.loads(measured)
    put, get, size = (round(figures[name]) for name in ("put_us", "get_us", "bytes"))
    was = figures["before"]
    return (
        f"To keep an answer takes {put} microseconds of the processor and {size} bytes, to read it {get} microseconds;"
        f" {figures['answers']:,} answers without pictures. A store of schema 1, which did not have the questions, took"
        f" {round(was['put_us'])} microseconds, {round(was['bytes'])} bytes and {round(was['get_us'])} microseconds."
        " (`python -m benchmarks.store`)\n"
    )
