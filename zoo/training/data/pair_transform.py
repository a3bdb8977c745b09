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
from zoo.training.data.augmentation import Augmentation
from zoo.training.data.camera_augmentation import scramble_colors
from zoo.training.recipe import Recipe

Item = tuple[Tensor, Tensor, Tensor, int]
"""Image (3, size, size) in 0–1, coarse and fine mask (1, size, size), all float32, and the place of the class."""


@final
@dataclass(frozen=True, slots=True)
class PairTransform:
    """How a patch becomes a pair of a network's ``size``. All of it follows from seed, epoch and place in the epoch.

    ``known_lesions``: the network's classes; a class gets its place among them, any other and a hidden one −1. For the
    shares see `zoo.training.recipe.Recipe`.
    """

    size: int
    seed: int
    known_lesions: tuple[str, ...] = ()
    camera_augmentation: float = 0.0
    class_dropout: float = 0.0
    color_scramble: float = 0.0

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
    ) -> Item:
        """The pair of a lesion from one of two ways to cut its image, and its coarse and fine mask (s, s).

        ``margin``: px by which image and masks are continued, mirrored at their edge, for what augmentation brings in.
        """
        image = cut_by_another_camera(rng) if rng.random() < self.camera_augmentation else cut()
        known = lesion in self.known_lesions and rng.random() >= self.class_dropout
        if not known and rng.random() < self.color_scramble:
            image = scramble_colors(image, rng)
        layers = np.dstack([image, *(mask.astype(np.uint8) for mask in masks)])
        if margin:
            layers = np.pad(layers, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
        tensor = torch.from_numpy(layers).permute(2, 0, 1)
        seed = crc32(f"{self.seed} {epoch} {index}".encode())
        patch, both = Augmentation(self.size)(tensor[:3], tensor[3:], seed)
        kind = self.known_lesions.index(lesion) if known else -1
        return patch.float() / 255, both[:1].float(), both[1:].float(), kind


def pair_transform(recipe: Recipe, network: Network) -> PairTransform:
    """The transform of a recipe for a network."""
    shares = (recipe.camera_augmentation, recipe.class_dropout, recipe.color_scramble)
    return PairTransform(network.config.size, recipe.seed, network.lesions, *shares)
