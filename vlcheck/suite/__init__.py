"""The shipped suite and its copies."""
