"""Models with a collapsed modality, for certain: the embedded model with its eyes or its ears shut."""

from dataclasses import replace

import torch

import vlcheck


class Blindfolded:
    """A network that sees the empty picture, whatever is shown."""

    def __init__(self, network):
        self.network = network

    def __getattr__(self, name):
        return getattr(self.network, name)

    def image_states(self, inputs):
        return self.network.image_states(replace(inputs, pixels=torch.zeros_like(inputs.pixels)))


class Deaf(Blindfolded):
    """A network that reads the same text, whatever is said."""

    def text_states(self, inputs):
        return self.network.text_states(replace(inputs, ids=inputs.ids.clone().fill_(self.absent_token)))

    def image_states(self, inputs):
        return self.network.image_states(inputs)


class Collapsed:
    """The embedded model with one of its modalities shut when it is explained."""

    def __init__(self, kind):
        self.model, self.kind = vlcheck.load_model("tiny"), kind

    def __getattr__(self, name):
        return getattr(self.model, name)

    def differentiable(self):
        return self.kind(self.model.differentiable())
