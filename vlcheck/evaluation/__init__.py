"""Evaluation: the session that asks a model and turns its scores into verdicts."""
