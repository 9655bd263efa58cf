"""Results of runs: the results file, conclusions, comparisons, and the gate of a release."""
