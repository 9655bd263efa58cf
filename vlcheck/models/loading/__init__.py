"""Load a model by its spec."""
