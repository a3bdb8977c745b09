"""How far the trainings of a plan are: new, interrupted, done, or by another recipe or on other data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import readable
from coarsekit.errors import OutputError
from coarsekit.simulation.styles import style_named
from coarsekit.storage.digests import masks_sha256, photograph_sha256, sha256_of
from zoo.checkpoints.folder import STATE, is_checkpoint
from zoo.refiner import no_progress
from zoo.reproduction.plan import Training
from zoo.training.state import changes, read_state
from zoo.variants import REFINING_VERSION

Content = Mapping[str, Mapping[str, str]]
"""The digests of all that a training depends on, by what it is and its name, as its state has them."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far a training is: ``epochs`` are done, on ``content``, which is None where nothing was begun.

    ``other``: what is there instead, in words, where that is another training.
    """

    epochs: int = 0
    content: Content | None = None
    other: str = ""

    @property
    def started(self) -> bool:
        """Whether there is something to go on from."""
        return self.content is not None


def status_of(training: Training) -> Status:
    """How far a training is by what its folder has; the photographs are not looked at."""
    folder = training.folder
    if not (folder / STATE).exists():
        return Status(other="a checkpoint without its state") if is_checkpoint(folder) else Status()
    try:
        state = read_state(folder)
    except OutputError as error:
        return Status(other=str(error))
    ours, theirs = _fields(training.recipe.parameters()), _fields(state["recipe"])
    for name in sorted(ours | theirs):
        if ours.get(name) != theirs.get(name):
            said = f"its recipe has {name} {_shown(theirs.get(name))}, and {_shown(ours.get(name))} is planned"
            return Status(other=said)
    return Status(state["epoch"], state["content"])


def check_recipes(found: Mapping[Path, Status], force: bool) -> None:
    """Raise `OutputError` for a training by another recipe, unless ``force`` is set."""
    for folder, status in found.items():
        if status.other and not force:
            raise OutputError(
                f"{folder}: another training is there ({status.other}); give force=True to train anew, the settings "
                "that it had, or another out=…"
            )


def content_of(
    trainings: Sequence[Training], dataset: Dataset, split: str, advance: Callable[[int], None] = no_progress
) -> dict[Path, Content]:
    """What each training depends on, by digest, as its state has it; every photograph of the split is read once.

    ``advance``: called with 1 for each photograph.
    """
    photographs: dict[str, str] = {}
    masks: dict[tuple[str, ...], dict[str, str]] = {training.recipe.only_lesions: {} for training in trainings}
    for fundus in readable(dataset, dataset.keys(split), lambda *_: advance(1)):  # named by the training that it leaves
        key = fundus.key
        photographs[key] = photograph_sha256(fundus.image)
        for lesions, own in masks.items():
            own[key] = masks_sha256(
                {name: mask for name, mask in fundus.fine.items() if not lesions or name in lesions}
            )
        advance(1)
    return {
        training.folder: {
            "photograph_sha256": photographs,
            "masks_sha256": masks[training.recipe.only_lesions],
            "style_sha256": {
                style.name: sha256_of(style.parameters()) for style in map(style_named, training.recipe.styles)
            },
            "refining_version": {"": str(REFINING_VERSION)},
        }
        for training in trainings
    }


def check_content(found: Mapping[Path, Status], content: Mapping[Path, Content], force: bool) -> dict[Path, Status]:
    """The trainings that were started on other content than there is now, which count as others.

    Raises `OutputError` when there is one, unless ``force`` is set.
    """
    others = {}
    for folder, own in found.items():
        if own.content is not None and (said := changes(content[folder], own.content)):
            others[folder] = Status(other=f"{said} differ")
    check_recipes(others, force)
    return others


def _fields(parameters: dict[str, Any]) -> dict[str, Any]:
    """The fields of a recipe and of its network, in one mapping."""
    return {**parameters, **parameters["config"], "config": None}


def _shown(value: Any) -> str:
    return "none" if value is None else ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
