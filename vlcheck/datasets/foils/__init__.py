"""Readers of published foil suites: true captions of pictures, and whole sentences that are false of them."""
