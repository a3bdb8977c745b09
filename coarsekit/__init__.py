"""From fine lesion masks to the circles and ellipses that an annotator would have drawn, and the files they live in.

>>> import coarsekit
>>> sample = coarsekit.open_source("sample")
>>> fundus = sample.read("IDRiD_46")
>>> annotation = coarsekit.annotate(fundus, reduction=1.5, style=coarsekit.HUMAN, seed=0)
>>> len(annotation.marks) <= sum(annotation.provenance["components"].values())
True

The names below are imported when they are first asked for, so that command lines answer at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coarsekit.annotations import read_annotation as read_annotation
    from coarsekit.datasets import open_source as open_source
    from coarsekit.datasets.base import Dataset as Dataset
    from coarsekit.errors import CoarsekitError as CoarsekitError
    from coarsekit.images import read_image as read_image
    from coarsekit.images import read_mask as read_mask
    from coarsekit.simulation.simulate import annotate as annotate
    from coarsekit.simulation.styles import HUMAN as HUMAN
    from coarsekit.simulation.styles import PAPER as PAPER
    from coarsekit.simulation.styles import Style as Style
    from coarsekit.types import Annotation as Annotation
    from coarsekit.types import Ellipse as Ellipse
    from coarsekit.types import Fundus as Fundus
    from coarsekit.types import Line as Line
    from coarsekit.types import Mark as Mark
    from coarsekit.types import Point as Point
    from coarsekit.types import Polygon as Polygon
    from coarsekit.types import Raster as Raster

_NAMES = {
    "annotations": ("read_annotation",),
    "datasets": ("open_source",),
    "datasets.base": ("Dataset",),
    "errors": ("CoarsekitError",),
    "images": ("read_image", "read_mask"),
    "simulation.simulate": ("annotate",),
    "simulation.styles": ("HUMAN", "PAPER", "Style"),
    "types": ("Annotation", "Ellipse", "Fundus", "Line", "Mark", "Point", "Polygon", "Raster"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOMES)  # noqa: PLE0605 — one list of names, not two


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("coarsekit")
    if name not in _HOMES:
        raise AttributeError(f"module 'coarsekit' has no attribute {name!r}")
    return getattr(import_module(f"coarsekit.{_HOMES[name]}"), name)
