"""The file of a score store: its tables, its statistics, and how it is pruned, exported and merged."""
