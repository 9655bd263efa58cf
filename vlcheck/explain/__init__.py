"""Explanations of a model's scores on single images."""
