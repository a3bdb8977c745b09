"""What training does to every pair, simulated or exported: another camera, hidden classes, scrambled colours, turns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from coarsekit.types import Image, Mask
from zoo.models.base import Network
from zoo.models.layers.matched_filter import deviations
from zoo.training.data.augmentation import Augmentation
from zoo.training.data.camera_augmentation import scramble_colors
from zoo.training.recipe import Recipe

Item = tuple[Tensor, Tensor, Tensor, int, Tensor]
"""Image (3, size, size) in 0–1, coarse and fine mask (1, size, size), all float32, the place of the class, and the
signature (3,) of the marks."""
SIGNATURE_NOISE = 0.25
"""Standard deviation of the noise in a signature, of its length: a photograph's marks never show it exactly."""


@final
@dataclass(frozen=True, slots=True)
class PairTransform:
    """How a patch becomes a pair of a network's ``size``. All of it follows from seed, epoch and place in the epoch.

    ``known_lesions``: the network's classes; a class gets its place among them, any other and a hidden one −1. For the
    shares see `zoo.training.recipe.Recipe`. ``uses_signature``: whether the network does; otherwise it is 0.
    """

    size: int
    seed: int
    known_lesions: tuple[str, ...] = ()
    camera_augmentation: float = 0.0
    class_dropout: float = 0.0
    color_scramble: float = 0.0
    uses_signature: bool = False

    def generator(self, epoch: int, index: int) -> np.random.Generator:
        """The random numbers of one pair, for what is drawn before the transform too."""
        return np.random.default_rng([self.seed, epoch, index])

    def __call__(
        self,
        cut: Callable[[], Image],
        cut_by_another_camera: Callable[[np.random.Generator], Image],
        masks: tuple[Mask, Mask],
        lesion: str,
        rng: np.random.Generator,
        epoch: int,
        index: int,
        margin: int = 0,
        signature: Tensor | None = None,
    ) -> Item:
        """The pair of a lesion from one of two ways to cut its image, and its coarse and fine mask (s, s).

        ``margin``: px by which image and masks are continued, mirrored at their edge, for what augmentation brings in.
        ``signature``: (3,), that of the marks of the photograph; None for the patch's own, by its fine mask.
        """
        image = cut_by_another_camera(rng) if rng.random() < self.camera_augmentation else cut()
        known = lesion in self.known_lesions and rng.random() >= self.class_dropout
        if not known and rng.random() < self.color_scramble:
            image, signature = scramble_colors(image, rng), None
        layers = np.dstack([image, *(mask.astype(np.uint8) for mask in masks)])
        if margin:
            layers = np.pad(layers, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
        tensor = torch.from_numpy(layers).permute(2, 0, 1)
        seed = crc32(f"{self.seed} {epoch} {index}".encode())
        patch, both = Augmentation(self.size)(tensor[:3], tensor[3:], seed)
        kind = self.known_lesions.index(lesion) if known else -1
        pair = patch.float() / 255, both[:1].float(), both[1:].float()
        return *pair, kind, self._signature(signature, *pair, rng)

    def _signature(
        self, signature: Tensor | None, image: Tensor, coarse: Tensor, fine: Tensor, rng: np.random.Generator
    ) -> Tensor:
        if not self.uses_signature:
            return torch.zeros(3)
        if signature is None:
            looked_at = fine if fine.any() else coarse
            signature = deviations(image[None], coarse[None], looked_at[None])[0]
        noise = torch.from_numpy(rng.normal(scale=SIGNATURE_NOISE, size=3)).float()
        return signature + signature.norm() * noise


def pair_transform(recipe: Recipe, network: Network) -> PairTransform:
    """The transform of a recipe for a network."""
    shares = (recipe.camera_augmentation, recipe.class_dropout, recipe.color_scramble)
    return PairTransform(network.config.size, recipe.seed, network.lesions, *shares, network.uses_signature)
