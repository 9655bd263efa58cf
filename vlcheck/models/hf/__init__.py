"""Families that transformers hosts."""
