"""The abstract network in torch: what every variant shares, from its configuration to the weights in a folder."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin
from numpy.typing import NDArray
from torch import Tensor, nn

from coarsekit.errors import CoarsekitError, RefinerError, did_you_mean
from coarsekit.storage.files import atomic_write
from coarsekit.validation import validated
from zoo.cards.model_card import card_text
from zoo.checkpoints import weights
from zoo.checkpoints.folder import CHECKPOINT_FORMAT, CONFIG, GRAPH, read_config, read_record
from zoo.marks.doubt import store_doubt, stored_doubt
from zoo.models.config import Config
from zoo.models.patchwise import PatchwiseRefiner
from zoo.variants import NETWORKS, variant_named

AnyNetwork = TypeVar("AnyNetwork", bound="Network")


class Network(nn.Module, PatchwiseRefiner, PyTorchModelHubMixin):  # type: ignore[misc] # from_pretrained is stricter here
    """A trainable refiner. A variant is a final class ``Network`` beside its ``Config`` in a file of this folder.

    ``save_pretrained`` and ``push_to_hub`` are the ecosystem's; the folder that they write is a checkpoint folder. Of a
    network that was loaded and not changed since it has the graph for ONNX Runtime, and what tells how far to trust
    answers, too; of one that was trained further they would be another's, so make them anew, by ``zoo export-onnx
    --graph-only`` and ``zoo doubt --fit``.
    """

    engine = "torch"
    config_type: ClassVar[type[Config]]
    record: Mapping[str, Any] = MappingProxyType({})
    """How it was trained, as in training.json; empty for one that was made in memory."""
    _loaded: tuple[Path, dict[str, Any]] | None = None
    """The folder that it was loaded from, and what `describe` said then."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

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
        network._loaded = folder.absolute(), network.describe()
        return network.eval()

    def initialise(self) -> None:
        """Start from pretrained features; variants that have none raise `RefinerError`."""
        raise RefinerError(f"the variant {self.variant} has no pretrained features; train it without pretrained=True")

    def for_inference(self) -> "Network":
        return self

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The card that `save_pretrained` and `push_to_hub` put beside the weights, where there is none yet."""
        # Without measured metrics, because its weights may have changed since.
        return ModelCard(card_text(self.name, self.describe(), self.record))

    def _save_pretrained(self, save_directory: Path) -> None:
        # Looked at before, since it may be saved to the folder that it was loaded from.
        doubt, graph = self._fitted_to_weights()
        self.save(save_directory, dict(self.record), half=weights.fits_half(self))
        if doubt is not None:
            store_doubt(save_directory, doubt)
        if graph is not None:
            with atomic_write(save_directory / GRAPH) as temporary:
                temporary.write_bytes(graph)

    def _fitted_to_weights(self) -> tuple[dict[str, Any] | None, bytes | None]:
        """What its folder says of doubt, and the graph there, while its weights and config are as they were loaded."""
        if self._loaded is None:
            return None, None
        folder, described = self._loaded
        if described != self.describe() or not weights.are_in(self, folder):
            return None, None
        graph = folder / GRAPH
        return stored_doubt(folder), graph.read_bytes() if graph.is_file() else None

    @torch.inference_mode()
    def patch_probabilities(
        self,
        image: NDArray[np.float32],
        coarse: NDArray[np.float32],
        lesion: str = "",
        signature: NDArray[np.float32] | None = None,
        prototype: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        patches = self._tensors(image, coarse, lesion, signature)
        mirrored: list[list[int]] = [[], [-1], [-2], [-2, -1]][: self.config.tta_views]
        if prototype is None:
            view = self.views(*patches)
        else:
            view = self.views(*patches, torch.from_numpy(prototype).to(patches[0].device).expand(len(image), -1))
        return torch.stack([view(axes).sigmoid().flip(axes) for axes in mirrored]).mean(0).float().cpu().numpy()

    def _tensors(
        self,
        image: NDArray[np.float32],
        coarse: NDArray[np.float32],
        lesion: str,
        signature: NDArray[np.float32] | None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """The arguments of `forward`, in evaluation mode, on the device of the weights."""
        device = next(self.parameters()).device
        self.eval()
        images, drawn = torch.from_numpy(image).to(device), torch.from_numpy(coarse).to(device)
        classes = torch.full((len(image),), self.class_index(lesion), device=device)
        signatures = None if signature is None else torch.from_numpy(signature).to(device).expand(len(image), -1)
        return images, drawn, classes, signatures

    def views(
        self,
        image: Tensor,
        coarse: Tensor,
        lesion: Tensor,
        signature: Tensor | None,
        prototype: Tensor | None = None,
    ) -> Callable[[list[int]], Tensor]:
        """What gives the logits of patches mirrored along axes, mirrored as they are; arguments as of `forward`.

        ``prototype``: (b, channels), in place of each patch's lesion prototype, for a network that `uses_prototypes`.
        """
        return lambda axes: self(image.flip(axes), coarse.flip(axes), lesion, signature)


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
