"""The abstract network: what every variant shares, from its configuration to the masks of a whole photograph."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin
from numpy.typing import NDArray
from torch import Tensor, nn

from coarsekit.annotations.given import AnnotationLike
from coarsekit.errors import CoarsekitError, RefinerError, did_you_mean
from coarsekit.images.given import ImageLike
from coarsekit.scale import scale_of
from coarsekit.types import Annotation, Image, Mask
from coarsekit.validation import validated
from zoo.cards.model_card import card_text
from zoo.checkpoints import weights
from zoo.checkpoints.folder import CHECKPOINT_FORMAT, CONFIG, read_config, read_record
from zoo.marks.overlaps import divide_overlaps
from zoo.marks.specks import without_specks
from zoo.models.config import Config
from zoo.models.inference import lesion_probability
from zoo.refiner import CONTRADICTION, Advance, Answer, Refiner, as_given, no_progress
from zoo.variants import NETWORKS, variant_named

AnyNetwork = TypeVar("AnyNetwork", bound="Network")


class Network(nn.Module, Refiner, PyTorchModelHubMixin):  # type: ignore[misc] # from_pretrained is stricter here
    """A trainable refiner. A variant is a final class ``Network`` beside its ``Config`` in a file of this folder.

    ``save_pretrained`` and ``push_to_hub`` are the ecosystem's; the folder that they write is a checkpoint folder.
    """

    config_type: ClassVar[type[Config]]
    record: Mapping[str, Any] = MappingProxyType({})
    """How it was trained, as in training.json; empty for one that was made in memory."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    @property
    def lesions(self) -> tuple[str, ...]:
        """Lesion classes that the network is conditioned on; empty for one that treats all alike, as the paper's do."""
        return ()

    @property
    def uses_signature(self) -> bool:
        """Whether its answers depend on the signature of the marks, see `zoo.models.layers.matched_filter`."""
        return False

    @abstractmethod
    def forward(
        self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None, signature: Tensor | None = None
    ) -> Tensor:
        """Compute logits of lesion for a batch of patches, whose side s is a multiple of 32.

        Args:
            image: (b, 3, s, s) float in 0–1, RGB.
            coarse: (b, 1, s, s) float, 0 or 1; it may be empty, and it may fill the patch.
            lesion: (b,) long, each patch's class as its index in `lesions`, or −1 for another class; None when all
                are of other classes.
            signature: (b, 3) float, the signature of the marks that each patch's are among; None for each patch's own.

        Returns:
            (b, 1, s, s) float, finite for every coarse mask; its sigmoid is the probability of lesion.
        """

    def describe(self) -> dict[str, Any]:
        """What config.json says of it: all that is needed to build it, before its weights are filled in."""
        return {
            "format": CHECKPOINT_FORMAT,
            "variant": self.variant,
            "trained_on": self.trained_on,
            "config": dataclasses.asdict(self.config),
        }

    def save(self, folder: Path, record: Mapping[str, Any], half: bool = True) -> None:
        """Write its checkpoint folder; ``half`` stores weights as 16-bit floats, at half the size."""
        weights.save(folder, self, self.describe(), record, half)

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Self:
        """Read a network, strictly: every tensor that its config implies, of that shape, and no other.

        Raises `RefinerError` for an unknown field, a newer format, and a missing, extra or misshapen tensor.
        """
        stored = read_config(folder)
        try:
            network = build(cls, stored["config"])
        except CoarsekitError as error:
            raise RefinerError(f"{folder / CONFIG}: {error}") from None
        weights.load_into(network, folder)
        network.name, network.trained_on = name or str(folder), stored.get("trained_on", "")
        network.record = read_record(folder)
        return network.eval()

    def initialise(self) -> None:
        """Start from pretrained features; variants that have none raise `RefinerError`."""
        raise RefinerError(f"the variant {self.variant} has no pretrained features; train it without pretrained=True")

    def for_inference(self) -> "Network":
        """The network to refine with: itself, or a faster copy with its present weights, equal but for rounding."""
        return self

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
        if scale is None:
            scale = scale_of(image, annotation).value
        each = self._each_class(image, annotation, advance, scale)
        least = 0.0 if self.keep_specks else self.config.least_area * scale**2
        if not self.config.one_class or self.keep_overlaps or len(annotation.lesions) < 2:
            for lesion, probability, _ in each:
                mask = probability >= self.config.threshold
                yield Answer(lesion, without_specks(mask, annotation, lesion, least), mask, probability)
            return
        # All at once, since each pixel's are compared.
        probabilities, by_label = {}, {}
        for lesion, probability, own in each:
            probabilities[lesion], by_label[lesion] = probability, own
        claimed = {lesion: probability >= self.config.threshold for lesion, probability in probabilities.items()}
        ranks = {
            lesion: np.where(own >= self.config.threshold, own, probabilities[lesion] - 1)
            for lesion, own in by_label.items()
        }
        for lesion, divided in divide_overlaps(claimed, ranks).items():
            mask = without_specks(divided, annotation, lesion, least)
            yield Answer(lesion, mask, claimed[lesion], probabilities[lesion])

    @property
    def cleaning(self) -> str:
        specks = "" if self.keep_specks or not self.config.least_area else f"least area {self.config.least_area:g}"
        one_class = "one class a pixel" if self.config.one_class and not self.keep_overlaps else ""
        return ", ".join(filter(None, (specks, one_class))) or super().cleaning

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
        if scale is None:
            scale = scale_of(image, annotation).value
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

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The card that `save_pretrained` and `push_to_hub` put beside the weights, where there is none yet."""
        # Without measured metrics, because its weights may have changed since.
        return ModelCard(card_text(self.name, self.describe(), self.record))

    def _save_pretrained(self, save_directory: Path) -> None:
        self.save(save_directory, dict(self.record), half=weights.fits_half(self))

    @torch.inference_mode()
    def patch_probabilities(
        self, image: Tensor, coarse: Tensor, lesion: str = "", signature: Tensor | None = None
    ) -> Tensor:
        """Compute the probability of lesion for a batch of patches of one class, in evaluation mode.

        It is the mean over the first `tta_views` of four views: the patch as it is, mirrored from left to right, from
        top to bottom, and both.

        Args:
            image: (b, 3, s, s) float in 0–1, RGB, on the CPU.
            coarse: (b, 1, s, s) float, 0 or 1, on the CPU.
            lesion: The class of all patches; the empty text, as any class not in `lesions`, for none.
            signature: (3,), what the marks of the photograph have in common, see `zoo.models.signature`; None for
                each patch's own.

        Returns:
            (b, 1, s, s) float32 in 0–1, on the CPU.
        """
        device = next(self.parameters()).device
        self.eval()
        image, coarse = image.to(device), coarse.to(device)
        classes = torch.full((len(image),), self.class_index(lesion), device=device)
        signatures = None if signature is None else signature.to(device).expand(len(image), -1)
        mirrored: list[list[int]] = [[], [-1], [-2], [-2, -1]][: self.config.tta_views]
        view = self.views(image, coarse, classes, signatures)
        return torch.stack([view(axes).sigmoid().flip(axes) for axes in mirrored]).mean(0).float().cpu()

    def views(
        self, image: Tensor, coarse: Tensor, lesion: Tensor, signature: Tensor | None
    ) -> Callable[[list[int]], Tensor]:
        """What gives the logits of patches mirrored along axes, mirrored as they are; arguments as of `forward`."""
        return lambda axes: self(image.flip(axes), coarse.flip(axes), lesion, signature)

    def class_index(self, lesion: str) -> int:
        """The index of a class in `lesions`, −1 for any other."""
        return self.lesions.index(lesion) if lesion in self.lesions else -1


def network_class(name: str) -> type[Network]:
    """The class of a network.

    Raises `RefinerError` for an unknown name, and for a baseline, which has no weights.
    """
    variant = variant_named(name)
    if not variant.is_network:
        raise RefinerError(f"the variant {name} is a rule without weights; choose one of {', '.join(NETWORKS)}")
    kind: type[Network] = variant.load_class()
    return kind


def build(kind: type[AnyNetwork], fields: Mapping[str, Any]) -> AnyNetwork:
    """A network of a variant, untrained, from the fields of its configuration.

    Args:
        kind: The class of the network; see `network_class`.
        fields: Values by field of its `config_type`; the others have their defaults.

    Returns:
        The network, with random weights.

    Raises:
        RefinerError: For a field that the variant does not have, and for a value of another type.
        ParameterError: For a value out of its range.
    """
    known = [field.name for field in dataclasses.fields(kind.config_type)]
    for name in fields:
        if name not in known:
            raise RefinerError(
                f"{kind.variant} has no field {name!r}; it has {', '.join(known)}{did_you_mean(name, known)}"
            )
    # Not strict: JSON has no tuples.
    return kind(validated(kind.config_type, dict(fields), kind.variant, error=RefinerError, strict=False))
