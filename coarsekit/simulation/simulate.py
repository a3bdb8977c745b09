"""Fine mask → the ellipses that a person would have drawn, at a reduction factor. Pure; randomness is an argument.

The chain is the paper's (Yu et al., section 3.1): smoothing, dilating, expanding, clustering the connected components
with DBSCAN, one ellipse per cluster. `Style` has a parameter for each step and for each imprecision of a drawing.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple
from zlib import crc32

import numpy as np
from scipy.cluster.hierarchy import linkage

from coarsekit.errors import ParameterError
from coarsekit.geometry import Points, covering_ellipse
from coarsekit.morphology import component_points, disk_close, disk_dilate
from coarsekit.simulation.kinds import as_kind, choose_kinds
from coarsekit.simulation.perturb import perturb
from coarsekit.simulation.styles import Style, as_style
from coarsekit.types import Annotation, Ellipse, Fundus, Mark, Mask, Shape


class Component(NamedTuple):
    """One connected component after dilating and smoothing: its pixel centres, and those of the fine mask in it."""

    points: Points
    fine: Points


def find_components(fine: Mask, style: Style) -> list[Component]:
    """The 8-connected components of ``fine`` (h, w) after dilating and smoothing; an empty mask has none."""
    scale = fine.shape[1] / style.reference_width
    dilated = disk_close(disk_dilate(fine, style.dilate * scale), style.smooth * scale)
    return [
        Component(points, points[fine[points[:, 1].astype(int), points[:, 0].astype(int)]])
        for points in component_points(dilated)
    ]


def cluster(centroids: Points, count: int) -> list[list[int]]:
    """Group components, given by their ``centroids`` (n, 2), into exactly ``count`` clusters of indices.

    DBSCAN with ``min_samples=1`` is single linkage: the ε that leaves ``count`` clusters lies between two merge heights
    of the dendrogram, so the merges below it are made and no ε needs to be searched for. Where heights tie, no ε gives
    every count; then the earlier merge of the dendrogram goes first.

    Raises `ParameterError` unless ``1 <= count <= n``.
    """
    total = len(centroids)
    if not 1 <= count <= total:
        raise ParameterError(f"the number of clusters must lie between 1 and {total}, got {count}")
    members = {index: [index] for index in range(total)}
    if count < total:
        for step, (a, b, _, _) in enumerate(linkage(centroids, method="single")[: total - count]):
            members[total + step] = members.pop(int(a)) + members.pop(int(b))
    return sorted((sorted(cluster) for cluster in members.values()), key=lambda cluster: cluster[0])


def check_reduction(reduction: float) -> None:
    """Raise `ParameterError` for a reduction factor that is below 1 or not finite."""
    is_number = isinstance(reduction, (int, float, np.number))
    if not is_number or not 1 <= reduction < inf:
        got = f"{reduction:g}" if is_number else repr(reduction)
        raise ParameterError(
            f"the reduction factor must be a finite number from 1 (which draws every component), got {got}"
        )


def check_seed(seed: int) -> None:
    """Raise `ParameterError` for a seed that is below 0 or no whole number."""
    if not isinstance(seed, (int, np.integer)):
        raise ParameterError(f"the seed must be a whole number, got {seed!r}")
    if seed < 0:
        raise ParameterError(f"the seed must be 0 or more, got {seed}")


def enclosing_ellipses(
    components: Sequence[Component], reduction: float, style: Style, width: int
) -> tuple[Ellipse, ...]:
    """One covering ellipse for each of ``max(1, round(components / reduction))`` clusters of components.

    ``width``: the photograph's, px, to which the style's lengths are scaled. No components give no ellipses.

    Raises `ParameterError` for a reduction factor below 1.
    """
    return enclosing_sweep(components, [reduction], style, width)[0]


def enclosing_sweep(
    components: Sequence[Component], reductions: Sequence[float], style: Style, width: int
) -> list[tuple[Ellipse, ...]]:
    """`enclosing_ellipses` at each of several reduction factors; a cluster of several of them is covered once."""
    for reduction in reductions:
        check_reduction(reduction)
    if not components:
        return [()] * len(reductions)
    centroids = np.stack([component.points.mean(axis=0, dtype=np.float64) for component in components])
    expand = style.expand * width / style.reference_width
    covered: dict[tuple[int, ...], Ellipse] = {}
    swept = []
    for reduction in reductions:
        clusters = [tuple(each) for each in cluster(centroids, max(1, round(len(components) / reduction)))]
        for members in clusters:
            if members not in covered:
                points, fine = (np.concatenate(parts) for parts in zip(*(components[i] for i in members), strict=True))
                ellipse = covering_ellipse(points, fine)
                covered[members] = replace(ellipse, rx=ellipse.rx + expand, ry=ellipse.ry + expand)
        swept.append(tuple(covered[members] for members in clusters))
    return swept


def draw_by_hand(
    outlines: Mapping[str, Sequence[Ellipse]], style: Style, rng: np.random.Generator, shape: tuple[int, int]
) -> dict[str, tuple[Ellipse, ...]]:
    """The exact ellipses of one photograph, by lesion class, as one annotator would have drawn them.

    One size bias is drawn for the whole photograph. A style without imprecision leaves the ellipses as they are.
    """
    annotator = float(rng.standard_normal())
    drawn = {}
    for lesion, ellipses in outlines.items():
        imprecision = style.imprecision_of(lesion)
        if imprecision is None:
            drawn[lesion] = tuple(ellipses)
        else:
            drawn[lesion] = tuple(perturb(ellipse, imprecision, annotator, rng, shape) for ellipse in ellipses)
    return drawn


def draw_marks(
    outlines: Mapping[str, Sequence[Ellipse]], fine: Mapping[str, Mask], style: Style, rng: np.random.Generator
) -> dict[str, tuple[Shape, ...]]:
    """`draw_by_hand`, with marks of the style's other kinds in the place of ellipses.

    ``fine``: the fine masks (h, w) of one photograph, of every class in ``outlines``.
    """
    if not outlines:
        return {}
    drawn = draw_by_hand(outlines, style, rng, next(iter(fine.values())).shape)
    return {
        lesion: tuple(
            as_kind(kind, ellipse, exact, fine[lesion], rng)
            for ellipse, exact, kind in zip(
                ellipses, outlines[lesion], choose_kinds(style.kinds, len(ellipses), rng), strict=True
            )
        )
        for lesion, ellipses in drawn.items()
    }


def generator(seed: int, key: str) -> np.random.Generator:
    """The random numbers of one photograph: they follow from its key and the seed, not from what came before it.

    Raises `ParameterError` for a seed below 0, or that is no whole number.
    """
    check_seed(seed)
    return np.random.default_rng([seed, crc32(key.encode())])


def annotate(
    fundus: Fundus, reduction: float, style: str | os.PathLike[str] | Style, seed: int = 0, dataset: str = ""
) -> Annotation:
    """Simulate the annotation of one photograph (Yu et al., section 3.1).

    The same photograph, reduction factor, style and seed give the same annotation.

    Args:
        fundus: The photograph and its fine masks.
        reduction: Components over ellipses, 1 or more: at 1 each component gets an ellipse.
        style: How the ellipses are drawn: a style, its name, or its TOML file.
        seed: Seed of the random numbers, 0 or more.
        dataset: The name that the provenance gives as the photograph's origin.

    Returns:
        One mark for each ellipse, or of another of the style's kinds in its place, px of the photograph; none for a
        photograph without lesions. The provenance has all arguments, and the number of components by lesion class.

    Raises:
        ParameterError: When the reduction factor is below 1 or not finite, or the seed below 0, and for a style that is
            not known.

    Examples:
        >>> fundus = coarsekit.open_source("sample").read("IDRiD_46")
        >>> [len(coarsekit.annotate(fundus, reduction, coarsekit.HUMAN).marks) for reduction in (1.0, 2.0)]
        [82, 40]
    """
    return next(annotate_sweep(fundus, [reduction], as_style(style), seed, dataset))


def annotate_sweep(
    fundus: Fundus, reductions: Sequence[float], style: Style, seed: int = 0, dataset: str = ""
) -> Iterator[Annotation]:
    """`annotate` at each of several reduction factors; the components are found once.

    Args:
        fundus: The photograph and its fine masks.
        reductions: Reduction factors, each 1 or more.
        style: How the ellipses are drawn.
        seed: Seed of the random numbers, 0 or more; every reduction factor has the same.
        dataset: The name that the provenance gives as the photograph's origin.

    Yields:
        One annotation for each reduction factor, in their order.

    Raises:
        ParameterError: When a reduction factor is below 1 or not finite, or the seed below 0.
    """
    for reduction in reductions:
        check_reduction(reduction)
    height, width = fundus.shape
    counts: dict[str, int] = {}
    swept: dict[str, list[tuple[Ellipse, ...]]] = {}
    for lesion, mask in fundus.fine.items():
        # One class at a time, and only its ellipses are kept: the pixels of a heavy photograph's components are many.
        if components := find_components(mask, style):
            counts[lesion] = len(components)
            swept[lesion] = enclosing_sweep(components, reductions, style, width)
            del components
    for place, reduction in enumerate(reductions):
        outlines = {lesion: ellipses[place] for lesion, ellipses in swept.items()}
        rng = generator(seed, fundus.key)
        drawn = draw_marks(outlines, fundus.fine, style, rng)
        marks = [Mark(lesion, shape) for lesion, shapes in drawn.items() for shape in shapes]
        yield Annotation(
            image=fundus.name,
            width=width,
            height=height,
            marks=tuple(marks),
            provenance={
                "made_by": "coarsekit simulate",
                "dataset": dataset,
                "photograph": fundus.key,
                "split": fundus.split,
                "style": style.name,
                "reduction": reduction,
                "seed": seed,
                "components": counts,
                "parameters": style.parameters(),
            },
        )
