"""The abstract network: what every variant shares, from its configuration to refining a whole photograph."""

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from coarsekit.errors import RefinerError
from coarsekit.nearest import suggestion
from coarsekit.types import Annotation, Image, Mask
from zoo.config import Config
from zoo.inference import refine_photograph
from zoo.refiner import Advance, Refiner, ignore


class Network(nn.Module, Refiner, PyTorchModelHubMixin):  # type: ignore[misc] # from_pretrained is stricter here
    """A trainable refiner. A variant is a final subclass called ``Network`` beside its ``Config`` in ``variants/``.

    ``save_pretrained`` and ``push_to_hub`` are the ecosystem's; the folder that they write is the one of `checkpoint`.
    """

    variant: ClassVar[str]
    config_type: ClassVar[type[Config]]
    record: Mapping[str, Any] = MappingProxyType({})
    """How it was trained, as in training.json; empty for one that was made in memory."""

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

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The card that `save_pretrained` and `push_to_hub` put beside the weights, where there is none yet."""
        from zoo.ecosystem import card_of

        return ModelCard(card_of(self))

    def _save_pretrained(self, save_directory: Path) -> None:
        from zoo.ecosystem import save_exactly

        save_exactly(self, save_directory)

    @torch.inference_mode()
    def probabilities(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Probabilities of lesion for a batch as in `forward`, in evaluation mode; in and out on the processor."""
        device = next(self.parameters()).device
        self.eval()
        return self(image.to(device), coarse.to(device)).sigmoid().float().cpu()


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
