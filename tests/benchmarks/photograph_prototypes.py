"""What the prototypes of a whole photograph bring beyond those of each window (Yu et al., equations 1–6).

``python tests/benchmarks/photograph_prototypes.py idrid:PATH test paper proto proto-superpixel`` draws every photograph
of the split (``held-out``: those that the networks were
validated on) in the style named, at reduction 1.0, and refines it with each of the networks, which are of the variants ``proto`` and
``proto-superpixel``, in three ways: with the lesion prototype of each window, as they do; with the mean of the unit
vectors of all windows of the class in the photograph; and with the mean of both. The background prototype is the
window's own. It prints IoU in percent: the mean over photographs for each class, and their mean with its 95 % interval,
and how much better the second and the third way are than the first.
"""

import sys
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

import coarsekit
import zoo
from coarsekit.datasets.base import Dataset
from coarsekit.metrics import count, iou
from coarsekit.simulation.styles import Style, style_named
from coarsekit.types import Image, Shape, Window
from coarsekit.windows import blend, bounding_boxes, stitch, windows_around
from zoo.evaluation.refiners import select_split
from zoo.evaluation.statistics import Scores, compare, summarise
from zoo.models.layers.fusion import FusedNetwork, downsample_mask
from zoo.models.layers.heads import Prototype, Superpixel, prototype_logits
from zoo.models.patches import BATCH
from zoo.models.signature import window_arrays

WAYS = ("of the window", "of the photograph", "of both")


def fused_features(
    network: FusedNetwork, image: Image, shapes: Sequence[Shape], windows: Sequence[Window]
) -> Iterator[tuple[Tensor, Tensor]]:
    """F′ and M′ of a few windows at a time."""
    boxes = bounding_boxes(shapes)
    for start in range(0, len(windows), BATCH):
        arrays = window_arrays(image, shapes, boxes, windows[start : start + BATCH], network.config.size)
        images, coarse = map(torch.from_numpy, arrays)
        features = network.features(images, coarse)
        mask = downsample_mask(coarse, features)
        yield network.fusion(features, mask), mask


@torch.inference_mode()
def probabilities(network: FusedNetwork, image: Image, shapes: Sequence[Shape]) -> list[NDArray[np.float32]]:
    """The probability of lesion (h, w) in each of `WAYS`."""
    head, config, size = network.classify, network.config, (image.shape[0], image.shape[1])
    if not isinstance(head, (Prototype, Superpixel)):
        raise SystemExit(f"{network.name} has no prototypes; name a proto or a proto-superpixel")
    windows = [window for shape in shapes for window in windows_around(shape, size, config.context, config.max_window)]
    own = [
        functional.normalize(head.prototypes(fused, mask)[0], dim=-1)
        for fused, mask in fused_features(network, image, shapes, windows)
    ]
    pooled = torch.cat(own).mean(0)
    patches: list[list[Tensor]] = [[] for _ in WAYS]
    for (fused, mask), lesion in zip(fused_features(network, image, shapes, windows), own, strict=True):
        background = head.prototypes(fused, mask)[1]
        for way, used in enumerate((lesion, pooled.expand_as(lesion), lesion + functional.normalize(pooled, dim=-1))):
            logits = prototype_logits(fused, used, background)
            whole = functional.interpolate(logits, size=config.size, mode="bilinear", align_corners=False)
            patches[way].append(whole.sigmoid()[:, 0])
    join = blend if config.blend else stitch
    return [join(torch.cat(each).numpy(), windows, size) for each in patches]


def measure(dataset: Dataset, split: str | None, style: Style, network: FusedNetwork) -> list[Scores]:
    """IoU in percent in each of `WAYS`: (photographs, classes), NaN where a photograph does not show the class."""
    scores: list[list[list[float]]] = [[] for _ in WAYS]
    for fundus in dataset.photographs(split):
        drawn = coarsekit.annotate(fundus, 1.0, style, 0, dataset.name)
        rows = [[np.nan] * len(dataset.lesions) for _ in WAYS]
        for place, lesion in enumerate(dataset.lesions):
            fine = fundus.fine.get(lesion)
            if fine is None or not fine.any() or lesion not in drawn.lesions:
                continue
            for row, found in zip(rows, probabilities(network, fundus.image, drawn.of(lesion)), strict=True):
                row[place] = 100 * iou(count(found >= network.config.threshold, fine))
        for way, row in zip(scores, rows, strict=True):
            way.append(row)
    return [np.array(way) for way in scores]


def main() -> None:
    """Print the figures of the dataset, split, style and networks that are named."""
    torch.set_num_threads(1)
    source, split, style, *names = sys.argv[1:]
    dataset, chosen = select_split(coarsekit.open_source(source), split, names)
    for name in names:
        network = zoo.from_pretrained(name)
        if not isinstance(network, FusedNetwork):
            raise SystemExit(f"{name} is no network")
        scores = measure(dataset, chosen, style_named(style), network)
        for way, own in zip(WAYS, scores, strict=True):
            each = ", ".join(f"{lesion} {np.nanmean(own[:, i]):.1f}" for i, lesion in enumerate(dataset.lesions))
            found, more = summarise(own, seed=0), compare(own, scores[0], seed=0)
            better = "" if own is scores[0] else f", better by {more.difference:.1f}, {more.low:.1f} to {more.high:.1f}"
            print(f"{name}, prototypes {way}: {found.mean:.1f}, {found.low:.1f}–{found.high:.1f} ({each}){better}")


if __name__ == "__main__":
    main()
