"""Loads ALBEF, the model of the study. `network` has its network, `config` its sizes."""

from __future__ import annotations

from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.extents import filled_from
from vlcheck.models.loading.layout import named_path, naming
from vlcheck.models.loading.misfits import check_names
from vlcheck.models.original.albef.config import AlbefConfig, infer_config, stated_sizes
from vlcheck.models.original.albef.network import AlbefNetwork, scoring_weights
from vlcheck.models.original.fusion.adapter import Fusing
from vlcheck.models.original.fusion.captions import pre_caption

__all__ = ["Albef", "AlbefConfig", "AlbefNetwork", "load", "pre_caption"]


class Albef(Fusing):
    """The adapter of ALBEF."""

    family = "ALBEF"
    known = ("ALBEF_4M.pth", "ALBEF.pth")
    network: AlbefNetwork


def load(path: str, *, device: str = "cpu", dtype: str = "float32") -> Albef:
    """Load a checkpoint of the original code, with `vocab.txt` beside it or bert-base-uncased's from the hub.

    Args:
        path: a file `.pth`, `.pt`, `.th` (read without running code) or `.safetensors`, of pre-training or fine-tuned
            for retrieval.
        device: a torch device.
        dtype: a torch dtype.

    Raises:
        UsageError: the file is not an ALBEF checkpoint that can be read in full, or there is no vocabulary.
    """
    file = named_path(path, "albef needs a checkpoint: albef:PATH, e.g. albef:ALBEF_4M.pth.")
    checkpoint = read_checkpoint(file)
    with naming(file), filled_from(file):
        check_names(checkpoint.weights, "visual_encoder.cls_token")
        shapes = {name: tuple(weight.shape) for name, weight in scoring_weights(checkpoint.weights).items()}
        network = AlbefNetwork(infer_config(shapes, stated_sizes(file.parent, checkpoint.config)))
        network.load_albef_state_dict(checkpoint.weights)
    return Albef.from_folder(file.parent, network, name=f"albef:{file.name}", device=device, dtype=dtype)
