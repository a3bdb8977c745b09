"""What a refiner makes of labels: marks reported under right and under opposite ones, unknown labels, the optic disc.

    python tests/benchmarks/labels.py IDRID [--split test] [--refiner lite]

IDRID is the folder of the whole segmentation set, whose masks of the optic disc no reader takes. Marks are drawn as
``human`` at reduction 1.0. A mark is reported where it looks like the opposite of its label. An unknown label is
mistaken where its marks are refined as another class than theirs: each class of a photograph under an unknown label by
itself, the others under their own; and all of them under unknown labels. The optic disc is drawn likewise, under the
label "Optic disc"; its IoU is the mean over photographs, in percent.
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


def mistaken(refiner: Refiner, image: Image, drawn: Annotation, together: bool) -> dict[str, tuple[int, int]]:
    """By class 1 or 0 for an unknown label that is taken for another, and 1; ``together``: whether all are unknown."""
    unknown = {lesion: f"finding {place}" for place, lesion in enumerate(drawn.lesions)}
    counts: dict[str, tuple[int, int]] = {}
    for chosen in [drawn.lesions] if together else [(lesion,) for lesion in drawn.lesions]:
        table = {lesion: lesion for lesion in drawn.lesions} | {lesion: unknown[lesion] for lesion in chosen}
        marks = tuple(replace(mark, lesion=table[mark.lesion]) for mark in drawn.marks)
        taken = {group.lesion: group.taken_as for group in refiner.groups(image, replace(drawn, marks=marks))}
        counts |= {lesion: (int(taken[unknown[lesion]] != lesion), 1) for lesion in chosen if unknown[lesion] in taken}
    return counts


def add(total: dict[str, tuple[int, int]], more: dict[str, tuple[int, int]]) -> None:
    """Add counts up."""
    for label, (wrong, marks) in more.items():
        before = total.get(label, (0, 0))
        total[label] = before[0] + wrong, before[1] + marks


def line(total: dict[str, tuple[int, int]], of_what: str) -> str:
    """Percent of all, and counts by label."""
    wrong, count_of_all = (sum(values) for values in zip(*total.values(), strict=True))
    each = ", ".join(f"{label} {part} of {of}" for label, (part, of) in total.items())
    return f"{100 * wrong / count_of_all:.1f} % of {count_of_all} {of_what} ({each})"


@click.command(help=__doc__)
@click.argument("idrid", type=click.Path(exists=True, path_type=Path))
@click.option("--split", default="test")
@click.option("--refiner", "name", default="lite")
def main(idrid: Path, split: str, name: str) -> None:
    """Print a line for each question."""
    refiner, dataset = from_pretrained(name), coarsekit.open_source(f"idrid:{idrid}")
    right: dict[str, tuple[int, int]] = {}
    opposite: dict[str, tuple[int, int]] = {}
    alone: dict[str, tuple[int, int]] = {}
    together: dict[str, tuple[int, int]] = {}
    discs: list[tuple[float, float]] = []
    for fundus in dataset.photographs(split):
        drawn = coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, 0, dataset.name)
        add(right, reported(refiner, fundus.image, drawn))
        marks = tuple(replace(mark, lesion=OPPOSITE[mark.lesion]) for mark in drawn.marks)
        add(opposite, reported(refiner, fundus.image, replace(drawn, marks=marks)))
        add(alone, mistaken(refiner, fundus.image, drawn, together=False))
        add(together, mistaken(refiner, fundus.image, drawn, together=True))
        file = next(idrid.rglob(f"{fundus.key}_OD.tif"), None)
        if file is not None:
            mask = coarsekit.read_mask(file)
            disc = coarsekit.annotate(replace_fine(fundus, mask), 1.0, coarsekit.HUMAN, 0, dataset.name)
            found = refiner.refine(fundus.image, disc)[DISC]
            discs.append((iou(count(draw(disc.of(DISC), mask.shape), mask)), iou(count(found, mask))))
        click.echo(f"{fundus.key}: {len(drawn.marks)} marks", err=True)
    click.echo(f"right labels: {line(right, 'marks')} reported")
    click.echo(f"opposite labels: {line(opposite, 'marks')} reported")
    click.echo(f"one unknown label beside known ones: {line(alone, 'labels')} mistaken")
    click.echo(f"unknown labels together: {line(together, 'labels')} mistaken")
    if discs:
        coarse, refined = 100 * np.mean(discs, axis=0)
        click.echo(f"optic disc on {len(discs)} photographs: {coarse:.1f} as drawn, {refined:.1f} refined")


def replace_fine(fundus: Fundus, mask: np.ndarray) -> Fundus:
    """The photograph with nothing but the optic disc to draw."""
    return replace(fundus, fine={DISC: mask})


if __name__ == "__main__":
    main()
