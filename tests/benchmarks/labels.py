"""What a refiner makes of labels: marks reported under right and under opposite ones, and the optic disc.

    python tests/benchmarks/labels.py IDRID [--split test] [--refiner lite]

IDRID is the folder of the whole segmentation set, whose masks of the optic disc no reader takes. Marks are drawn as
``human`` at reduction 1.0. A mark is reported where it looks like the opposite of its label. The optic disc is drawn
likewise, under the label "Optic disc"; its IoU is the mean over photographs, in percent.
"""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

import coarsekit
from coarsekit.geometry import draw
from coarsekit.metrics import count, iou
from coarsekit.types import Annotation, Fundus, Image
from zoo import from_pretrained
from zoo.evaluation.corruptions import OPPOSITE
from zoo.marks.groups import CONTRADICTION
from zoo.refiner import Refiner

DISC = "Optic disc"


def reported(refiner: Refiner, image: Image, drawn: Annotation) -> dict[str, tuple[int, int]]:
    """By label, how many marks look like the opposite, and how many there are."""
    counts: dict[str, tuple[int, int]] = {}
    for group in refiner.groups(image, drawn):
        wrong, marks = counts.get(group.lesion, (0, 0))
        counts[group.lesion] = wrong + len(group.marks) * (group.why == CONTRADICTION), marks + len(group.marks)
    return counts


def add(total: dict[str, tuple[int, int]], more: dict[str, tuple[int, int]]) -> None:
    """Add counts up."""
    for label, (wrong, marks) in more.items():
        before = total.get(label, (0, 0))
        total[label] = before[0] + wrong, before[1] + marks


def line(total: dict[str, tuple[int, int]]) -> str:
    """Percent by label, and of all marks."""
    wrong, marks = (sum(values) for values in zip(*total.values(), strict=True))
    each = ", ".join(f"{label} {100 * part / of:.1f}" for label, (part, of) in total.items())
    return f"{100 * wrong / marks:.1f} % of {marks} marks ({each})"


@click.command(help=__doc__)
@click.argument("idrid", type=click.Path(exists=True, path_type=Path))
@click.option("--split", default="test")
@click.option("--refiner", "name", default="lite")
def main(idrid: Path, split: str, name: str) -> None:
    """Print a line for each question."""
    refiner, dataset = from_pretrained(name), coarsekit.open_source(f"idrid:{idrid}")
    right: dict[str, tuple[int, int]] = {}
    opposite: dict[str, tuple[int, int]] = {}
    discs: list[tuple[float, float]] = []
    for fundus in dataset.photographs(split):
        drawn = coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, 0, dataset.name)
        add(right, reported(refiner, fundus.image, drawn))
        marks = tuple(replace(mark, lesion=OPPOSITE[mark.lesion]) for mark in drawn.marks)
        add(opposite, reported(refiner, fundus.image, replace(drawn, marks=marks)))
        file = next(idrid.rglob(f"{fundus.key}_OD.tif"), None)
        if file is not None:
            mask = coarsekit.read_mask(file)
            disc = coarsekit.annotate(replace_fine(fundus, mask), 1.0, coarsekit.HUMAN, 0, dataset.name)
            found = refiner.refine(fundus.image, disc)[DISC]
            discs.append((iou(count(draw(disc.of(DISC), mask.shape), mask)), iou(count(found, mask))))
        click.echo(f"{fundus.key}: {len(drawn.marks)} marks", err=True)
    click.echo(f"right labels: {line(right)} reported")
    click.echo(f"opposite labels: {line(opposite)} reported")
    if discs:
        coarse, refined = 100 * np.mean(discs, axis=0)
        click.echo(f"optic disc on {len(discs)} photographs: {coarse:.1f} as drawn, {refined:.1f} refined")


def replace_fine(fundus: Fundus, mask: np.ndarray) -> Fundus:
    """The photograph with nothing but the optic disc to draw."""
    return replace(fundus, fine={DISC: mask})


if __name__ == "__main__":
    main()
