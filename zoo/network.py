"""The abstract network: what every variant shares, from its configuration to refining a whole photograph."""

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from coarsekit.errors import ParameterError, RefinerError
from coarsekit.nearest import suggestion
from coarsekit.types import Annotation, Image, Mask
from zoo.inference import refine_photograph
from zoo.refiner import Advance, Refiner, ignore


@dataclass(frozen=True)
class Config:
    """Fields that every variant has; its own add to them.

    ``size``: side of a patch, px. ``context``: side of a window over the ellipse's bounding box. ``most``: largest side
    of a window, px on a photograph 4288 px wide, above which an ellipse gets several; None for no bound.
    ``threshold``: probability, 0–1, from which a pixel is lesion.
    """

    size: int = 256
    context: float = 1.5
    most: int | None = None
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise ParameterError(f"size must be a multiple of 32 px, got {self.size}")
        if not self.context >= 1:
            raise ParameterError(f"context must be 1 or more, got {self.context}")
        if self.most is not None and self.most < 32:
            raise ParameterError(f"most must be 32 px or more, got {self.most}")
        if not 0 < self.threshold < 1:
            raise ParameterError(f"threshold must lie between 0 and 1, got {self.threshold}")


class Network(nn.Module, Refiner):
    """A trainable refiner. A variant is a final subclass called ``Network`` beside its ``Config`` in ``variants/``."""

    variant: ClassVar[str]
    config_type: ClassVar[type[Config]]

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Logits of lesion.

        ``image``: (b, 3, s, s) float in 0–1, RGB. ``coarse``: (b, 1, s, s) float, 0 or 1. Returns (b, 1, s, s).
        ``s`` is a multiple of 32. Any coarse mask gives finite numbers: an empty one, and one that fills the patch.
        """

    def initialise(self) -> None:
        """Start from pretrained features; variants that have none raise `RefinerError`."""
        raise RefinerError(f"the variant {self.variant} has no pretrained features; train it without --pretrained")

    def refine(self, image: Image, annotation: Annotation, advance: Advance = ignore) -> dict[str, Mask]:
        return refine_photograph(self, image, annotation, advance)

    @torch.inference_mode()
    def probabilities(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Probabilities of lesion for a batch as in `forward`, in evaluation mode."""
        self.eval()
        return self(image, coarse).sigmoid()


def build(kind: type[Network], fields: Mapping[str, Any]) -> Network:
    """A network of a variant, untrained, from the fields of its configuration.

    Raises `RefinerError` for a field that the variant does not have or a value of another type, and `ParameterError`
    for a value out of its range.
    """
    known = [field.name for field in dataclasses.fields(kind.config_type)]
    for name in fields:
        if name not in known:
            raise RefinerError(
                f"{kind.variant} has no field {name!r}; it has {', '.join(known)}{suggestion(name, known)}"
            )
    try:
        config = TypeAdapter(kind.config_type).validate_python(dict(fields))
    except ValidationError as error:
        first = error.errors()[0]
        raise RefinerError(f"{kind.variant}: {first['loc'][0]}: {first['msg']}, got {first['input']!r}") from None
    return kind(config)
