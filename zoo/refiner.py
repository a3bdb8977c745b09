"""What a refiner is: it turns the ellipses drawn on a photograph into pixel masks."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

from coarsekit.errors import AnnotationError
from coarsekit.types import Annotation, Image, Mask
from zoo.remote import Access

Advance = Callable[[int], None]


def ignore(_: object) -> None:
    """The callback of whoever shows no progress."""


class Refiner(ABC):
    """The one interface of networks and classical rules alike."""

    name: str = ""
    """The name or folder that it was loaded from; empty for one that was made in memory."""
    trained_on: str = ""
    """The data that it was trained on or fitted to."""

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike[str],
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
    ) -> Self:
        """Load a refiner of this class, as `zoo.from_pretrained` does for one of any: bundled, a folder, or the Hub's.

        Raises `RefinerError` when what is stored there is of another class.
        """
        from zoo.hub.ecosystem import load_as

        access = Access(revision, token, cache_dir, local_files_only, force_download)
        return load_as(cls, name, access)

    @abstractmethod
    def refine(self, image: Image, annotation: Annotation, advance: Advance = ignore) -> dict[str, Mask]:
        """Refine every lesion class of the annotation.

        ``image``: (h, w, 3) uint8 RGB, of the annotation's size. ``advance`` hears how many more ellipses are done, for
        a progress bar. Returns one (h, w) boolean mask by lesion; an
        annotation without marks gives an empty dictionary.

        Raises `AnnotationError` when the annotation was made for another image size.
        """


def check_size(image: Image, annotation: Annotation) -> None:
    """Raise `AnnotationError` when the annotation was made for another image size."""
    height, width = image.shape[:2]
    if (annotation.width, annotation.height) != (width, height):
        raise AnnotationError(
            f"the annotation was drawn on an image of {annotation.width} × {annotation.height} px, but this one has "
            f"{width} × {height} px; use the photograph that it was drawn on"
        )
