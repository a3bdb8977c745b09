"""Training pairs, simulated for every epoch: no two epochs have the same drawings.

Clicks and strokes are shown as in refining (`zoo.models.seeds`): as circles and capsules of one of several radii.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from zlib import crc32

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from coarsekit.geometry import extent, moved
from coarsekit.simulation.negatives import sample_negative
from coarsekit.simulation.simulate import draw_marks
from coarsekit.simulation.styles import Style
from coarsekit.types import Ellipse, Image, Line, Mask, Point, Shape, Window
from coarsekit.windows import REFERENCE_WIDTH, cut_image, cut_mask, cut_shapes, windows_around
from zoo.models.config import Config
from zoo.models.seeds import RADII, grown, seed_windows
from zoo.models.signature import photograph_signature
from zoo.training.data.augmentation import MARGIN
from zoo.training.data.camera_augmentation import cut_by_another_camera
from zoo.training.data.pair_transform import Item, PairTransform
from zoo.training.data.photograph_store import CachedPhotograph
from zoo.training.data.sampling import choose
from zoo.training.data.synthetic_lesions import paint_lesion

WINDOWS_LOOKED_AT = 16
"""Windows of a photograph and class whose signature is pooled: fewer than in refining, and in every epoch others."""
NO_CLASS = ""
"""The class of a synthetic lesion: none that any network knows."""


@dataclass(frozen=True, slots=True)
class _Draw:
    photograph: CachedPhotograph
    lesion: str
    shapes: tuple[Shape, ...]
    shape: Shape
    window: Window


class SimulatedPairs(Dataset[Item]):
    """Patches around simulated marks, each made a pair by ``transform``.

    For every epoch each photograph gets one annotator, style and reduction factor at random. Everything random follows
    from (seed, epoch, place in the epoch), so an epoch can be repeated by any process.

    Photographs without lesions have no pairs of their own, and take marks that are moved away from others.

    ``samples``, ``balance``, ``negatives``, ``synthetic``: see `zoo.training.recipe.Recipe`.
    """

    def __init__(
        self,
        photographs: Sequence[CachedPhotograph],
        styles: Sequence[Style],
        reductions: Sequence[float],
        config: Config,
        transform: PairTransform,
        samples: int | None = None,
        balance: float = 0.0,
        negatives: float = 0.0,
        synthetic: float = 0.0,
    ) -> None:
        self._photographs, self._styles, self._reductions = photographs, styles, reductions
        self._config, self._transform = config, transform
        self._samples, self._balance, self._negatives = samples, balance, negatives
        self._synthetic = synthetic
        self._healthy = [photograph for photograph in photographs if not photograph.shown]
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw all photographs again and choose the epoch's pairs."""
        self._epoch = epoch
        draws = [draw for photograph in self._photographs for draw in self._draw(photograph)]
        self._windows: dict[tuple[str, str], list[Window]] = {}
        for draw in draws:
            self._windows.setdefault((draw.photograph.key, draw.lesion), []).append(draw.window)
        self._signatures: dict[tuple[str, str], Tensor] = {}
        rng = np.random.default_rng([self._transform.seed, epoch])
        chosen = choose([draw.lesion for draw in draws], self._samples, self._balance, rng)
        self._draws = [draws[index] for index in chosen]

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, index: int) -> Item:
        draw = self._draws[index]
        rng = self._transform.generator(self._epoch, index)
        signature = self._signature(draw) if self._transform.uses_signature else None
        synthetic = self._synthetic > 0 and rng.random() < self._synthetic
        if synthetic or rng.random() < self._negatives:
            draw = self._moved_away(draw, rng)
        image, inner = draw.photograph.image, draw.window
        grow = ceil(inner.side * (MARGIN - 1) / 2)
        window = Window(inner.x - grow, inner.y - grow, inner.side + 2 * grow)
        size = round(self._config.size * window.side / inner.side)
        if synthetic:
            return self._painted(draw, window, size, rng, index)
        masks = cut_shapes(draw.shapes, window, size), cut_mask(_fine(draw), window, size)
        return self._transform(
            lambda: cut_image(image, window, size),
            lambda rng: cut_by_another_camera(image, window, size, rng),
            masks,
            draw.lesion,
            rng,
            self._epoch,
            index,
            signature=signature,
        )

    def _painted(self, draw: _Draw, window: Window, size: int, rng: np.random.Generator, index: int) -> Item:
        """The window with a synthetic lesion in the draw's mark, and with no other mark."""
        one, scale = _ellipse_in(draw.shape), size / window.side
        place = (one.cx - window.x) * scale, (one.cy - window.y) * scale
        ellipse = Ellipse(*place, one.rx * scale, one.ry * scale, one.angle)
        coarse = cut_shapes([draw.shape], window, size)
        retina = cut_image(draw.photograph.image, window, size)
        width = draw.photograph.image.shape[1]
        image, fine = paint_lesion(retina, ellipse, rng, scale * width / REFERENCE_WIDTH)

        def cut(_: object = None) -> Image:
            return image

        return self._transform(cut, cut, (coarse, fine), NO_CLASS, rng, self._epoch, index)

    def _signature(self, draw: _Draw) -> Tensor:
        """The signature of what was drawn on the photograph for the class in this epoch."""
        key = draw.photograph.key, draw.lesion
        if key not in self._signatures:
            image, windows = draw.photograph.image, self._windows[key]
            self._signatures[key] = torch.from_numpy(
                photograph_signature(image, draw.shapes, windows, WINDOWS_LOOKED_AT)
            )
        return self._signatures[key]

    def _draw(self, photograph: CachedPhotograph) -> list[_Draw]:
        rng = np.random.default_rng([self._transform.seed, self._epoch, crc32(photograph.key.encode())])
        style = self._styles[int(rng.integers(len(self._styles)))]
        reduction = self._reductions[int(rng.integers(len(self._reductions)))]
        drawn = draw_marks(photograph.outlines[style.name, reduction], photograph.fine, style, rng)
        draws = []
        for lesion, shapes in drawn.items():
            shown = _as_refined(shapes, photograph.image.shape[1], rng)
            for shape in shown:
                windows = self._windows_around(shape, photograph.image)
                draws += [_Draw(photograph, lesion, shown, shape, window) for window in windows]
        return draws

    def _windows_around(self, shape: Shape, image: Image) -> tuple[Window, ...]:
        size = (image.shape[0], image.shape[1])
        if isinstance(shape, (Point, Line)):
            return seed_windows(shape, size, self._config, size[1] / REFERENCE_WIDTH)
        return windows_around(shape, size, self._config.context, self._config.max_window)

    def _moved_away(self, draw: _Draw, rng: np.random.Generator) -> _Draw:
        """The draw with its mark and window moved to retina without the class; as it was where none is found.

        It goes to photographs without lesions as often as they are among all.
        """
        near = draw
        if self._healthy and rng.random() < len(self._healthy) / len(self._photographs):
            near = _onto(draw, self._healthy[int(rng.integers(len(self._healthy)))])
        there = sample_negative(near.shape, near.photograph.image, _fine(near), rng)
        if there is None:
            return draw
        (x0, y0), (x1, y1) = _middle(near.shape), _middle(there)
        across, down = round(x1 - x0), round(y1 - y0)
        window = Window(near.window.x + across, near.window.y + down, near.window.side)
        return replace(near, shapes=(*near.shapes, there), shape=there, window=window)


def _onto(draw: _Draw, photograph: CachedPhotograph) -> _Draw:
    """The mark and window of the draw, alone on a photograph without lesions, scaled by the width of both."""
    scale = photograph.image.shape[1] / draw.photograph.image.shape[1]
    window = draw.window
    return replace(
        draw,
        photograph=photograph,
        shapes=(),
        shape=moved(draw.shape, 0, 0, scale),
        window=Window(round(window.x * scale), round(window.y * scale), max(1, round(window.side * scale))),
    )


def _fine(draw: _Draw) -> Mask:
    """The fine mask of the draw's class, (h, w); empty on a photograph without lesions."""
    photograph = draw.photograph
    there = photograph.fine.get(draw.lesion)
    return np.broadcast_to(np.False_, photograph.image.shape[:2]) if there is None else there


def _as_refined(shapes: tuple[Shape, ...], width: int, rng: np.random.Generator) -> tuple[Shape, ...]:
    """The marks of a class with clicks and strokes as a network is shown them: all with one radius, at random."""
    if not any(isinstance(shape, (Point, Line)) for shape in shapes):
        return shapes
    radius, scale = float(rng.choice(RADII)), width / REFERENCE_WIDTH
    return tuple(grown(shape, radius, scale) if isinstance(shape, (Point, Line)) else shape for shape in shapes)


def _middle(shape: Shape) -> tuple[float, float]:
    x0, y0, x1, y1 = extent(shape)
    return (x0 + x1) / 2, (y0 + y1) / 2


def _ellipse_in(shape: Shape) -> Ellipse:
    """An ellipse as it is, and of another shape the one in its bounding box."""
    if isinstance(shape, Ellipse):
        return shape
    x0, y0, x1, y1 = extent(shape)
    return Ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2)
