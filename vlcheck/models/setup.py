"""The setup of a model: what a checkpoint says of its pictures, texts and weights, as it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

from vlcheck._util.foreign_code import contained
from vlcheck.errors import ForeignFault, NotApplicable, UsageError

__all__ = ["SaysSetup", "Setup", "setup_of", "together"]


@dataclass(frozen=True)
class Setup:
    """The treatment of pictures, texts and weights before and while a model answers, one short text each.

    An attribute is "" where it does not apply or is not known. Reports print the others in this order.

    Attributes:
        pictures: size, crop, interpolation, mean and standard deviation, e.g. "224x224, bicubic, mean 0.5, std 0.5".
        texts: the tokenizer and its limit, or the chat template's hash and the wording of the question.
        precision: the type of the weights, e.g. "float32".
        attention: the implementation of the attention, e.g. "sdpa".
        activation: the activation function, where checkpoints of one architecture differ in it, e.g. "quick_gelu".
        compiled: the part of the network that torch.compile has compiled, e.g. "layers".
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
    activation: str = ""
    compiled: str = ""
    adapter: str = ""
    quantization: str = ""
    server: str = ""

    @property
    def is_served(self) -> bool:
        """True if all weights are a server's, which has its own device and precision."""
        return bool(self.server) and not self.precision

    def said(self) -> dict[str, str]:
        """Return the attributes that are not empty, by their names."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value}

    def line(self) -> str:
        """Return the attributes that are not empty as one line; "" if all are empty."""
        return "; ".join(f"{name} {value}" for name, value in self.said().items())


@runtime_checkable
class SaysSetup(Protocol):
    """A model that says how it prepares pictures and texts."""

    def setup(self) -> Setup:
        """Return what is done to pictures, texts and weights."""


def setup_of(model: object) -> Setup:
    """Return a model's setup: that of its optional method `setup`, an empty one else.

    The method says that it returns a Setup, `def setup(self) -> Setup`. Another one of that name has another purpose,
    and is not called.

    Raises:
        UsageError: the method fails, or returns anything else.
    """
    if not isinstance(model, SaysSetup) or not _returns_setup(model.setup):
        return Setup()
    name = getattr(model, "name", type(model).__name__)
    try:
        with contained():
            said = model.setup()
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{name}: its method setup fails. {error}") from error
    if not isinstance(said, Setup):
        raise UsageError(f"{name}: its method setup has to return a Setup, not {type(said).__name__}.")
    return said


def _returns_setup(method: object) -> bool:
    """Return True if a method is annotated as one that returns a Setup; the annotation may be text."""
    said = getattr(method, "__annotations__", {}).get("return")
    return said is Setup or (isinstance(said, str) and said.rpartition(".")[2] == Setup.__name__)


def together(setups: Mapping[str, Setup]) -> Setup:
    """Return the setup of a model that asks several ones; where they differ, each is named.

    Args:
        setups: the setups, each by the name of its model or metric.

    Example:
        >>> together({"itm": Setup(precision="float32"), "mlm": Setup(precision="bfloat16")}).precision
        'itm float32, mlm bfloat16'
    """
    merged = {}
    for field in fields(Setup):
        values = {name: getattr(setup, field.name) for name, setup in setups.items()}
        same = len({*values.values()}) == 1
        named = ", ".join(f"{name} {value}" for name, value in values.items() if value)
        merged[field.name] = next(iter(values.values())) if same else named
    return Setup(**merged)
