"""The policy: what a model is held to."""
