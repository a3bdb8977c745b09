"""Training pairs, simulated anew for every epoch: no two epochs see the same hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from zlib import crc32

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from coarsekit.patches import cut_image, cut_mask, cut_shapes, windows_around
from coarsekit.simulate import draw_by_hand
from coarsekit.styles import Style
from coarsekit.types import Ellipse, Window
from zoo.augmentation import MARGIN, Augmentation
from zoo.config import Config
from zoo.store import Stored


@dataclass(frozen=True, slots=True)
class _Draw:
    photograph: Stored
    lesion: str
    ellipses: tuple[Ellipse, ...]
    window: Window


class SimulatedPairs(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Patches around simulated ellipses: image (3, size, size) in 0–1, coarse and fine (1, size, size), all float32.

    For every epoch each photograph gets one annotator, style and reduction factor at random. Everything random follows
    from (seed, epoch, place in the epoch), so an epoch can be repeated by any process.

    ``balance``: from 0, lesion classes as often as they occur, to 1, all equally often. ``samples``: pairs per epoch.
    """

    def __init__(
        self,
        photographs: Sequence[Stored],
        styles: Sequence[Style],
        reductions: Sequence[float],
        config: Config,
        seed: int,
        samples: int | None = None,
        balance: float = 0.0,
    ) -> None:
        self._photographs, self._styles, self._reductions = photographs, styles, reductions
        self._config, self._seed = config, seed
        self._samples, self._balance = samples, balance
        self._augment = Augmentation(config.size)
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw all photographs anew and choose the epoch's pairs."""
        self._epoch = epoch
        draws = [draw for photograph in self._photographs for draw in self._draw(photograph)]
        _, inverse, counts = np.unique([draw.lesion for draw in draws], return_inverse=True, return_counts=True)
        rng = np.random.default_rng([self._seed, epoch])
        samples = self._samples or len(draws)
        if self._balance == 0 and samples <= len(draws):
            chosen = rng.permutation(len(draws))[:samples]
        else:
            weights = counts[inverse] ** -float(self._balance)
            chosen = rng.choice(len(draws), samples, p=weights / weights.sum())
        self._draws = [draws[index] for index in chosen]

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        draw = self._draws[index]
        image = draw.photograph.image
        inner = draw.window
        grow = ceil(inner.side * (MARGIN - 1) / 2)
        window = Window(inner.x - grow, inner.y - grow, inner.side + 2 * grow)
        size = round(self._config.size * window.side / inner.side)
        coarse = cut_shapes(draw.ellipses, window, size)
        fine = cut_mask(draw.photograph.fine[draw.lesion], window, size)
        patch = torch.from_numpy(cut_image(image, window, size)).permute(2, 0, 1)
        masks = torch.from_numpy(np.stack([coarse, fine]).astype(np.uint8))
        patch, masks = self._augment(patch, masks, seed=crc32(f"{self._seed} {self._epoch} {index}".encode()))
        return patch.float() / 255, masks[:1].float(), masks[1:].float()

    def _draw(self, photograph: Stored) -> list[_Draw]:
        rng = np.random.default_rng([self._seed, self._epoch, crc32(photograph.key.encode())])
        style = self._styles[int(rng.integers(len(self._styles)))]
        reduction = self._reductions[int(rng.integers(len(self._reductions)))]
        shape = photograph.image.shape[:2]
        drawn = draw_by_hand(photograph.outlines[style.name, reduction], style, rng, shape)
        return [
            _Draw(photograph, lesion, ellipses, window)
            for lesion, ellipses in drawn.items()
            for ellipse in ellipses
            for window in windows_around(ellipse, shape, self._config.context, self._config.most)
        ]
