"""From fine lesion masks to the circles and ellipses that an annotator would have drawn, and the files they live in.

>>> import coarsekit
>>> sample = coarsekit.open_source("sample")
>>> fundus = sample.read("IDRiD_46")
>>> annotation = coarsekit.annotate(fundus, reduction=1.5, style=coarsekit.HUMAN, seed=0)
>>> len(annotation.marks) <= sum(annotation.provenance["components"].values())
True

The names are those of ``__init__.pyi``; each is imported when it is first asked for, so that command lines answer at
once.
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
