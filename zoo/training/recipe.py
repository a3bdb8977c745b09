"""How a refiner is trained: every choice of a run, in one record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from coarsekit.errors import ParameterError

SCHEDULES = ("plateau", "cosine")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Parameters of a training run; the defaults are the paper's (Yu et al., section 3.1).

    Args:
        variant: The kind of network, a name of `zoo.variants`.
        config: Fields of the network's configuration; the variant's own defaults for all others.
        pretrained: Start from ImageNet features, where the variant has them.
        start: A refiner to start from: its weights, as far as they fit (`load_shared`); empty for none.
        styles: Styles to draw in: presets or TOML files.
        reductions: Reduction factors to draw at.
        only_lesions: Classes to train and validate on, empty for all.
        epochs: Number of epochs.
        samples: Pairs per epoch, None for one per drawn window.
        batch: Pairs per step, over all processes.
        learning_rate: Adam's, in the first epoch.
        balance: From 0, classes as often as they occur, to 1, all equally often.
        camera_augmentation: Share of the pairs, 0–1, that look as if another camera had taken them.
        negatives: Share of the pairs, 0–1, whose ellipse is moved to where its class does not occur.
        class_dropout: Share of the pairs, 0–1, whose class is hidden from the network.
        color_scramble: Share, 0–1, of the pairs without a class that get colours that no lesion has.
        schedule: ``plateau`` halves the learning rate after ``patience`` epochs without a better validation, by a tenth
            of a point; ``cosine`` lets it fall to 0 along half a cosine over all epochs.
        ema: Decay of the running average of the weights that is validated and saved, 0–1; 0 for none.
        patience: Epochs without gain before a plateau halves the learning rate.
        validation: Share of the photographs that is held out, above 0 and below 1.
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
    ema: float = 0.0
    schedule: str = "plateau"
    patience: int = 5
    validation: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"{name} must be above 0, got {getattr(self, name)}")
        for name in ("ema", "balance", "camera_augmentation", "negatives", "class_dropout", "color_scramble"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")
        if self.schedule not in SCHEDULES:
            raise ParameterError(f"schedule must be {' or '.join(SCHEDULES)}, got {self.schedule!r}")
        if not 0 < self.validation < 1:
            raise ParameterError(f"validation is a share above 0 and below 1, got {self.validation}")

    def parameters(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries, for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def hold_out(keys: tuple[str, ...], share: float, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split photographs by image into those to train on and those to validate on, at least one of each.

    Raises `ParameterError` for fewer than two photographs.
    """
    if len(keys) < 2:
        raise ParameterError(f"training needs two photographs or more, one to validate on; got {len(keys)}")
    held = min(max(1, round(share * len(keys))), len(keys) - 1)
    chosen = set(np.random.default_rng(seed).permutation(len(keys))[:held].tolist())
    return (
        tuple(key for index, key in enumerate(keys) if index not in chosen),
        tuple(key for index, key in enumerate(keys) if index in chosen),
    )
