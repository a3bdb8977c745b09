"""How well refined masks agree where one of two people clicks and the other outlines, beside two who outline.

``python tests/benchmarks/clicks_and_outlines.py idrid:PATH test lite`` draws every photograph three times at reduction
1.0: twice in the style human, with the seeds 1 and 2, and once in the style clicks, with the seed 2. It refines each
drawing, and prints the IoU of two people's masks: the mean over photographs for each class, and their mean, in percent.
A class that neither has on a photograph does not count there.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

import coarsekit
import zoo
from coarsekit.datasets.base import Dataset
from coarsekit.metrics import count, iou
from coarsekit.simulation.styles import style_named
from zoo.refiner import Refiner

PEOPLE = {"first outlines": ("human", 1), "second outlines": ("human", 2), "second clicks": ("clicks", 2)}
PAIRS = (("first outlines", "second outlines"), ("first outlines", "second clicks"))


def measure(dataset: Dataset, split: str | None, refiner: Refiner) -> Mapping[tuple[str, str], Mapping[str, float]]:
    """Mean IoU in percent of both of each of `PAIRS`, by lesion class."""
    scores: dict[tuple[str, str], dict[str, list[float]]] = {pair: defaultdict(list) for pair in PAIRS}
    for fundus in dataset.photographs(split):
        masks = {}
        for who, (style, seed) in PEOPLE.items():
            drawn = coarsekit.annotate(fundus, 1.0, style_named(style), seed, dataset.name)
            masks[who] = dict(refiner.refine(fundus.image, drawn))
        nothing = np.zeros(fundus.shape, bool)
        for one, other in PAIRS:
            for lesion in {**masks[one], **masks[other]}:
                pair = masks[one].get(lesion, nothing), masks[other].get(lesion, nothing)
                if np.any(pair):
                    scores[one, other][lesion].append(iou(count(*pair)))
    return {
        pair: {lesion: 100 * float(np.mean(own[lesion])) for lesion in dataset.lesions if own[lesion]}
        for pair, own in scores.items()
    }


def main() -> None:
    """Print the figures of the dataset, split and refiner that are named."""
    import torch

    torch.set_num_threads(1)
    source, split, name = sys.argv[1:4]
    for pair, classes in measure(coarsekit.open_source(source), split, zoo.from_pretrained(name)).items():
        each = ", ".join(f"{lesion} {value:.1f}" for lesion, value in classes.items())
        print(f"{' and '.join(pair)}: {np.mean(list(classes.values())):.1f} ({each})")


if __name__ == "__main__":
    main()
