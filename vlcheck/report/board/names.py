"""Names that a user gives to models and data which have several specs, e.g. a file for each release."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from vlcheck.errors import UsageError, argument

_MOST_NAMED = 5  # specs that a message names
_ACCEPTED = "NAME=PATTERN is accepted, e.g. ours=albef:/models/*.pth"


@dataclass(frozen=True)
class SharedName:
    """A name for all specs that fit a pattern.

    Attributes:
        name: the name.
        pattern: the pattern, as a shell has it: * for any characters, ? for one.
    """

    name: str
    pattern: str

    @classmethod
    def read(cls, text: str, parameter: str) -> SharedName:
        """Read a name with its pattern from what a user gave.

        Args:
            text: NAME=PATTERN.
            parameter: the parameter that gives it, for the message.

        Raises:
            UsageError: there are not both.
        """
        name, _, pattern = (part.strip() for part in text.partition("="))
        if not (name and pattern):
            raise UsageError(f"{argument(parameter, text)}: {_ACCEPTED}.")
        return cls(name, pattern)


@dataclass(frozen=True)
class BoardNames:
    """The names for the specs of models and of data; the first one that fits counts.

    Attributes:
        models: names for models, each of which is a row.
        data: names for data that are the same in several places.
    """

    models: tuple[SharedName, ...] = ()
    data: tuple[SharedName, ...] = ()

    @classmethod
    def read(cls, models: Sequence[str], data: Sequence[str]) -> BoardNames:
        """Read names from what a user gave.

        Args:
            models: NAME=PATTERN for specs of models.
            data: NAME=PATTERN for specs of data.

        Raises:
            UsageError: one of them has another form.
        """
        return cls(
            tuple(SharedName.read(text, "same_model") for text in models),
            tuple(SharedName.read(text, "same_data") for text in data),
        )

    def demand_fits(self, models: Collection[str], data: Collection[str]) -> None:
        """Check that each pattern fits a spec.

        Args:
            models: the specs of the models.
            data: the specs of the data.

        Raises:
            UsageError: one fits none.
        """
        for parameter, names, specs in (("same_model", self.models, models), ("same_data", self.data, data)):
            for one in names:
                if not any(fnmatchcase(spec, one.pattern) for spec in specs):
                    there = ", ".join(sorted({*specs})[:_MOST_NAMED])
                    raise UsageError(
                        f"{argument(parameter, f'{one.name}={one.pattern}')}: fits no spec; there are e.g. {there}."
                    )


NO_NAMES = BoardNames()


def shared_name(spec: str, names: Sequence[SharedName]) -> str:
    """Return the name of a spec; "" if it fits none.

    Args:
        spec: the spec.
        names: the names.
    """
    return next((one.name for one in names if fnmatchcase(spec, one.pattern)), "")
