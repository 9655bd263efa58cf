"""Readers of caption corpora, one module a layout: each yields captions in chunks, and counts what it left out."""
