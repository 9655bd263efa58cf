"""The audit of a caption corpus: the biases that it can teach, and those that it teaches wrongly."""
