"""Parity: two models that should be the same answer the same questions, and their sameness is shown or refuted."""
