"""Checkpoints of types whose caches hold more than keys and values, by the name of their configuration (model_type)."""

from __future__ import annotations

from tests.models.generative.pieces import Builder

BUILDERS: dict[str, Builder] = {}
