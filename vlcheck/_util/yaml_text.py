"""Values written as YAML: foreign text that stays text, and numbers that every reader takes for numbers."""

from __future__ import annotations

from collections.abc import Mapping

from vlcheck._util.numbers import rounded


def yaml_text(text: object) -> str:
    """Return foreign text as a double-quoted scalar of YAML, with unpaired surrogates replaced."""
    whole = str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return '"' + "".join(map(_escaped, whole)) + '"'


def yaml_number(value: float) -> str:
    """Return a number as YAML 1.1 reads a float: with a point, also before an exponent."""
    said = repr(rounded(value))
    return said if "." in said or "e" not in said else said.replace("e", ".0e")


def yaml_object(fields: Mapping[str, object]) -> str:
    """Return an object in one line; a field that is None is left out."""
    said = (
        f"{name}: {yaml_number(value) if isinstance(value, float) else yaml_text(value)}"
        for name, value in fields.items()
        if value is not None
    )
    return f"{{{', '.join(said)}}}"


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08X}"
