"""Reporters: pytest's terminal, a failing test's report, pytest-html's page and GitHub's summary."""
