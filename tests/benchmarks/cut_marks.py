"""What the edge of a crop costs the lesion that it cuts, with black beyond the edge and with the mirror image.

``python tests/benchmarks/cut_marks.py idrid:PATH train lite SE`` draws every photograph in the style human at reduction
1.0, takes up to three marks of the class on each, and for each a crop whose edge goes through the mark. It prints, in
percent, the mean IoU around these marks of the whole photograph's mask, of the crop's refined with black beyond its
edge, and of the crop's with `mirror_edges`.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

import coarsekit
import zoo
from coarsekit.datasets.base import Dataset
from coarsekit.geometry import extent, moved
from coarsekit.metrics import count, iou
from coarsekit.simulation.simulate import generator
from coarsekit.types import Fundus, Mask, Shape

SIDE = 1200
"""Of the crop, px."""
MARKS = 3
"""Marks that are cut on each photograph."""
LEAST_WIDTH = 25
"""Px; a smaller mark has nothing that is left of it."""
AROUND = 20
"""Px around a mark in which its mask is compared."""


def edge_through(shape: Shape, rng: np.random.Generator) -> tuple[int, int]:
    """The corner of a crop of which one edge, drawn at random, goes through the shape's middle third or so."""
    x0, y0, x1, y1 = extent(shape)
    share, far = rng.uniform(0.3, 0.7), SIDE * int(rng.integers(2))
    if rng.integers(2):
        return int(x0 + share * (x1 - x0)) - far, int((y0 + y1 - SIDE) / 2)
    return int((x0 + x1 - SIDE) / 2), int(y0 + share * (y1 - y0)) - far


def measure(dataset: Dataset, split: str, refiner: Any, lesion: str) -> Mapping[str, list[float]]:
    """IoU around each mark that is cut, 0–1, by what was refined."""
    scores: dict[str, list[float]] = defaultdict(list)
    for fundus in dataset.photographs(split):
        rng = generator(0, fundus.key)
        drawn = coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, 0, dataset.name)
        drawn = replace(drawn, marks=tuple(mark for mark in drawn.marks if mark.lesion == lesion))
        large = [mark.shape for mark in drawn.marks if extent(mark.shape)[2] - extent(mark.shape)[0] > LEAST_WIDTH]
        whole: Mask | None = None
        for place in rng.permutation(len(large))[:MARKS]:
            x, y = edge_through(large[place], rng)
            if min(x, y) < 0 or x + SIDE > drawn.width or y + SIDE > drawn.height:
                continue
            there = (slice(y, y + SIDE), slice(x, x + SIDE))
            fine = fundus.fine[lesion][there]
            left, top, right, bottom = (int(value) for value in extent(moved(large[place], -x, -y)))
            box = (slice(max(top - AROUND, 0), bottom + AROUND), slice(max(left - AROUND, 0), right + AROUND))
            if not fine[box].any():
                continue
            if whole is None:
                whole = refiner.refine(fundus.image, drawn)[lesion]
            masks = {"the whole photograph": whole[there]}
            for name, mirrored in (("black beyond the edge", False), ("mirrored", True)):
                refiner.config = replace(refiner.config, mirror_edges=mirrored)
                masks[name] = cropped(refiner, fundus, drawn, x, y)[lesion]
            for name, mask in masks.items():
                scores[name].append(iou(count(mask[box], fine[box])))
    return scores


def cropped(refiner: Any, fundus: Fundus, drawn: coarsekit.Annotation, x: int, y: int) -> Mapping[str, Mask]:
    """The masks of a crop, refined by itself."""
    marks = [replace(mark, shape=moved(mark.shape, -x, -y)) for mark in drawn.marks]
    inside = [mark for mark in marks if max(extent(mark.shape)[:2]) < SIDE and min(extent(mark.shape)[2:]) > 0]
    annotation = replace(drawn, width=SIDE, height=SIDE, marks=tuple(inside))
    return refiner.refine(fundus.image[y : y + SIDE, x : x + SIDE], annotation, scale=drawn.width / 4288)


def main() -> None:
    """Print the figures of the dataset, split, refiner and lesion class that are named."""
    import torch

    torch.set_num_threads(1)
    source, split, name, lesion = sys.argv[1:5]
    scores = measure(coarsekit.open_source(source), split, zoo.from_pretrained(name), lesion)
    for what, own in scores.items():
        print(f"{what}: {100 * np.mean(own):.1f} ({len(own)} marks)")


if __name__ == "__main__":
    main()
