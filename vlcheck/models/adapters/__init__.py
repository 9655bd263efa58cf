"""Adapters: what models that are asked in the same way share."""
