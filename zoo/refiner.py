"""What a refiner is: it turns the ellipses drawn on a photograph into pixel masks."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar, Self

from coarsekit.annotations.given import AnnotationLike, as_annotation
from coarsekit.errors import RefinerError
from coarsekit.geometry import lies_outside
from coarsekit.hub.download import Access
from coarsekit.images.given import ImageLike, as_image
from coarsekit.marks import ways_drawn
from coarsekit.scale import given_scale
from coarsekit.types import Annotation, Image, Mask
from zoo.checkpoints.folder import DEFAULT, locate, read_config, weights_sha256
from zoo.checkpoints.seen import photographs_seen
from zoo.marks.doubt import DoubtModel, mark_features, read_doubt
from zoo.marks.groups import BY_LABEL, Group
from zoo.marks.mark_masks import MarkMask, mark_masks
from zoo.marks.result import Answer, MarkResult, Refined, count_overlap
from zoo.variants import RECOGNISING_VERSION, REFINING_VERSION, variant_named

Advance = Callable[[int], None]
"""Called with the number of steps just finished."""


def no_progress(*_: object) -> None:
    """The callback that does nothing."""


def as_given(image: ImageLike, annotation: AnnotationLike) -> tuple[Image, Annotation]:
    """A photograph and what was drawn on it, as callers have them; see `as_image` and `as_annotation`.

    Args:
        image: A path, Pillow's image, or an array.
        annotation: An annotation, a path, or a list of marks.

    Returns:
        (h, w, 3) uint8 RGB, and the annotation in its pixels.

    Raises:
        ImageError: When the photograph cannot be read, or is none.
        AnnotationError: When the annotation cannot be read, or was drawn on an image of another size.
        TypeError: When one of them is of another type.
    """
    pixels = as_image(image)
    return pixels, as_annotation(annotation, pixels.shape, Path(image).name if isinstance(image, (str, Path)) else "")


class Refiner(ABC):
    """The one interface of networks and baselines."""

    variant: ClassVar[str]
    """The name of its row in `zoo.variants`, as in config.json."""
    engine: ClassVar[str] = "numpy"
    """What computes its answers: torch, onnx, or, for a baseline, numpy."""
    name: str = ""
    """The name or folder that it was loaded from; empty for one that was made in memory."""
    trained_on: str = ""
    """The data that it was trained on or fitted to."""
    weights_sha256: str = ""
    """Which weights it was loaded with, see `zoo.checkpoints.folder.weights_sha256`; empty for one made in memory."""
    doubt: DoubtModel | None = None
    """What tells how far to trust an answer; None of a refiner that was not fitted for it."""
    doubt_left_out: str = ""
    """Why what its folder has for that was left out, a sentence; empty otherwise."""
    keep_specks: bool = False
    """Whether to leave in tiny components beside a larger answer, of a refiner that leaves them out."""
    keep_unlikely: bool = False
    """Whether to leave in components that are unlikely as a whole, of a refiner that leaves them out."""
    keep_overlaps: bool = False
    """Whether a pixel may be of several classes, of a refiner that leaves it to one."""
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
        return kind.loaded(folder, os.fspath(name) + (f"@{revision}" if revision else ""))

    @classmethod
    def loaded(cls, folder: Path, name: str) -> Self:
        """`load`, with all else that the folder says of the refiner."""
        refiner = cls.load(folder, name)
        refiner.weights_sha256, refiner.photographs_seen = weights_sha256(folder), photographs_seen(folder)
        refiner.doubt, refiner.doubt_left_out = read_doubt(folder, refiner.weights_sha256)
        return refiner

    @property
    def lesions(self) -> tuple[str, ...]:
        """Lesion classes that it is told apart; empty for one that is told no class, or takes any."""
        return ()

    @property
    def recognises(self) -> bool:
        """Whether marks of a class that it does not know are refined as the known class that they look like."""
        return False

    def code_version(self, drawn: Iterable[str]) -> int | str:
        """The version of the code that answers, and where it recognises one of the labels ``drawn``, of that, too."""
        unknown = self.recognises and not set(drawn) <= set(self.lesions)
        return f"{REFINING_VERSION}.{RECOGNISING_VERSION}" if unknown else REFINING_VERSION

    @property
    def cleaning(self) -> str:
        """What is done to its answers, for records."""
        return "none"

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

    def groups(self, image: ImageLike, annotation: AnnotationLike, scale: float | None = None) -> list[Group]:
        """Tell what each mark of the annotation is refined as.

        Args:
            image: (h, w, 3) uint8 RGB, of the annotation's size.
            annotation: What was drawn on it.
            scale: As for `refine`.

        Returns:
            One group of marks or more for each label, in the order of the labels; empty for an annotation without
            marks. A mark that lies wholly outside the photograph is in none, and changes nothing for the others.

        Raises:
            AnnotationError: When the annotation was drawn on an image of another size.
        """
        image, annotation = as_given(image, annotation)
        own: dict[str, list[int]] = {lesion: [] for lesion in annotation.lesions}
        for place, mark in enumerate(annotation.marks):
            if not lies_outside(mark.shape, annotation.width, annotation.height):
                own[mark.lesion].append(place)
        return [
            Group(lesion, lesion if lesion in self.lesions else "", BY_LABEL, tuple(places))
            for lesion, places in own.items()
            if places
        ]

    @abstractmethod
    def refine(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> dict[str, Mask]:
        """Refine every lesion class of the annotation.

        Args:
            image: The photograph: a path, Pillow's image, or an array, see `coarsekit.images.given.as_image`.
            annotation: What was drawn on it, ellipses, polygons, masks, points or lines, each of a lesion class: an
                annotation, the path of a file of any format that is read, or a list of marks.
            advance: Called with the number of marks just finished.
            scale: Px of the photograph for one px of IDRiD's; None to find it, as `coarsekit.scale.scale_of` does.

        Returns:
            One (h, w) boolean mask for each lesion class; empty for an annotation without marks.

        Raises:
            AnnotationError: When the annotation was drawn on an image of another size.
            ParameterError: When the scale is none of a retina.

        Examples:
            >>> masks = zoo.from_pretrained("shrink").refine("image.png", "ellipses.json")
            >>> {lesion: mask.shape for lesion, mask in masks.items()}
            {'MA': (120, 160), 'HE': (120, 160)}
        """

    def answers(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> Iterator[Answer]:
        """`refine`, one class after the other, with the probability of a refiner that has one.

        Args:
            image: As for `refine`.
            annotation: As for `refine`.
            advance: As for `refine`.
            scale: As for `refine`.

        Yields:
            An answer for each lesion class, in the order of the annotation's.

        Raises:
            AnnotationError: When the annotation was drawn on an image of another size.
        """
        for lesion, mask in self.refine(image, annotation, advance, scale).items():
            yield Answer(lesion, mask, mask, None)

    def refine_marks(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> Refined:
        """`refine`, and tell what was found for each mark: its own mask, how far it reaches, how far to trust it.

        Args:
            image: As for `refine`.
            annotation: As for `refine`.
            advance: As for `refine`.
            scale: As for `refine`.

        Returns:
            The masks of `refine`, and a result for each mark; both empty for an annotation without marks. The masks of
            a class's marks are disjoint, and are the class's mask together, see `zoo.marks.mark_masks`. For a mark that
            lies wholly outside the photograph nothing is found, and 0 pixels are drawn.

        Raises:
            AnnotationError: When the annotation was drawn on an image of another size.

        Examples:
            >>> refined = zoo.from_pretrained("shrink").refine_marks("image.png", "ellipses.json")
            >>> [mark.lesion for mark in refined.marks]
            ['MA', 'MA', 'MA', 'HE', 'HE', 'HE']
        """
        image, annotation = as_given(image, annotation)
        scale = given_scale(image, annotation, scale)
        groups = {place: group for group in self.groups(image, annotation, scale) for place in group.marks}
        masks: dict[str, Mask] = {}
        claimed: dict[str, Mask] = {}
        often_empty: set[str] = set()
        found: dict[int, tuple[MarkMask, float | None, dict[str, float]]] = {}
        for place, mark in enumerate(annotation.marks):  # those outside are in no group
            groups.setdefault(place, Group(mark.lesion, "", BY_LABEL, (place,)))
        for answer in self.answers(image, annotation, advance, scale):
            masks[answer.lesion], claimed[answer.lesion] = answer.mask, answer.claimed
            if answer.often_empty:
                often_empty.add(answer.lesion)
            for own in mark_masks(annotation, answer.lesion, answer.mask):
                by_content = groups[own.place].why != BY_LABEL
                features = mark_features(image, own, answer.mask, answer.probability, scale, by_content)
                found[own.place] = own, _mean(answer, own), features
        ways, results = ways_drawn(annotation), []
        for place in sorted(found):
            (own, mean, features), group = found[place], groups[place]
            results.append(
                MarkResult(
                    place,
                    group.lesion,
                    ways[place],
                    group.taken_as,
                    group.why,
                    own.mask,
                    own.found,
                    own.drawn_pixels,
                    own.pixels,
                    own.outside_pixels,
                    count_overlap(own, group.lesion, claimed),
                    mean,
                    None if self.doubt is None else self.doubt.expected_iou(group.taken_as or group.lesion, features),
                    features,
                )
            )
        return Refined(masks, tuple(results), frozenset(often_empty))


def _mean(answer: Answer, found: MarkMask) -> float | None:
    """The mean probability over what was found for a mark."""
    if answer.probability is None or found.mask is None:
        return None
    height, width = found.mask.crop.shape
    top, left = found.mask.top, found.mask.left
    return float(answer.probability[top : top + height, left : left + width][found.mask.crop].mean())
