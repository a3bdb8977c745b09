"""What a refiner is: it turns the ellipses drawn on a photograph into pixel masks."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

from coarsekit.errors import RefinerError
from coarsekit.hub.download import Access
from coarsekit.types import Annotation, Image, Mask, check_drawn_on
from zoo.checkpoints.folder import locate, read_config
from zoo.variants import variant_named

Advance = Callable[[int], None]


def no_progress(_: object) -> None:
    """The callback of whoever shows no progress."""


class Refiner(ABC):
    """The one interface of networks and classical rules alike."""

    variant: ClassVar[str]
    """Its kind, as in config.json."""
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
        """Load a refiner of this class; see `zoo.from_pretrained`.

        Raises `RefinerError` when what is stored there is of another class.
        """
        access = Access(revision, token, cache_dir, local_files_only, force_download)
        folder = locate(name, access)
        kind: type[Refiner] = variant_named(read_config(folder)["variant"]).load_class()
        if not issubclass(kind, cls):
            ours = getattr(cls, "variant", cls.__name__)
            raise RefinerError(
                f"{os.fspath(name)} holds a refiner of the variant {kind.variant}, not {ours}; load it with "
                "zoo.from_pretrained"
            )
        return kind.load(folder, os.fspath(name) + (f"@{revision}" if revision else ""))

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Self:
        """Read a refiner of this class from a checkpoint folder; ``name``: what it is called, the folder's by default.

        Raises `RefinerError` when the folder is damaged or of a newer version, or the class has no stored form.
        """
        raise RefinerError(f"{folder}: a {cls.__name__} cannot be read from a folder; make one in memory")

    @abstractmethod
    def refine(self, image: Image, annotation: Annotation, advance: Advance = no_progress) -> dict[str, Mask]:
        """Refine every lesion class of the annotation.

        ``image``: (h, w, 3) uint8 RGB, of the annotation's size. ``advance`` hears how many more ellipses are done, for
        a progress bar. Returns one (h, w) boolean mask by lesion; an
        annotation without marks gives an empty dictionary.

        Raises `AnnotationError` when the annotation was made for another image size.
        """


def check_size(image: Image, annotation: Annotation) -> None:
    """Raise `AnnotationError` when the annotation was made for another image size."""
    check_drawn_on(annotation, image.shape)
