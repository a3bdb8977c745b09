"""Refiners that turn the circles and ellipses drawn on a fundus photograph into pixel-exact lesion masks.

>>> import zoo
>>> refiner = zoo.from_pretrained("lite")
>>> refined = refiner.refine(image, annotation)

`zoo.refine_to_folder` refines a photograph, a folder or a dataset, and writes masks, pictures and records.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.checkpoints.folder import list_refiners as list_refiners
    from zoo.evaluation.run import evaluate as evaluate
    from zoo.loading import from_pretrained as from_pretrained
    from zoo.output.refine_to_folder import RefineReport as RefineReport
    from zoo.output.refine_to_folder import refine_to_folder as refine_to_folder
    from zoo.refiner import Refiner as Refiner
    from zoo.training.run import train as train

_HOMES = {
    "RefineReport": "output.refine_to_folder",
    "Refiner": "refiner",
    "evaluate": "evaluation.run",
    "from_pretrained": "loading",
    "list_refiners": "checkpoints.folder",
    "refine_to_folder": "output.refine_to_folder",
    "train": "training.run",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 — one list of names, not two


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("coarsekit")
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    return getattr(import_module(f"zoo.{_HOMES[name]}"), name)
