"""Every kind of refiner that the zoo has, in one table: a name, the class behind it, and a sentence about it.

A class is imported when it is asked for, so the table needs no torch. A new network or baseline is one file and one
row.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from coarsekit.errors import RefinerError, did_you_mean

REFINING_VERSION = 3
"""Version of the code that refines. Whoever changes the answers of any refiner adds one: then kept results are made
anew, and what was measured before no longer counts. The golden masks of the tests fail until that is done."""
RECOGNISING_VERSION = 3
"""Version of the code that tells what labels mean that a refiner does not know. Whoever changes the answers for those
alone adds one here: results of labels that it knows are the same, and stay."""

ENGINES = TORCH, ONNX = "torch", "onnx"
"""What can compute a network: torch, and ONNX Runtime."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A kind of refiner.

    ``name``: as in config.json. ``summary``: a sentence for cards and tables. ``baseline``: where in ``zoo.baselines``
    its class is; empty for a network, whose file in ``zoo.models`` has its name.
    """

    name: str
    summary: str
    baseline: str = ""

    @property
    def is_network(self) -> bool:
        """Whether it has weights; all that was fitted of a baseline is in its config.json."""
        return not self.baseline

    def load_class(self) -> Any:
        """Import its class, a subclass of `zoo.refiner.Refiner`."""
        place = f"baselines.{self.baseline}" if self.baseline else f"models.{self.name.replace('-', '_')}.Network"
        module, _, name = place.rpartition(".")
        return getattr(import_module(f"zoo.{module}"), name)


VARIANTS = (
    Variant("hrnet18", "the paper's baseline HRNet18: HRNet-W18, fusion, 1×1 classifier (Yu et al., section 3.1)."),
    Variant("lite", "EfficientNet-Lite0 features at half the patch's resolution, the fusion, and a 1×1 classifier."),
    Variant("proto", "one lesion and one background prototype per patch, pixels to the nearer (Yu et al., eq. 1–3)."),
    Variant("proto-superpixel", "the lesion prototype weighted by superpixels, for small lesions in large ellipses."),
    Variant("resnet18", "the paper's baseline Res18: ResNet-18, fusion, 1×1 classifier (Yu et al., section 3.1)."),
    Variant("timm", "any timm backbone that has a feature map at 1/4 of the resolution, under any of the three heads."),
    Variant("unet", "the paper's baseline: trimmed U-Net, fusion, 1×1 classifier (Yu et al., section 3.1)."),
    Variant(
        "shrink", "the image-blind rule: every ellipse shrunk about its centre by a fitted amount.", "shrink.Shrink"
    ),
    Variant("otsu", "beyond the threshold that separates an ellipse's pixels best (Otsu, 1979).", "classical.Otsu"),
    Variant("grabcut", "two Gaussian mixtures and a minimal cut (Rother et al., SIGGRAPH 2004).", "classical.GrabCut"),
    Variant(
        "random-walker",
        "the chance that a walk from a pixel meets certain lesion first (Grady, PAMI 2006).",
        "classical.RandomWalker",
    ),
)
NETWORKS = tuple(variant.name for variant in VARIANTS if variant.is_network)
"""Names of the variants that are networks."""


def variant_named(name: str) -> Variant:
    """The row of the table with that name.

    Raises `RefinerError` for an unknown name.
    """
    known = [variant.name for variant in VARIANTS]
    if name not in known:
        raise RefinerError(f"no variant {name!r}; choose one of {', '.join(known)}{did_you_mean(name, known)}")
    return VARIANTS[known.index(name)]
