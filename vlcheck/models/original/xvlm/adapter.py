"""Loads X-VLM. `network` has its network, `config` its sizes."""

from __future__ import annotations

from vlcheck.models.loading.layout import find_checkpoint, named_path
from vlcheck.models.original.fusion.adapter import Fusing
from vlcheck.models.original.xvlm.network import XvlmNetwork

__all__ = ["Xvlm", "XvlmNetwork", "load"]


class Xvlm(Fusing):
    """The adapter of X-VLM for whole images. Captions are cleaned as ALBEF's are, to at most 30 words and 40 tokens."""

    family = "X-VLM"
    known = ("4m_base_model_state_step_199999.th", "16m_base_model_state_step_199999.th")
    max_tokens = 40
    network: XvlmNetwork


def load(path: str, *, device: str = "cpu", dtype: str = "float32") -> Xvlm:
    """Load a checkpoint of the original code, with `vocab.txt` beside it or bert-base-uncased's from the hub.

    Args:
        path: a folder with the files that `XvlmNetwork.from_original` reads, of pre-training or fine-tuned for
            retrieval.
        device: a torch device.
        dtype: a torch dtype.

    Raises:
        UsageError: the folder holds no X-VLM checkpoint that can be read in full, or there is no vocabulary.
    """
    folder = named_path(path, "xvlm needs the folder of a checkpoint and its configs: xvlm:FOLDER.")
    network, checkpoint = XvlmNetwork.from_original(folder), find_checkpoint(folder)
    return Xvlm.from_folder(folder, network, name=f"xvlm:{checkpoint.name}", device=device, dtype=dtype)
