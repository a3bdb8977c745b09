"""Refiners that turn the circles and ellipses drawn on a fundus photograph into pixel-exact lesion masks.

>>> import zoo
>>> refiner = zoo.from_pretrained("lite")
>>> masks = refiner.refine("image.png", "ellipses.json")

`zoo.refine_to_folder` refines a photograph, a folder or a dataset, and writes masks, pictures and records.

The names are those of ``__init__.pyi``; each is imported when it is first asked for.
"""

from typing import Any

import lazy_loader

_attribute, _, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("coarsekit")
    return _attribute(name)
