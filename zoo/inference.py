"""A whole photograph: windows around each shape, cut, refined in batches, stitched, thresholded."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from coarsekit.patches import blend, cut_image, cut_shapes, grown_if_large, stitch, window_around, windows_around
from coarsekit.types import Annotation, Image, Mask, Shape, Window
from zoo.closeups import close_ups, merge
from zoo.config import Config
from zoo.refiner import Advance, check_size, ignore

BATCH = 16
"""Windows per forward pass: enough to use the processor fully, few enough for a laptop's memory."""


class PatchRefiner(Protocol):
    """What is asked of a network here: probabilities (n, 1, s, s) for patches of its configuration's size."""

    config: Config

    @property
    def lesions(self) -> tuple[str, ...]:
        """See `Network.lesions`."""

    def probabilities(self, image: torch.Tensor, coarse: torch.Tensor, lesion: str = "") -> torch.Tensor:
        """See `Network.probabilities`."""


def refine_photograph(
    network: PatchRefiner, image: Image, annotation: Annotation, advance: Advance = ignore
) -> dict[str, Mask]:
    """Refine every lesion class of one photograph; see `Refiner.refine`."""
    probabilities = photograph_probabilities(network, image, annotation, advance)
    return {lesion: probability >= network.config.threshold for lesion, probability in probabilities.items()}


def photograph_probabilities(
    network: PatchRefiner, image: Image, annotation: Annotation, advance: Advance = ignore
) -> dict[str, NDArray[np.float32]]:
    """`photograph_probability` of every class of an annotation; see `Network.photograph_probabilities`."""
    check_size(image, annotation)
    probabilities = {
        lesion: photograph_probability(network, image, annotation.of(lesion), advance, lesion)
        for lesion in annotation.lesions
    }
    return contest(probabilities, network.lesions) if network.config.exclusive else probabilities


def contest(
    probabilities: Mapping[str, NDArray[np.float32]], rivals: Collection[str]
) -> dict[str, NDArray[np.float32]]:
    """The probabilities (h, w) by class, each of ``rivals`` 0 where another of them is likelier; ties are kept.

    A pixel shows one lesion, but large ellipses of several classes hold it, and each is refined by itself.
    """
    against = [probability for lesion, probability in probabilities.items() if lesion in rivals]
    if len(against) < 2:
        return dict(probabilities)
    best = np.maximum.reduce(against)
    return {
        lesion: np.where(probability == best, probability, np.float32(0)) if lesion in rivals else probability
        for lesion, probability in probabilities.items()
    }


def photograph_probability(
    network: PatchRefiner, image: Image, shapes: Sequence[Shape], advance: Advance = ignore, lesion: str = ""
) -> NDArray[np.float32]:
    """Probability of lesion (h, w), 0–1, for the shapes of one class; 0 outside their windows."""
    config, size = network.config, (image.shape[0], image.shape[1])
    shapes = [grown_if_large(shape, size, config.context, config.most, config.grow) for shape in shapes]
    around = [windows_around(shape, size, config.context, config.most, config.overlap) for shape in shapes]
    windows = [window for places in around for window in places]
    # After its last window a shape is done, which the progress hears of.
    last = np.cumsum([len(places) for places in around])
    done = Counter(last.tolist())
    probability = _look(network, image, shapes, windows, lesion, lambda end: advance(done[end]))
    if not config.closer:
        return probability
    found = close_ups(probability >= config.threshold, windows, config.context)
    closer = _look(network, image, found, [window_around(each, size, config.context) for each in found], lesion)
    return merge(probability, closer, found)


def window_tensors(
    image: Image, shapes: Sequence[Shape], windows: Iterable[Window], size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The windows as a network takes them: images (n, 3, size, size) in 0–1 and coarse masks (n, 1, size, size).

    The coarse mask of a window holds every shape of the class that reaches into it, not only the one it is around.
    """
    places = list(windows)
    images = np.stack([cut_image(image, window, size) for window in places])
    coarse = np.stack([cut_shapes(shapes, window, size) for window in places])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(coarse)[:, None].float()


def _look(
    network: PatchRefiner,
    image: Image,
    shapes: Sequence[Shape],
    windows: Sequence[Window],
    lesion: str,
    advance: Advance = ignore,
) -> NDArray[np.float32]:
    """What the network finds in the windows, stitched; ``advance`` hears the number of each window that is done."""
    config = network.config
    patches = np.zeros((len(windows), config.size, config.size), np.float32)
    for start in range(0, len(windows), BATCH):
        end = min(start + BATCH, len(windows))
        images, coarse = window_tensors(image, shapes, windows[start:end], config.size)
        patches[start:end] = network.probabilities(images, coarse, lesion)[:, 0].numpy()
        for window in range(start, end):
            advance(window + 1)
    return (blend if config.blend else stitch)(patches, windows, (image.shape[0], image.shape[1]))
