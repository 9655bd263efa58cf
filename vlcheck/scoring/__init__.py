"""Scoring: plans of queries, the scorer that asks a model, and the store that keeps its answers."""
