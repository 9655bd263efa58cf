"""Reporters: what a run shows, and where."""
