"""Adapters: the code that models asked in the same way share."""
