"""The families `open_clip` and `clip`, as specs name them. open_clip itself is imported when a model is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING

from vlcheck.errors import UsageError

if TYPE_CHECKING:
    from vlcheck.models.open_clip.adapter import OpenClip

EXTRA = "open_clip"


class OpenClipFamily:
    """A loader of models in open_clip's layout."""

    kinds = MappingProxyType({"itm": "contrastive", "mlm": "candidates"})  # sigmoid with a bias; mlm of CoCa alone
    known = ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "timm/PE-Core-B-16", "timm/ViT-B-16-SigLIP2")

    def __call__(
        self,
        path: str,
        *,
        tag: str = "",
        mean: str = "",
        std: str = "",
        interpolation: str = "",
        resize_mode: str = "",
        device: str = "cpu",
        dtype: str = "float32",
    ) -> OpenClip:
        """Load a model.

        Args:
            path: a folder or a hub id with open_clip_config.json; or ARCH/FILE, a name of open_clip's architectures
                and a file with weights for it.
            tag: for ARCH/FILE, the name under which open_clip publishes these weights; it decides their preprocessing.
            mean: replaces the mean of pixels, a number or three with slashes between them, e.g. "0.5/0.5/0.5".
            std: replaces the standard deviation of pixels, likewise.
            interpolation: replaces the interpolation, "bicubic" or "bilinear".
            resize_mode: replaces the way to the square, "shortest", "longest" or "squash".
            device: a torch device.
            dtype: a torch dtype.

        Raises:
            UsageError: open_clip is not installed, or there is no such model, or its parts do not fit one another.
        """
        _demand_package("open_clip")
        from vlcheck.models.open_clip import adapter, published  # import open_clip

        own = {"mean": mean, "std": std, "interpolation": interpolation, "resize_mode": resize_mode}
        return adapter.adapter_of(published.find_published(path, tag).with_pixels(own), device=device, dtype=dtype)


class OpenAiFamily:
    """A loader of the files that OpenAI published CLIP in."""

    kinds: Mapping[str, str] = MappingProxyType({"itm": "contrastive"})
    known = ("ViT-B-32.pt", "RN50.pt")

    def __call__(self, path: str, *, device: str = "cpu", dtype: str = "float32") -> OpenClip:
        """Load a model.

        Args:
            path: OpenAI's file, a TorchScript archive, or its state dict in a file of PyTorch or safetensors.
            device: a torch device.
            dtype: a torch dtype.

        Raises:
            UsageError: open_clip is not installed, or the file is not one of OpenAI's CLIP.
        """
        _demand_package("clip")
        from vlcheck.models.open_clip import adapter, published  # import open_clip

        return adapter.adapter_of(published.openai_file(path), device=device, dtype=dtype)


def _demand_package(family: str) -> None:
    """Raise UsageError if open_clip is not installed."""
    if find_spec("open_clip") is None:
        raise UsageError(
            f"{family}: needs the package open_clip_torch, of the extra {EXTRA}: python -m pip install"
            f' "vlcheck[{EXTRA}]".'
        )


open_clip = OpenClipFamily()
clip = OpenAiFamily()
