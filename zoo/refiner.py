"""What a refiner is: it turns the ellipses drawn on a photograph into pixel masks."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from coarsekit.errors import RefinerError
from coarsekit.hub.download import Access
from coarsekit.types import Annotation, Image, Mask, check_drawn_on
from zoo.checkpoints.folder import DEFAULT, locate, photographs_seen, read_config, weights_sha256
from zoo.variants import variant_named

Advance = Callable[[int], None]
"""Called with the number of steps just finished."""


def no_progress(*_: object) -> None:
    """The callback that does nothing."""


BY_LABEL, BY_CONTENT, CONTRADICTION = "label", "content", "contradiction"
"""Why marks are refined as a class: their label says so; it says nothing to the refiner, and they look like it; or they
look like the opposite of what it says."""


@dataclass(frozen=True, slots=True)
class Group:
    """Marks of one label in one photograph that are refined alike.

    ``taken_as``: the class that the refiner is told; empty for none. ``why``: `BY_LABEL`, `BY_CONTENT` or
    `CONTRADICTION`. ``marks``: their places in the annotation's marks, in order.
    """

    lesion: str
    taken_as: str
    why: str
    marks: tuple[int, ...]


class Refiner(ABC):
    """The one interface of networks and baselines."""

    variant: ClassVar[str]
    """The name of its row in `zoo.variants`, as in config.json."""
    name: str = ""
    """The name or folder that it was loaded from; empty for one that was made in memory."""
    trained_on: str = ""
    """The data that it was trained on or fitted to."""
    weights_sha256: str = ""
    """Which weights it was loaded with, see `zoo.checkpoints.folder.weights_sha256`; empty for one made in memory."""
    photographs_seen: frozenset[str] | None = None
    """The digests of the photographs that it was trained or validated on; None where that is not known."""

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike[str] = DEFAULT,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
    ) -> Self:
        """Load a refiner: the name of a bundled one, the path of a checkpoint folder, or ``ORG/NAME`` on the Hub.

        A `Path` is a path. A text that is a bundled name and a checkpoint folder here is refused; of a folder and a
        repository the folder is taken, which never touches the internet. What was fetched from the Hub stays in its
        cache, and is read from there without a connection.
        `zoo.from_pretrained` loads a refiner of any class, and that of a class one of this class.

        Args:
            name: The name of a bundled refiner, the path of a checkpoint folder, ``ORG/NAME`` or ``ORG/NAME@REVISION``;
                ``bundled:NAME`` and ``hub:ORG/NAME`` say which is meant.
            revision: A branch, tag or commit of the repository; None for its main branch.
            token: The Hub's token; None or True for the stored one, False for none.
            cache_dir: The Hub's cache; None for the usual one.
            local_files_only: Whether to use the cache only.
            force_download: Whether to fetch again what the cache has.

        Returns:
            The refiner, an object of this class, on the CPU; a network is in evaluation mode.

        Raises:
            RefinerError: When there is none of that name (the nearest is offered), its folder is damaged, or it is of
                another class.
            HubError: When a repository cannot be fetched.
        """
        access = Access(revision, token, cache_dir, local_files_only, force_download)
        folder = locate(name, access)
        kind: type[Refiner] = variant_named(read_config(folder)["variant"]).load_class()
        if not issubclass(kind, cls):
            ours = getattr(cls, "variant", cls.__name__)
            raise RefinerError(
                f"{os.fspath(name)} is a refiner of the variant {kind.variant}, not {ours}; load it with "
                "zoo.from_pretrained"
            )
        refiner = kind.load(folder, os.fspath(name) + (f"@{revision}" if revision else ""))
        refiner.weights_sha256, refiner.photographs_seen = weights_sha256(folder), photographs_seen(folder)
        return refiner

    @property
    def lesions(self) -> tuple[str, ...]:
        """Lesion classes that it is told apart; empty for one that is told no class, or takes any."""
        return ()

    @property
    def recognises(self) -> bool:
        """Whether marks of a class that it does not know are refined as the known class that they look like."""
        return False

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Self:
        """Read a refiner of this class from a checkpoint folder.

        Args:
            folder: A folder with config.json and, for a network, model.safetensors.
            name: The name of the refiner; the path of the folder where it is empty.

        Returns:
            The refiner.

        Raises:
            RefinerError: When the folder is damaged or of a newer version, or the class has no stored form.
        """
        raise RefinerError(f"{folder}: a {cls.__name__} cannot be read from a folder; make one in memory")

    def groups(self, image: Image, annotation: Annotation, scale: float | None = None) -> list[Group]:
        """Tell what each mark of the annotation is refined as.

        Args:
            image: (h, w, 3) uint8 RGB, of the annotation's size.
            annotation: What was drawn on it.
            scale: As for `refine`.

        Returns:
            One group of marks or more for each label, in the order of the labels; empty for an annotation without
            marks.

        Raises:
            AnnotationError: When the annotation was drawn on an image of another size.
        """
        check_drawn_on(annotation, image.shape)
        own: dict[str, list[int]] = {lesion: [] for lesion in annotation.lesions}
        for place, mark in enumerate(annotation.marks):
            own[mark.lesion].append(place)
        return [
            Group(lesion, lesion if lesion in self.lesions else "", BY_LABEL, tuple(places))
            for lesion, places in own.items()
        ]

    @abstractmethod
    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        """Refine every lesion class of the annotation.

        Args:
            image: (h, w, 3) uint8 RGB, of the annotation's size.
            annotation: What was drawn on it: ellipses, polygons, masks, points or lines, each of a lesion class.
            advance: Called with the number of marks just finished.
            scale: How large the photograph shows the retina, px for one px of IDRiD's photographs; None to find out, as
                `coarsekit.scale.scale_of` does.

        Returns:
            One (h, w) boolean mask for each lesion class; empty for an annotation without marks.

        Raises:
            AnnotationError: When the annotation was drawn on an image of another size.
        """
