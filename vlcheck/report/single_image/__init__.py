"""The figure of one photograph."""
