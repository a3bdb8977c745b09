"""Who takes part in an evaluation: refiners by name, and the floor, which is the drawing as it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from inspect import getmodule, getsource
from typing import final

from coarsekit.datasets.base import Dataset, Subset
from coarsekit.errors import ParameterError
from coarsekit.geometry import draw
from coarsekit.types import Annotation, Image, Mask
from zoo.checkpoints.folder import classes_seen, locate, read_record
from zoo.evaluation.results import RefinerInfo
from zoo.loading import from_pretrained, on_device
from zoo.refiner import Advance, Refiner, check_size, no_progress

FLOOR = "floor"
BLIND = "shrink"
"""The image-blind rule, which every table holds."""
HELD_OUT = "held-out"
"""The split of the photographs that networks were validated on."""


@final
class Floor(Refiner):
    """Answers the coarse mask itself: what an evaluation's floor is."""

    name = variant = FLOOR

    def refine(self, image: Image, annotation: Annotation, advance: Advance = no_progress) -> dict[str, Mask]:
        check_size(image, annotation)
        shape = (annotation.height, annotation.width)
        return {lesion: draw(annotation.of(lesion), shape) for lesion in annotation.lesions}


def held_out(dataset: Dataset, names: Iterable[str]) -> Dataset:
    """The photographs that none of the networks of these names learned from, though they were there: for choosing by.

    They are those that every training held out to validate on, as the split `HELD_OUT`; rules do not count.

    Raises `ParameterError` when no network says which it held out, or none is left.
    """
    records = [read_record(locate(name)) for name in names]
    parts = [set(record["validation_images"]) for record in records if record.get("validation_images")]
    if not parts:
        raise ParameterError(f"--split {HELD_OUT} needs a network whose training.json says what it held out; name one")
    shared = set.intersection(*parts)
    return Subset(dataset, HELD_OUT, filter(shared.__contains__, dataset.keys()))


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """A refiner that takes part: what is known of it, and how to get it, which another process can do as well."""

    about: RefinerInfo
    make: Callable[[], Refiner]


def floor() -> Contestant:
    """The floor as one that takes part."""
    return Contestant(RefinerInfo(FLOOR, FLOOR, "", FLOOR, trained=False, seen=None), Floor)


def load_for_evaluation(name: str, device: str = "cpu") -> Contestant:
    """The refiner of that name, loaded: a bundled one, a rule, or a checkpoint folder.

    Raises `RefinerError` when there is none of that name or its folder is damaged, and `ParameterError` when there is
    no such device here.
    """
    digest = _digest(name)
    make = partial(_loaded, name, device, digest)
    refiner = make()
    trained = hasattr(refiner, "photograph_probabilities")
    seen = classes_seen(locate(name)) if trained else None
    if not trained:  # a rule is its code
        digest = sha256(digest.encode() + _code(refiner)).hexdigest()
    variant = getattr(refiner, "variant", name)
    return Contestant(RefinerInfo(name, variant, refiner.trained_on, digest, trained, seen), make)


@lru_cache(maxsize=32)
def _loaded(name: str, device: str, _digest: str) -> Refiner:
    """Loaded once in each process; other content under the same name is loaded anew."""
    return on_device(from_pretrained(name), device)


def _code(refiner: Refiner) -> bytes:
    module = getmodule(type(refiner))
    return getsource(module).encode() if module else b""


def _digest(name: str) -> str:
    """The hash of what a refiner's answers follow from: its folder's configuration and weights."""
    folder = locate(name)
    digest = sha256()
    for path in sorted(folder.glob("config.json")) + sorted(folder.glob("*.safetensors")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
