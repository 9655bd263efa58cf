"""Families in the layout of their original code."""
