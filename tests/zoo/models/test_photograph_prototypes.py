"""The lesion prototype of all marks of one label in one photograph, against plain loops of equations 1 to 3."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from coarsekit.errors import ParameterError, RefinerError
from coarsekit.types import Annotation, Ellipse, Image, Mark, Window
from coarsekit.windows import bounding_boxes, windows_around
from zoo.models.base import Network
from zoo.models.layers.fusion import FusedNetwork, downsample_mask
from zoo.models.layers.heads import ALPHA
from zoo.models.layers.trimmed_unet import UNetConfig
from zoo.models.proto import Network as Proto
from zoo.models.proto_superpixel import Config as SuperpixelConfig
from zoo.models.proto_superpixel import Network as ProtoSuperpixel
from zoo.models.prototypes import photograph_prototype
from zoo.models.signature import MOST_WINDOWS, window_arrays
from zoo.models.unet import Network as UNet
from zoo.onnx.export import export_program

SHAPES = [Ellipse(40 + 50 * i, 60 + 13 * i, 12 + i, 9, 20 * i) for i in range(5)]
SIZE = (200, 300)


@pytest.fixture(scope="module")
def image() -> Image:
    return np.random.default_rng(0).integers(40, 220, (*SIZE, 3)).astype(np.uint8)


def proto(**fields: object) -> Proto:
    torch.manual_seed(0)
    return Proto(UNetConfig(size=64, width=4, photograph_prototypes=True, **fields)).eval()  # type: ignore[arg-type]


def windows_of(network: Network, shapes: list[Ellipse]) -> list[Window]:
    return [window for shape in shapes for window in windows_around(shape, SIZE, network.config.context)]


def fused_of(network: FusedNetwork, image: Image, windows: list[Window]) -> tuple[np.ndarray, np.ndarray]:
    arrays = window_arrays(image, SHAPES, bounding_boxes(SHAPES), windows, network.config.size)
    images, coarse = map(torch.from_numpy, arrays)
    with torch.inference_mode():
        features = network.features(images, coarse)
        mask = downsample_mask(coarse, features)
        return network.fusion(features, mask).numpy(), mask.numpy()


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def test_it_is_the_mean_of_the_windows_prototypes_of_length_one(image: Image) -> None:
    network = proto()
    windows = windows_of(network, SHAPES)
    fused, mask = fused_of(network, image, windows)
    own = [unit(features[:, inside[0] > 0].mean(axis=1)) for features, inside in zip(fused, mask, strict=True)]
    found = photograph_prototype(network, image, SHAPES, windows)
    assert found is not None
    assert np.allclose(found, np.mean(own, axis=0), atol=1e-5)


def test_pixels_go_to_the_nearer_of_it_and_the_windows_background(image: Image) -> None:
    network = proto()
    windows = windows_of(network, SHAPES)
    lesion = unit(np.asarray(photograph_prototype(network, image, SHAPES, windows)))
    fused, mask = fused_of(network, image, windows)
    given = torch.from_numpy(lesion).float().expand(len(windows), -1)
    logits = network.classify(torch.from_numpy(fused), torch.from_numpy(mask), given).numpy()
    for features, inside, found in zip(fused, mask, logits, strict=True):
        background = unit(features[:, inside[0] == 0].mean(axis=1))
        for row, column in np.ndindex(found.shape[1:]):
            pixel = unit(features[:, row, column])
            assert abs(ALPHA * ((1 - pixel @ background) - (1 - pixel @ lesion)) - found[0, row, column]) < 1e-4


@pytest.mark.parametrize("variant", [Proto, ProtoSuperpixel])
def test_of_one_window_it_is_the_windows_own(image: Image, variant: type[FusedNetwork]) -> None:
    torch.manual_seed(0)
    network = variant(SuperpixelConfig(size=64, width=4, photograph_prototypes=True)).eval()
    drawn = Annotation("a.png", *SIZE[::-1], (Mark("MA", SHAPES[0]),))
    pooled = network.probabilities(image, drawn)["MA"]
    network.config = replace(network.config, photograph_prototypes=False)
    assert np.abs(pooled - network.probabilities(image, drawn)["MA"]).max() < 1e-5


def test_each_label_has_its_own_and_more_marks_change_it(image: Image) -> None:
    network = proto()
    one, two = (Mark("MA", shape) for shape in SHAPES[:2])
    other = [replace(mark, lesion="EX") for mark in (one, two)]

    def found(*marks: Mark) -> np.ndarray:
        return network.probabilities(image, Annotation("a.png", *SIZE[::-1], marks))["MA"]

    assert np.array_equal(found(one), found(one, other[1]))
    assert not np.array_equal(found(one)[:, :60], found(one, two)[:, :60])


def test_of_many_windows_as_many_are_looked_at_as_may_be_and_of_none_there_is_none(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, looked = proto(), list[int]()
    own = network.lesion_prototypes

    def counted(image: np.ndarray, *others: Any) -> np.ndarray:
        looked.append(len(image))
        return own(image, *others)

    monkeypatch.setattr(network, "lesion_prototypes", counted)
    photograph_prototype(network, image, SHAPES, windows_of(network, SHAPES * 30))
    assert sum(looked) == MOST_WINDOWS
    assert photograph_prototype(network, image, [], []) is None


def test_what_has_no_prototypes_says_so(image: Image) -> None:
    with pytest.raises(ParameterError, match="needs a head of prototypes"):
        UNet(UNetConfig(size=64, width=4, photograph_prototypes=True))
    patches = np.zeros((1, 3, 64, 64), np.float32), np.zeros((1, 1, 64, 64), np.float32)
    with pytest.raises(RefinerError, match="photograph_prototypes"):
        Proto(UNetConfig(size=64, width=4)).lesion_prototypes(*patches)
    with pytest.raises(RefinerError, match="photograph_prototypes=false"):
        export_program(proto())
