"""Families of models that transformers implements."""
