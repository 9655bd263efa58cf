"""Results: the file, what it comes to, and comparisons."""
