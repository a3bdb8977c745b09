"""Refining whole photographs patch by patch, whatever computes the patches: torch, or another engine. No torch here."""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from coarsekit.annotations.given import AnnotationLike
from coarsekit.errors import RefinerError
from coarsekit.images.given import ImageLike
from coarsekit.scale import given_scale
from coarsekit.storage.digests import drawing_sha256, photograph_sha256
from coarsekit.types import Annotation, Image, Mask
from zoo.marks.groups import CONTRADICTION, Group
from zoo.marks.overlaps import divide_overlaps
from zoo.marks.result import Answer
from zoo.marks.specks import without_specks
from zoo.marks.unlikely import often_empty, without_unlikely
from zoo.models.appearance import Appearance
from zoo.models.config import Config
from zoo.models.inference import lesion_probability
from zoo.models.patches import PatchRefiner
from zoo.models.recognition import recognise
from zoo.refiner import Advance, Refiner, as_given, no_progress


class PatchwiseRefiner(Refiner):
    """A network as whole photographs are refined with it; what makes it one is `patch_probabilities`."""

    config: Config
    _recognised: tuple[tuple[object, ...], list[Group]] | None = None

    @property
    def uses_signature(self) -> bool:
        """Whether its answers depend on the signature of the marks, see `zoo.models.layers.matched_filter`."""
        return False

    @property
    def uses_prototypes(self) -> bool:
        """Whether its answers depend on the lesion prototype of a photograph, see `zoo.models.prototypes`."""
        return False

    def lesion_prototypes(
        self,
        image: NDArray[np.float32],
        coarse: NDArray[np.float32],
        lesion: str = "",
        signature: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """The lesion prototypes (b, channels) of patches, of length 1 or 0; arguments as of `patch_probabilities`.

        Raises `RefinerError` unless it `uses_prototypes`.
        """
        raise RefinerError(f"{self.name} has no prototypes of photographs; take a network with photograph_prototypes")

    @property
    def class_appearance(self) -> Appearance | None:
        """What the marks of its classes look like; None where that was not measured."""
        return None

    @abstractmethod
    def patch_probabilities(
        self,
        image: NDArray[np.float32],
        coarse: NDArray[np.float32],
        lesion: str = "",
        signature: NDArray[np.float32] | None = None,
        prototype: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Compute the probability of lesion for a batch of patches of one class.

        It is the mean over the first `tta_views` of four views: the patch as it is, mirrored from left to right, from
        top to bottom, and both.

        Args:
            image: (b, 3, s, s) float32 in 0–1, RGB.
            coarse: (b, 1, s, s) float32, 0 or 1.
            lesion: The class of all patches; the empty text, as any class not in `lesions`, for none.
            signature: (3,) float32, what the marks of the photograph have in common, see `zoo.models.signature`; None
                for each patch's own.
            prototype: (channels,) float32, the lesion prototype of the photograph, for one that `uses_prototypes`;
                None for each patch's own.

        Returns:
            (b, 1, s, s) float32 in 0–1.
        """

    def for_inference(self) -> PatchRefiner:
        """What to refine with: itself, or a faster copy with its present weights, equal but for rounding."""
        return self

    def class_index(self, lesion: str) -> int:
        """The index of a class in `lesions`, −1 for any other."""
        return self.lesions.index(lesion) if lesion in self.lesions else -1

    @property
    def recognises(self) -> bool:
        appearance = self.class_appearance
        return appearance is not None and appearance.fitted

    def groups(self, image: ImageLike, annotation: AnnotationLike, scale: float | None = None) -> list[Group]:
        appearance = self.class_appearance
        if appearance is None or not appearance.fitted:
            return super().groups(image, annotation, scale)
        image, annotation = as_given(image, annotation)
        scale = given_scale(image, annotation, scale)
        # The marks of a drawing are looked at once, whoever asks what they are and then refines them.
        known = (appearance.mean.tobytes(), appearance.between_root.tobytes(), appearance.within_root.tobytes())
        asked = (photograph_sha256(image), drawing_sha256(annotation), *known, scale)
        kept = self._recognised  # read once: another thread may keep another drawing's meanwhile
        if kept is None or kept[0] != asked:
            kept = self._recognised = asked, recognise(appearance, self.lesions, image, annotation, scale)
        return list(kept[1])

    def refine(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> dict[str, Mask]:
        return {answer.lesion: answer.mask for answer in self.answers(image, annotation, advance, scale)}

    def answers(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> Iterator[Answer]:
        image, annotation = as_given(image, annotation)
        scale = given_scale(image, annotation, scale)
        each = self._each_class(image, annotation, advance, scale)
        least = 0.0 if self.keep_specks else self.config.least_area * scale**2
        if not self.config.one_class or self.keep_overlaps or len(annotation.lesions) < 2:
            for lesion, probability, _ in each:
                mask, empty = self._likely(probability, annotation, lesion)
                yield Answer(lesion, without_specks(mask, annotation, lesion, least), mask, probability, empty)
            return
        # All at once, since each pixel's are compared.
        probabilities, by_label = {}, {}
        for lesion, probability, own in each:
            probabilities[lesion], by_label[lesion] = probability, own
        found = {lesion: self._likely(probability, annotation, lesion) for lesion, probability in probabilities.items()}
        claimed = {lesion: mask for lesion, (mask, _) in found.items()}
        ranks = {
            lesion: np.where(own >= self.config.threshold, own, probabilities[lesion] - 1)
            for lesion, own in by_label.items()
        }
        for lesion, divided in divide_overlaps(claimed, ranks).items():
            mask = without_specks(divided, annotation, lesion, least)
            yield Answer(lesion, mask, claimed[lesion], probabilities[lesion], found[lesion][1])

    def _likely(self, probability: NDArray[np.float32], annotation: Annotation, lesion: str) -> tuple[Mask, bool]:
        """What is found for a class, less what is unlikely, and whether its marks are often empty."""
        mask = probability >= self.config.threshold
        if self.keep_unlikely:
            return mask, False
        # Of a class that it does not know it may be unsure although the marks are around something.
        known = not self.lesions or lesion in self.lesions
        empty = self.config.empty_mean > 0 and known and often_empty(probability, annotation, lesion)
        least = max(self.config.least_mean, self.config.empty_mean if empty else 0.0)
        return without_unlikely(mask, probability, annotation, lesion, least), empty

    @property
    def cleaning(self) -> str:
        specks = "" if self.keep_specks or not self.config.least_area else f"least area {self.config.least_area:g}"
        unlikely, empty = (
            "" if self.keep_unlikely or not least else f"{what} {least:g}"
            for what, least in (("least mean", self.config.least_mean), ("empty mean", self.config.empty_mean))
        )
        one_class = "one class a pixel" if self.config.one_class and not self.keep_overlaps else ""
        return ", ".join(filter(None, (specks, unlikely, empty, one_class))) or super().cleaning

    def probabilities(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """Compute the probability of lesion, of which `refine` gives the pixels at or above the threshold.

        Less what it leaves out after that, see `cleaning`.

        It needs four bytes of memory a pixel for every class.

        Args:
            image: (h, w, 3) uint8 RGB, of the annotation's size.
            annotation: What was drawn on it.
            advance: Called with the number of marks just finished.
            scale: As for `refine`.

        Returns:
            (h, w) float32 in 0–1 by lesion class, 0 outside the windows; empty for an annotation without marks.

        Raises:
            AnnotationError: When the annotation was drawn on an image of another size.
        """
        return dict(self.each_probability(image, annotation, advance, scale))

    def each_probability(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """`probabilities`, one class after the other, since they are large."""
        image, annotation = as_given(image, annotation)
        scale = given_scale(image, annotation, scale)
        for lesion, probability, _ in self._each_class(image, annotation, advance, scale):
            yield lesion, probability

    def _each_class(
        self, image: Image, annotation: Annotation, advance: Advance, scale: float
    ) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
        """Each class with its probability, and with that of the marks alone that do not contradict their label."""
        groups, network = self.groups(image, annotation, scale), self.for_inference()
        own = [group for group in groups if group.why != CONTRADICTION]
        others = [group for group in groups if group.why == CONTRADICTION]
        for lesion in annotation.lesions:
            by_label = lesion_probability(network, image, annotation, lesion, own, scale, advance)
            probability = by_label
            if any(group.lesion == lesion for group in others):
                against = lesion_probability(network, image, annotation, lesion, others, scale, advance)
                probability = np.maximum(by_label, against)
            yield lesion, probability, by_label
