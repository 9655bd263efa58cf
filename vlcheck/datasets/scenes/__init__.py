"""Drawn scenes, whose truth is known."""
