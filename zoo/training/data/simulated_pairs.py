"""Training pairs, simulated anew for every epoch: no two epochs see the same hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from zlib import crc32

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from coarsekit.simulation.negatives import sample_negative
from coarsekit.simulation.simulate import draw_by_hand
from coarsekit.simulation.styles import Style
from coarsekit.types import Ellipse, Window
from coarsekit.windows import cut_image, cut_mask, cut_shapes, windows_around
from zoo.models.config import Config
from zoo.training.data.augmentation import MARGIN, Augmentation
from zoo.training.data.camera_augmentation import cut_by_another_camera, scramble_colors
from zoo.training.data.photograph_store import CachedPhotograph
from zoo.training.data.sampling import choose


@dataclass(frozen=True, slots=True)
class _Draw:
    photograph: CachedPhotograph
    lesion: str
    ellipses: tuple[Ellipse, ...]
    ellipse: Ellipse
    window: Window


class SimulatedPairs(Dataset[tuple[Tensor, Tensor, Tensor, int]]):
    """Patches around simulated ellipses: image (3, size, size) in 0–1, coarse and fine (1, size, size), lesion class.

    All are float32 but the class, which is its place in the classes ``known_lesions`` to the network, −1 for any other.
    For every epoch each photograph gets one annotator, style and reduction factor at random. Everything random follows
    from (seed, epoch, place in the epoch), so an epoch can be repeated by any process.

    ``balance``: from 0, lesion classes as often as they occur, to 1, all equally often. ``samples``: pairs per epoch.
    The shares, each 0–1, of pairs that ``camera_augmentation``: look as if another camera had taken them;
    ``negatives``: have their ellipse moved to where its class does not occur; ``class_dropout``: hide their class, so
    that unseen ones can be refined; ``color_scramble``, of those whose class is not told: are in strange colours.
    """

    def __init__(
        self,
        photographs: Sequence[CachedPhotograph],
        styles: Sequence[Style],
        reductions: Sequence[float],
        config: Config,
        seed: int,
        samples: int | None = None,
        balance: float = 0.0,
        *,
        known_lesions: Sequence[str] = (),
        camera_augmentation: float = 0.0,
        negatives: float = 0.0,
        class_dropout: float = 0.0,
        color_scramble: float = 0.0,
    ) -> None:
        self._photographs, self._styles, self._reductions = photographs, styles, reductions
        self._config, self._seed = config, seed
        self._samples, self._balance = samples, balance
        self._known_lesions, self._camera_augmentation, self._negatives, self._class_dropout = (
            tuple(known_lesions),
            camera_augmentation,
            negatives,
            class_dropout,
        )
        self._color_scramble = color_scramble
        self._augment = Augmentation(config.size)
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw all photographs anew and choose the epoch's pairs."""
        self._epoch = epoch
        draws = [draw for photograph in self._photographs for draw in self._draw(photograph)]
        rng = np.random.default_rng([self._seed, epoch])
        chosen = choose([draw.lesion for draw in draws], self._samples, self._balance, rng)
        self._draws = [draws[index] for index in chosen]

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor, int]:
        draw = self._draws[index]
        rng = np.random.default_rng([self._seed, self._epoch, index])
        if rng.random() < self._negatives:
            draw = _moved_away(draw, rng)
        image = draw.photograph.image
        inner = draw.window
        grow = ceil(inner.side * (MARGIN - 1) / 2)
        window = Window(inner.x - grow, inner.y - grow, inner.side + 2 * grow)
        size = round(self._config.size * window.side / inner.side)
        coarse = cut_shapes(draw.ellipses, window, size)
        fine = cut_mask(draw.photograph.fine[draw.lesion], window, size)
        if rng.random() < self._camera_augmentation:
            seen = cut_by_another_camera(image, window, size, rng)
        else:
            seen = cut_image(image, window, size)
        known_lesions = draw.lesion in self._known_lesions and rng.random() >= self._class_dropout
        if not known_lesions and rng.random() < self._color_scramble:
            seen = scramble_colors(seen, rng)
        patch = torch.from_numpy(seen).permute(2, 0, 1)
        masks = torch.from_numpy(np.stack([coarse, fine]).astype(np.uint8))
        patch, masks = self._augment(patch, masks, seed=crc32(f"{self._seed} {self._epoch} {index}".encode()))
        kind = self._known_lesions.index(draw.lesion) if known_lesions else -1
        return patch.float() / 255, masks[:1].float(), masks[1:].float(), kind

    def _draw(self, photograph: CachedPhotograph) -> list[_Draw]:
        rng = np.random.default_rng([self._seed, self._epoch, crc32(photograph.key.encode())])
        style = self._styles[int(rng.integers(len(self._styles)))]
        reduction = self._reductions[int(rng.integers(len(self._reductions)))]
        shape = photograph.image.shape[:2]
        drawn = draw_by_hand(photograph.outlines[style.name, reduction], style, rng, shape)
        return [
            _Draw(photograph, lesion, ellipses, ellipse, window)
            for lesion, ellipses in drawn.items()
            for ellipse in ellipses
            for window in windows_around(ellipse, shape, self._config.context, self._config.max_window)
        ]


def _moved_away(draw: _Draw, rng: np.random.Generator) -> _Draw:
    """The draw with its ellipse and window moved to retina without the class; as it was where none is found."""
    there = sample_negative(draw.ellipse, draw.photograph.image, draw.photograph.fine[draw.lesion], rng)
    if there is None:
        return draw
    across, down = round(there.cx - draw.ellipse.cx), round(there.cy - draw.ellipse.cy)
    window = Window(draw.window.x + across, draw.window.y + down, draw.window.side)
    return replace(draw, ellipses=(*draw.ellipses, there), ellipse=there, window=window)
