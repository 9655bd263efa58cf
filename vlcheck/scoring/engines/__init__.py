"""Engines: ways to run the chunks of a plan."""
