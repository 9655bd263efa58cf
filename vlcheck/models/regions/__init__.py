"""Regions of a detector, which some models read in place of pixels."""
