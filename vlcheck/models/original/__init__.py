"""Families of models in the checkpoint format of their original code."""
