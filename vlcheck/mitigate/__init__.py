"""Mitigations: cures of a bias, at test time and in training."""
