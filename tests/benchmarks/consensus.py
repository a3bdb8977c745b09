"""What a majority and STAPLE of simulated annotators are worth: mean IoU with the fine masks, beside each single one's.

``python tests/benchmarks/consensus.py idrid:PATH test lite`` draws every photograph three times in the style human at
reduction 1.0, with the seeds 1, 2 and 3, refines each drawing, and prints the mean over the lesion classes of the mean
over photographs, in percent.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

import coarsekit
import zoo
from coarsekit.datasets.base import Dataset
from coarsekit.metrics import count, iou
from zoo.marks.consensus import LIKELY, majority, staple
from zoo.refiner import Refiner

SEEDS = (1, 2, 3)


def measure(dataset: Dataset, split: str | None, refiner: Refiner) -> Mapping[str, float]:
    """Mean IoU in percent of each annotator's refined drawing, of the majority, and of STAPLE."""
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for fundus in dataset.photographs(split):
        drawn = {f"annotator {seed}": coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, seed) for seed in SEEDS}
        masks = {who: dict(refiner.refine(fundus.image, annotation)) for who, annotation in drawn.items()}
        for lesion, fine in fundus.fine.items():
            if not fine.any():
                continue
            each = {who: own[lesion] for who, own in masks.items()}
            several = list(each.values())
            each |= {"majority": majority(several), "STAPLE": staple(several) >= LIKELY}
            for who, mask in each.items():
                scores[who, lesion].append(iou(count(mask, fine)))
    lesions = list(dict.fromkeys(lesion for _, lesion in scores))
    people = dict.fromkeys(who for who, _ in scores)
    return {who: 100 * float(np.mean([np.mean(scores[who, lesion]) for lesion in lesions])) for who in people}


def main() -> None:
    """Print the figures of the dataset, split and refiner that are named."""
    import torch

    torch.set_num_threads(1)
    source, split, name = sys.argv[1:4]
    for who, score in measure(coarsekit.open_source(source), split, zoo.from_pretrained(name)).items():
        print(f"{who}: {score:.1f}")


if __name__ == "__main__":
    main()
