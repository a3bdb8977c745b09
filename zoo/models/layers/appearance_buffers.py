"""The appearance of the classes as a part of a network, so that it is stored with the weights."""

import numpy as np
import torch
from torch import Tensor, nn

from zoo.models.appearance import FEATURES, Appearance


class AppearanceBuffers(nn.Module):
    """Buffers for what an `Appearance` of as many ``classes`` has; all are 0 until one is put in."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.between_root: Tensor
        self.within_root: Tensor
        self.register_buffer("mean", torch.zeros(classes + 1, FEATURES))
        for name in ("between_root", "within_root"):
            self.register_buffer(name, torch.zeros(classes + 1, FEATURES, FEATURES))

    def put(self, appearance: Appearance) -> None:
        """Keep an appearance of these classes."""
        for name, buffer in self.named_buffers():
            buffer.copy_(torch.from_numpy(getattr(appearance, name)))

    def get(self) -> Appearance:
        """What is kept, as exact as it is stored."""
        arrays = {name: buffer.cpu().numpy().astype(np.float64) for name, buffer in self.named_buffers()}
        return Appearance(**arrays)
