"""Statistics: bounds, tests and verdicts."""
