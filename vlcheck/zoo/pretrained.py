"""The weights that ship with the package; each file is checked against its checksum before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vlcheck.errors import UsageError
from vlcheck.metrics.registry import DEFAULT_KINDS
from vlcheck.models.original.albef.adapter import Albef
from vlcheck.models.original.albef.adapter import load as load_albef
from vlcheck.zoo.workspace import CHECKSUMS, SHARED, digest_of, read_sums

WEIGHTS = Path(__file__).parent / "weights"
_CURE = "Install vlcheck again; in a checkout, have git restore the file."


class Variant:
    """A loader of a variant by its name, registered under the entry-point group `vlcheck.models`.

    Args:
        name: one of `vlcheck.zoo.PLANTED`.
    """

    kinds = DEFAULT_KINDS

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, argument: str = "", *, device: str = "cpu", dtype: str = "float32") -> Albef:
        """Load the variant.

        Args:
            argument: the text after the name in a spec; only "" is accepted.
            device: a torch device.
            dtype: a torch dtype.

        Raises:
            UsageError: the weights are missing or damaged, or `argument` is not empty.
        """
        if argument:
            raise UsageError(f"{self.name} takes nothing after its name; weights of your own are albef:PATH.")
        model = load_albef(str(weights_of(self.name)), device=device, dtype=dtype)
        model.name = self.name
        return model


tiny = Variant("tiny")
tiny_color = Variant("tiny-color")
tiny_mirror = Variant("tiny-mirror")
tiny_right = Variant("tiny-right")
tiny_blind = Variant("tiny-blind")
tiny_bag = Variant("tiny-bag")
tiny_center = Variant("tiny-center")


def weights_of(name: str) -> Path:
    """Return the path of a variant's weights. Raises UsageError if one of its files is missing or damaged."""
    path = WEIGHTS / f"{name}.safetensors"
    sums = _sums()
    for file in SHARED:  # new weights alone would not mend these
        _check(file, sums, _CURE)
    _check(path.name, sums, f"{_CURE} Or make them again with `vlcheck train {name} --to {WEIGHTS}`.")
    return path


def _sums() -> Mapping[str, str]:
    try:
        return read_sums(WEIGHTS)
    except OSError as error:
        raise _unreadable(error, _CURE) from error
    except UsageError as error:
        raise UsageError(f"{error} {_CURE}") from error


def _check(file: str, sums: Mapping[str, str], cure: str) -> None:
    try:
        digest = digest_of(WEIGHTS / file)
    except OSError as error:
        raise _unreadable(error, cure) from error
    if digest != sums.get(file):
        raise UsageError(f"{WEIGHTS / file}: the weights are damaged: SHA-256 is not that of {CHECKSUMS}. {cure}")


def _unreadable(error: OSError, cure: str) -> UsageError:
    return UsageError(f"{error.filename}: the weights cannot be read ({error.strerror}). {cure}")
