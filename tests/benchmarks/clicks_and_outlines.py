"""How well refined masks agree where one of two people clicks and the other outlines, beside two who outline.

``python tests/benchmarks/clicks_and_outlines.py idrid:PATH test lite`` draws every photograph three times at reduction
1.0: twice in the style human, with the seeds 1 and 2, and once in the style clicks, with the seed 2. It refines each
drawing, and prints the IoU of two people's masks: the mean over photographs for each class, and their mean, in percent,
with its 95 % interval, and by how much the second pair agrees less. A class that neither has on a photograph does not
count there.
"""

import sys
from collections.abc import Mapping

import numpy as np

import coarsekit
import zoo
from coarsekit.datasets.base import Dataset
from coarsekit.metrics import count, iou
from coarsekit.simulation.styles import style_named
from zoo.evaluation.statistics import Scores, compare, summarise
from zoo.refiner import Refiner

PEOPLE = {"first outlines": ("human", 1), "second outlines": ("human", 2), "second clicks": ("clicks", 2)}
PAIRS = (("first outlines", "second outlines"), ("first outlines", "second clicks"))


def measure(dataset: Dataset, split: str | None, refiner: Refiner) -> Mapping[tuple[str, str], Scores]:
    """IoU in percent of both of each of `PAIRS`: (photographs, classes), NaN where neither has the class."""
    scores: dict[tuple[str, str], list[list[float]]] = {pair: [] for pair in PAIRS}
    for fundus in dataset.photographs(split):
        masks = {}
        for who, (style, seed) in PEOPLE.items():
            drawn = coarsekit.annotate(fundus, 1.0, style_named(style), seed, dataset.name)
            masks[who] = dict(refiner.refine(fundus.image, drawn))
        nothing = np.zeros(fundus.shape, bool)
        for one, other in PAIRS:
            pairs = [(masks[one].get(lesion, nothing), masks[other].get(lesion, nothing)) for lesion in dataset.lesions]
            scores[one, other].append([100 * iou(count(*pair)) if np.any(pair) else np.nan for pair in pairs])
    return {pair: np.array(own) for pair, own in scores.items()}


def main() -> None:
    """Print the figures of the dataset, split and refiner that are named."""
    import torch

    torch.set_num_threads(1)
    source, split, name = sys.argv[1:4]
    dataset = coarsekit.open_source(source)
    scores = measure(dataset, split, zoo.from_pretrained(name))
    for pair, own in scores.items():
        shown = [(lesion, column) for lesion, column in zip(dataset.lesions, own.T, strict=True) if any(column >= 0)]
        each = ", ".join(f"{lesion} {np.nanmean(column):.1f}" for lesion, column in shown)
        found = summarise(own, seed=0)
        print(f"{' and '.join(pair)}: {found.mean:.1f}, {found.low:.1f}–{found.high:.1f} ({each})")
    less = compare(*(scores[pair] for pair in PAIRS), seed=0)
    print(f"less by {less.difference:.1f}, {less.low:.1f}–{less.high:.1f}")


if __name__ == "__main__":
    main()
