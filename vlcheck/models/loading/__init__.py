"""Loading: from the spec of a model to the model."""
