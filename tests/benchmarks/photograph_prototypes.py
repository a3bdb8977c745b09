"""What the prototypes of a whole photograph bring beyond those of each window (Yu et al., equations 1–6).

``python tests/benchmarks/photograph_prototypes.py idrid:PATH test human proto-superpixel`` draws every photograph of
the split (``held-out``: those that the networks were validated on) in the style named, at reduction 1.0. It refines it
with each of the networks, whose heads have prototypes, twice: without ``photograph_prototypes`` in the configuration
and with it. It prints IoU in percent: the mean over photographs for each class, and their mean with its 95 % interval;
and how much better the photograph's prototypes are, with its interval and the p of Wilcoxon's test.
"""

import sys
from dataclasses import replace

import numpy as np
import torch

import coarsekit
import zoo
from coarsekit.datasets.base import Dataset
from coarsekit.metrics import count, iou
from coarsekit.simulation.styles import Style, style_named
from zoo.evaluation.refiners import select_split
from zoo.evaluation.statistics import Scores, compare, summarise
from zoo.models.layers.fusion import FusedNetwork

WAYS = {"window": False, "photograph": True}


def measure(dataset: Dataset, split: str | None, style: Style, network: FusedNetwork) -> dict[str, Scores]:
    """IoU in percent for each of `WAYS`: (photographs, classes), NaN where a photograph does not show the class."""
    scores: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for fundus in dataset.photographs(split):
        drawn = coarsekit.annotate(fundus, 1.0, style, 0, dataset.name)
        nothing = np.zeros(fundus.shape, bool)
        for way, pooled in WAYS.items():
            network.config = replace(network.config, photograph_prototypes=pooled)
            found, row = network.refine(fundus.image, drawn), []
            for lesion in dataset.lesions:
                fine = fundus.fine.get(lesion, nothing)
                row.append(100 * iou(count(found.get(lesion, nothing), fine)) if fine.any() else np.nan)
            scores[way].append(row)
    return {way: np.array(own) for way, own in scores.items()}


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
        for way, own in scores.items():
            each = ", ".join(f"{lesion} {np.nanmean(own[:, i]):.1f}" for i, lesion in enumerate(dataset.lesions))
            found = summarise(own, seed=0)
            print(f"{name}, prototypes of the {way}: {found.mean:.1f}, {found.low:.1f}–{found.high:.1f} ({each})")
        more = compare(scores["photograph"], scores["window"], seed=0)
        print(f"better by {more.difference:.1f}, {more.low:.1f} to {more.high:.1f}, p {more.p:.2g}")


if __name__ == "__main__":
    main()
