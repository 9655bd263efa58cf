"""Sentences about the colors, shapes, sizes and materials of things, with a gap that needs no picture to be filled."""
