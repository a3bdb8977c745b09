"""A folder as somebody has it who annotates: photographs, and what was drawn on them, under the names of the pages."""

from pathlib import Path
from zipfile import ZipFile

import numpy as np

import coarsekit
from coarsekit.annotations import format_named
from coarsekit.images import write_image
from coarsekit.types import Fundus
from tests.pictures import photograph, six_lesions

FEW = 3
"""Marks of a class."""


def draw(fundus: Fundus, seed: int = 0) -> coarsekit.Annotation:
    """A few marks of MA and HE, as people draw them, on a photograph that lies in a file ``image.png``."""
    marks = coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, seed=seed).marks
    few = tuple(mark for lesion in ("MA", "HE") for mark in [one for one in marks if one.lesion == lesion][:FEW])
    return coarsekit.Annotation("image.png", fundus.image.shape[1], fundus.image.shape[0], few)


def painted() -> Fundus:
    """A small photograph that was painted, with fine masks of MA and HE."""
    masks = {lesion: six_lesions(seed).astype(bool) for seed, lesion in enumerate(("MA", "HE"))}
    return Fundus("image", "image.png", "all", np.asarray(photograph(0)), masks)


def fill(folder: Path, fundus: Fundus) -> coarsekit.Annotation:
    """Write the photograph, what was drawn in several formats, and what three annotators drew; gives the first."""
    annotation = draw(fundus)
    for place in (folder, folder / "PHOTOGRAPHS"):
        place.mkdir(exist_ok=True)
        write_image(place / "image.png", fundus.image)
    format_named("native").write(folder / "ellipses.json", [annotation])
    format_named("cvat").write(folder / "annotations.xml", [annotation])
    with ZipFile(folder / "export.zip", "w") as archive:
        archive.write(folder / "annotations.xml", "annotations.xml")
    for seed, name in enumerate(("ANNOTATOR1", "ANNOTATOR2", "ANNOTATOR3")):
        (folder / name).mkdir()
        format_named("native").write(folder / name / "image.json", [draw(fundus, seed)])
    return annotation
