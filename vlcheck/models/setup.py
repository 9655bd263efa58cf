"""The setup of a model: what a checkpoint says of its pictures, texts and weights, as it is used."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Setup", "setup_of"]


@dataclass(frozen=True)
class Setup:
    """What is done to pictures, texts and weights before and while a model answers, one short text each.

    An attribute is "" where it does not apply or is not known. Reports print the others in this order.

    Attributes:
        pictures: size, crop, interpolation, mean and standard deviation, e.g. "224x224, bicubic, mean 0.5, std 0.5".
        texts: the tokenizer and its limit, or the chat template's hash and the wording of the question.
        precision: the type of the weights, e.g. "float32".
        attention: the implementation of the attention, e.g. "sdpa".
        adapter: the adapter of the weights and its base.
        quantization: the method and its bits.
        server: the server's URL, model and version.

    Example:
        >>> Setup(pictures="224x224, bicubic", precision="float32").line()
        'pictures 224x224, bicubic; precision float32'
    """

    pictures: str = ""
    texts: str = ""
    precision: str = ""
    attention: str = ""
    adapter: str = ""
    quantization: str = ""
    server: str = ""

    def said(self) -> dict[str, str]:
        """Return the attributes that are not empty, by their names."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value}

    def line(self) -> str:
        """Return the attributes that are not empty as one line; "" if all are empty."""
        return "; ".join(f"{name} {value}" for name, value in self.said().items())


def setup_of(model: object) -> Setup:
    """Return a model's setup: that of its optional method `setup`, an empty one else."""
    setup = getattr(model, "setup", None)
    return setup() if callable(setup) else Setup()
