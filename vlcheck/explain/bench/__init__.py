"""Explanations measured against known truth: drawn scenes, and models with a planted bias."""
