"""How a refiner is trained: every choice of a run, in one record."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import inf
from types import MappingProxyType
from typing import Any

import numpy as np

from coarsekit.errors import ParameterError

SCHEDULES = ("plateau", "cosine")
LARGEST, LARGEST_SEED = 10**8, 2**32 - 1
"""Of counts, so that a slip of the finger is a sentence and no lack of memory; and of seeds."""
MOST_PROCESSES = 1024
"""Of processes that prepare pairs, and of threads."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Parameters of a training run; the defaults are the paper's (Yu et al., section 3.1).

    Args:
        variant: The kind of network, a name of `zoo.variants`.
        config: Fields of the network's configuration; the variant's own defaults for all others.
        pretrained: Start from ImageNet features, where the variant has them.
        start: A refiner to start from: its weights, as far as they fit (`load_shared`); empty for none.
        styles: Styles to draw in, presets or TOML files; one that is named twice is drawn in twice as often.
        reductions: Reduction factors to draw at, each 1 or more.
        only_lesions: Classes to train and validate on, empty for all.
        epochs: Number of epochs.
        samples: Pairs per epoch, 1 or more; None for one per drawn window.
        batch: Pairs per step, over all processes.
        learning_rate: Adam's, in the first epoch.
        balance: From 0, classes as often as they occur, to 1, all equally often.
        camera_augmentation: Share of the pairs, 0–1, that look as if another camera had taken them.
        negatives: Share of the pairs, 0–1, whose ellipse is moved to where its class does not occur, at times
            on a photograph without any lesion.
        class_dropout: Share of the pairs, 0–1, whose class is hidden from the network.
        color_scramble: Share, 0–1, of the pairs without a class that get colours that no lesion has.
        synthetic: Share of the pairs, 0–1, that have a painted lesion of no class instead of their own; not for
            exported pairs, which show no retina to paint on.
        schedule: ``plateau`` halves the learning rate after ``patience`` epochs without a better validation, by a tenth
            of a point; ``cosine`` lets it fall to 0 along half a cosine over all epochs.
        ema: Decay of the running average of the weights that is validated and saved, 0 to below 1; 0 for none.
        patience: Epochs without gain before a plateau halves the learning rate.
        validation: Share of the photographs that is held out, 0 or more and below 1. With 0 there is nothing to choose
            by: the last epoch is kept, with the threshold of the network's configuration.
        seed: Seed of all random numbers, and of the choice of the held-out photographs.

    Raises:
        ParameterError: A parameter lies outside its range.
    """

    variant: str = "unet"
    config: Mapping[str, Any] = field(default_factory=dict)
    pretrained: bool = False
    start: str = ""
    styles: tuple[str, ...] = ("paper", "human")
    reductions: tuple[float, ...] = (1.0,)
    only_lesions: tuple[str, ...] = ()
    epochs: int = 120
    samples: int | None = None
    batch: int = 64
    learning_rate: float = 1e-4
    balance: float = 0.0
    camera_augmentation: float = 0.0
    negatives: float = 0.0
    class_dropout: float = 0.2
    color_scramble: float = 0.0
    synthetic: float = 0.0
    ema: float = 0.0
    schedule: str = "plateau"
    patience: int = 5
    validation: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        _check_several({name: getattr(self, name) for name in ("styles", "reductions", "only_lesions")})
        if not isinstance(self.start, str) or not isinstance(self.config, Mapping):
            raise ParameterError(f"start must be a text and config a mapping, got {self.start!r} and {self.config!r}")
        for name in ("epochs", "batch"):
            check_whole(name, getattr(self, name), 1, LARGEST)
        if self.samples is not None:
            check_whole("samples", self.samples, 1, LARGEST)
        check_whole("patience", self.patience, 0, LARGEST)
        check_whole("seed", self.seed, 0, LARGEST_SEED)
        if not (_is_number(self.learning_rate) and 0 < self.learning_rate < inf):
            raise ParameterError(f"learning_rate must be a finite number above 0, got {self.learning_rate!r}")
        for name in ("balance", "camera_augmentation", "negatives", "class_dropout", "color_scramble", "synthetic"):
            if not (_is_number(getattr(self, name)) and 0 <= getattr(self, name) <= 1):
                raise ParameterError(f"{name} must lie between 0 and 1, got {getattr(self, name)!r}")
        if not (_is_number(self.ema) and 0 <= self.ema < 1):
            raise ParameterError(f"ema must be 0 or more and below 1, got {self.ema!r}")
        if self.schedule not in SCHEDULES:
            raise ParameterError(f"schedule must be {' or '.join(SCHEDULES)}, got {self.schedule!r}")
        if not (_is_number(self.validation) and 0 <= self.validation < 1):
            raise ParameterError(f"validation is a share from 0 to below 1, got {self.validation!r}")
        if self.validation == 0 and self.schedule == "plateau":
            raise ParameterError(
                "the schedule plateau needs photographs to validate on; choose cosine, or a validation"
            )
        if not self.styles:
            raise ParameterError("styles names none; give one or more, such as human")
        if not self.reductions or not all(_is_number(one) and 1 <= one < inf for one in self.reductions):
            got = ", ".join(map(str, self.reductions)) or "none"
            raise ParameterError(f"reductions must be one or more finite numbers from 1, got {got}")

    def parameters(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries, for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """Raise `ParameterError` unless the parameter ``name`` is a whole number from ``low`` to ``high``."""
    if not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ParameterError(f"{name} must be a whole number from {low} to {high}, got {value!r}")


def _check_several(lists: Mapping[str, Any]) -> None:
    for name, value in lists.items():
        if not isinstance(value, Iterable) or isinstance(value, str):
            raise ParameterError(f"{name} must be several in a list, such as [{value!r}], got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number))


def hold_out(
    keys: tuple[str, ...],
    share: float,
    seed: int,
    shows_lesions: Callable[[str], bool] = lambda _: True,
    digests: Mapping[str, str] = MappingProxyType({}),
    trained: Collection[str] = (),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split photographs by image into those to train on and those to validate on, at least one of each.

    All are trained on where the share is 0. A side without a photograph that ``shows_lesions`` gets the other's first
    one, for its own first. Keys of one digest (``digests``) are one photograph. Of those whose digest is ``trained``,
    which the network to start from has learned from, none is held out where there are others.

    Raises `ParameterError` for fewer than two photographs, or fewer than two with lesions.
    """
    if not share:
        return keys, ()
    named: dict[str, list[str]] = {}
    for key in keys:
        named.setdefault(digests.get(key, key), []).append(key)
    photographs = list(named)
    names = f" under {len(keys)} names" if len(photographs) < len(keys) else ""
    if len(photographs) < 2:
        raise ParameterError(
            f"training needs two photographs or more, one to validate on; got {len(photographs)}{names}"
        )
    held = min(max(1, round(share * len(photographs))), len(photographs) - 1)
    order = [photographs[index] for index in np.random.default_rng(seed).permutation(len(photographs))]
    if fresh := [one for one in order if one not in trained]:
        held = min(held, len(fresh))
        order = [*fresh, *(one for one in order if one in trained)]
    sides = order[held:], order[:held]
    for side, other in (sides, sides[::-1]):
        if not any(map(shows_lesions, _keys(named, side))):
            ill = [place for place, one in enumerate(other) if any(map(shows_lesions, named[one]))]
            if len(ill) < 2:
                raise ParameterError(
                    "training needs two photographs with lesions or more, one to validate on; "
                    f"got {len(ill)} among {len(photographs)}{names}"
                )
            side[0], other[ill[0]] = other[ill[0]], side[0]
    chosen = set(_keys(named, sides[1]))
    return tuple(key for key in keys if key not in chosen), tuple(key for key in keys if key in chosen)


def _keys(named: Mapping[str, list[str]], photographs: list[str]) -> list[str]:
    return [key for one in photographs for key in named[one]]
