"""The refiners that an evaluation scores: those named, and the floor, which is the drawing as it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import final

from coarsekit.annotations.given import AnnotationLike
from coarsekit.datasets.base import Dataset, Subset
from coarsekit.datasets.readable import readable
from coarsekit.errors import ParameterError
from coarsekit.geometry import draw
from coarsekit.images.given import ImageLike
from coarsekit.storage.digests import photograph_sha256
from coarsekit.types import Mask
from zoo.checkpoints.folder import BUNDLED, locate, read_config, read_record, weights_sha256
from zoo.checkpoints.seen import classes_seen, photographs_trained_on
from zoo.checkpoints.sources import sources, steps
from zoo.evaluation.results import RefinerInfo
from zoo.loading import from_pretrained, on_device
from zoo.refiner import Advance, Refiner, as_given, no_progress
from zoo.variants import variant_named

FLOOR = "floor"
BLIND = "shrink"
"""The image-blind rule, a row of every table."""
HELD_OUT = "held-out"
"""The split of the photographs that networks were validated on."""
_NEEDS = (
    f"the split {HELD_OUT} needs networks whose training.json says by digest which photographs they held out, and "
    "which they were trained on"
)


@final
class Floor(Refiner):
    """Answers the coarse mask itself: what an evaluation's floor is."""

    name = variant = FLOOR

    def refine(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> dict[str, Mask]:
        image, annotation = as_given(image, annotation)
        shape = (annotation.height, annotation.width)
        return {lesion: draw(annotation.of(lesion), shape) for lesion in annotation.lesions}


def select_split(dataset: Dataset, split: str | None, names: Iterable[str]) -> tuple[Dataset, str | None]:
    """The dataset that has a split, and the split as `Dataset.keys` takes it.

    ``all`` is every split, where none is called so; `HELD_OUT` is what `held_out` gives of the refiners ``names``.

    Raises `ParameterError` when the dataset does not have the split.
    """
    if split == HELD_OUT and split not in dataset.splits():
        dataset = held_out(dataset, names)
    split = None if split == "all" and split not in dataset.splits() else split
    dataset.keys(split)
    return dataset, split


def held_out(dataset: Dataset, names: Iterable[str]) -> Dataset:
    """The photographs that every network of these names held out of its training, to validate on: for choosing by.

    They are known by their pixels, whatever their keys, and are the split `HELD_OUT` of what is returned. What any
    training that led to a network learned from is none of them. Baselines do not count.

    Raises `ParameterError` when there is no network, one does not say which it held out, or none is left.
    """
    parts = [_held_out_by(name) for name in names if variant_named(read_config(locate(name))["variant"]).is_network]
    if not parts:
        raise ParameterError(f"{_NEEDS}; only baselines are named, so name one that this version trained")
    shared = set.intersection(*parts)
    keys = dataset.keys()
    unread: dict[str, str] = {}  # they stay, to be named by whoever reads them next
    digests = {each.key: photograph_sha256(each.image) for each in readable(dataset, keys, unread.__setitem__)}
    kept = [key for key in keys if key in unread or digests[key] in shared]
    if len(kept) == len(unread):
        kept = []
    return Subset(dataset, HELD_OUT, kept)


def _held_out_by(name: str) -> set[str]:
    """The digests of the photographs that a network held out, in another size, too."""
    record = read_record(locate(name))
    digests, held = record.get("photograph_sha256", {}), record.get("validation_images", ())
    trained = photographs_trained_on(record)
    if trained is None or not held or not digests.keys() >= set(held):
        raise ParameterError(
            f"{_NEEDS}; that of {name}, or of what it started from, does not, so name one that this version trained"
        )
    # A training before this one may know a photograph in another size, as the bundled sample is of IDRiD's.
    return {digest for step in steps(record) for digest in step["photograph_sha256"].values()} - trained


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedRefiner:
    """A refiner that is evaluated: what is known of it, and how to load it, which another process can do as well."""

    info: RefinerInfo
    load: Callable[[], Refiner]


def floor() -> EvaluatedRefiner:
    """The floor as a refiner that is evaluated."""
    return EvaluatedRefiner(RefinerInfo(FLOOR, FLOOR, "", FLOOR, trained=False, seen=None, photographs_seen=()), Floor)


def blind_rule() -> EvaluatedRefiner:
    """The bundled image-blind rule as a refiner that is evaluated, whatever folder has its name."""
    return load_for_evaluation(BLIND, place=BUNDLED + BLIND)


def load_for_evaluation(name: str, device: str = "cpu", place: str = "") -> EvaluatedRefiner:
    """Load a refiner that is to be evaluated.

    Args:
        name: A bundled refiner, a checkpoint folder, or ``ORG/NAME`` on the Hub.
        device: Where a network computes: ``cpu``, ``cuda``, ….
        place: Where it is loaded from, if tables call it otherwise than that.

    Returns:
        The refiner with what is known of it.

    Raises:
        RefinerError: When there is none of that name, or its folder is damaged.
        ParameterError: When there is no such device here.
    """
    folder = locate(place or name)
    weights = weights_sha256(folder)
    load = partial(_loaded, place or name, device, weights)
    refiner = load()
    trained = variant_named(refiner.variant).is_network
    seen = classes_seen(folder) if trained else None
    shown = refiner.photographs_seen
    photographs = None if shown is None else tuple(sorted(shown))
    own = tuple(dict.fromkeys(source.name for source in sources(read_config(folder), read_record(folder))))
    info = RefinerInfo(name, refiner.variant, refiner.trained_on, weights, trained, seen, photographs, own)
    return EvaluatedRefiner(info, load)


@lru_cache(maxsize=32)
def _loaded(name: str, device: str, _weights: str) -> Refiner:
    """Loaded once in each process; other weights under the same name are loaded again."""
    return on_device(from_pretrained(name), device)
