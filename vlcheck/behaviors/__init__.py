"""Behaviors: what a test function states, and how it is scheduled."""
