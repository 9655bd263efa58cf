"""Loading: from a spec to a model."""
