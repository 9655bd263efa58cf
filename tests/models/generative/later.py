"""Checkpoints of the types from i to z, by the name of their configuration (model_type)."""

from __future__ import annotations

from tests.models.generative.pieces import Builder

BUILDERS: dict[str, Builder] = {}
