"""Lexicons: the words that make an object, a color or a side."""
