"""Studies: many runs of a suite, to choose a policy or to measure power."""
