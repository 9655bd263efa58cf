"""Lexicons: the words for objects, colors, sides and persons."""
