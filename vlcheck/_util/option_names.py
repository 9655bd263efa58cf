"""The command line's names of what the Python API calls parameters."""

from __future__ import annotations


def option_of(parameter: str) -> str:
    """Return the option of a parameter, e.g. "--vl-trust-remote-code" of "trust_remote_code"."""
    return f"--vl-{parameter.replace('_', '-')}"
