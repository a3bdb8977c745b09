"""What a training is made of: pairs to learn from, and held-out photographs to choose by."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import OnFailure
from coarsekit.errors import ParameterError
from coarsekit.simulation.styles import style_named
from coarsekit.storage.digests import sha256_of
from zoo.checkpoints.seen import learned_before
from zoo.models.base import Network
from zoo.refiner import no_progress
from zoo.training.appearance import mark_appearance
from zoo.training.data.pair_transform import pair_transform
from zoo.training.data.photograph_store import CachedPhotograph, cache_photographs
from zoo.training.data.simulated_pairs import SimulatedPairs
from zoo.training.distributed.devices import Devices
from zoo.training.exported_source import Export
from zoo.training.recipe import Recipe, hold_out
from zoo.training.validation import Validation, score_photograph, summary


class TrainingSource(Protocol):
    """Photographs to train on, and others held out to choose by; known by their keys.

    ``training_lesions``: the classes that those to train on show. ``photograph_sha256``: the digest of each one's
    pixels by key. ``content``: the digests of all else in the data that
    a training depends on, by what it is and its name.
    """

    training_keys: list[str]
    validation_keys: list[str]
    training_lesions: list[str]
    photograph_sha256: dict[str, str]
    content: dict[str, dict[str, str]]

    def pairs(self, recipe: Recipe, network: Network, devices: Devices) -> Any:
        """The pairs to learn from: a torch dataset, of all pairs or, as a stream, of this process's.

        It has pairs as `SimulatedPairs` has them, their number as its length, and ``start_epoch``, which chooses the
        pairs of an epoch by seed and epoch alone.
        """

    def appearance(self, recipe: Recipe, lesions: Sequence[str]) -> dict[int, list[NDArray[np.float64]]]:
        """What the marks of each class look like, see `mark_appearance`; `ParameterError` where they cannot be seen."""

    def validate(self, network: Network, devices: Devices) -> Validation:
        """Score the network on the held-out photographs."""


class Photographs:
    """Cached photographs: pairs are simulated for every epoch, and validation refines whole photographs.

    ``kept``: how many of the photographs were in the cache before.
    """

    def __init__(
        self, training: Sequence[CachedPhotograph], validation: Sequence[CachedPhotograph], styles: Sequence[str]
    ) -> None:
        self._training, self._validation = training, validation
        self._styles = [style_named(name) for name in styles]
        self._each_style = [style_named(name) for name in dict.fromkeys(styles)]
        self.training_keys = [photograph.key for photograph in training]
        self.validation_keys = [photograph.key for photograph in validation]
        self.training_lesions = list(dict.fromkeys(lesion for one in training for lesion in one.shown))
        both = [*training, *validation]
        self.photograph_sha256 = {photograph.key: photograph.photograph_sha256 for photograph in both}
        self.content = {
            "masks_sha256": {photograph.key: photograph.masks_sha256 for photograph in both},
            "style_sha256": {style.name: sha256_of(style.parameters()) for style in self._styles},
        }
        self.kept = sum(photograph.kept for photograph in both)

    def pairs(self, recipe: Recipe, network: Network, devices: Devices) -> SimulatedPairs:
        """See `TrainingSource.pairs`."""
        return SimulatedPairs(
            self._training,
            self._styles,
            recipe.reductions,
            network.config,
            pair_transform(recipe, network),
            recipe.samples,
            recipe.balance,
            recipe.negatives,
            recipe.synthetic,
        )

    def appearance(self, recipe: Recipe, lesions: Sequence[str]) -> dict[int, list[NDArray[np.float64]]]:
        """See `TrainingSource.appearance`."""
        return mark_appearance(self._training, self._styles, recipe.reductions, lesions, recipe.seed)

    def validate(self, network: Network, devices: Devices) -> Validation:
        """See `TrainingSource.validate`; the processes share the photographs."""
        scores = devices.map_over_ranks(
            lambda photograph: score_photograph(network, photograph, self._each_style), self._validation
        )
        return summary([score for own in scores for score in own])


def training_source(
    source: Dataset | Export,
    split: str,
    recipe: Recipe,
    cache: Path,
    advance: Callable[[int], None] = no_progress,
    on_failure: OnFailure | None = None,
) -> TrainingSource:
    """A split of a source, part of its photographs held out to choose by.

    Args:
        source: A dataset, or an export of one.
        split: Name of the split.
        recipe: What to train; its classes, styles, reduction factors, share to hold out and seed are used here.
        cache: Folder that the photographs are decoded into, or an export's rows unpacked to.
        advance: Called with the number of photographs just read.
        on_failure: Called for each photograph of a dataset that cannot be used and is left out, see `readable`.

    Returns:
        Pairs to learn from, and the held-out photographs.

    Raises:
        ParameterError: The source has no such split or lesion class, too few photographs, or is an export and cannot
            do what the recipe asks.
    """
    if isinstance(source, Export):
        from zoo.training.data.exported_dataset import Exported  # with datasets, which nothing else here needs

        return Exported(source, split, recipe, cache)
    unknown = [lesion for lesion in recipe.only_lesions if lesion not in source.lesions]
    if unknown:
        raise ParameterError(f"{source.name} has no lesion class {unknown[0]!r}; it has {', '.join(source.lesions)}")
    styles = [style_named(name) for name in recipe.styles]
    reductions = tuple(dict.fromkeys((*recipe.reductions, 1.0)))  # the last is what is validated at
    keys = source.keys(split)
    cached = cache_photographs(source, keys, cache, styles, reductions, recipe.only_lesions, advance, on_failure)
    photographs = {photograph.key: photograph for photograph in cached}
    training, held_out = hold_out(
        tuple(photographs),
        recipe.validation,
        recipe.seed,
        lambda key: bool(photographs[key].shown),
        {key: photograph.photograph_sha256 for key, photograph in photographs.items()},
        learned_before(recipe.start) or (),
    )
    return Photographs([photographs[key] for key in training], [photographs[key] for key in held_out], recipe.styles)


def note_on_start(start: str, photographs: TrainingSource) -> str:
    """A sentence where the refiner to start from has learned from photographs that are held out, or may have."""
    learned, held = learned_before(start), photographs.validation_keys
    if not held:
        return ""
    if learned is None:
        return (
            f"{start} does not say by digest which photographs it was trained on: where those held out are among them, "
            "the validation IoU is too high."
        )
    known = [key for key in held if photographs.photograph_sha256[key] in learned]
    if known:
        return (
            f"{len(known)} of {len(held)} photographs held out are among those that {start} was trained on, as "
            f"{known[0]}: the validation IoU is too high, and they are none of the split held-out."
        )
    if learned & {photographs.photograph_sha256[key] for key in photographs.training_keys}:
        return f"Held out: {len(held)}, chosen among the photographs that {start} was not trained on."
    return ""
