"""All marks of one label in a photograph are looked at once, and every window is given what they have in common."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from coarsekit.types import Annotation, Ellipse, Image, Mark
from coarsekit.windows import bounding_boxes, windows_around
from zoo.models.layers.matched_filter import deviations
from zoo.models.lite import Config, Network
from zoo.models.signature import SIZE, photograph_signature, window_arrays

SIZES = (200, 300)


@pytest.fixture
def image() -> Image:
    return np.random.default_rng(0).integers(90, 130, (*SIZES, 3), np.uint8)


def ellipses(count: int) -> list[Ellipse]:
    return [Ellipse(20 + 8.0 * place, 30 + 3.0 * place, 8, 6, 10) for place in range(count)]


def test_the_signature_is_the_mean_over_the_windows(image: Image) -> None:
    shapes = ellipses(5)
    windows = [window for shape in shapes for window in windows_around(shape, SIZES)]
    images, coarse = window_arrays(image, shapes, bounding_boxes(shapes), windows, SIZE)
    expected = np.mean([deviations(images[[i]], coarse[[i]])[0] for i in range(5)], axis=0)
    assert np.allclose(photograph_signature(image, shapes, windows), expected, atol=1e-4)


def test_of_many_windows_as_many_are_looked_at_as_may_be_and_of_none_the_signature_is_zero(image: Image) -> None:
    shapes = ellipses(30)
    windows = [window for shape in shapes for window in windows_around(shape, SIZES)]
    few = photograph_signature(image, shapes, windows, most=3)
    ends = [windows[0], windows[round(29 / 2)], windows[29]]
    assert np.allclose(few, photograph_signature(image, shapes, ends), atol=1e-4)
    assert np.array_equal(photograph_signature(image, [], []), np.zeros(3, np.float32))


def network(**fields: object) -> Network:
    torch.manual_seed(0)
    return Network(Config(size=64, width=8, lesions=("MA",), matched_filter=True, **fields)).eval()  # type: ignore[arg-type]


def test_every_window_is_given_the_signature_of_all_marks_of_its_label(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Tensor] = []
    own = Network.views

    def views(
        self: Network, images: Tensor, coarse: Tensor, lesion: Tensor, signature: Tensor
    ) -> Callable[[list[int]], Tensor]:
        given.extend(signature)
        return own(self, images, coarse, lesion, signature)

    monkeypatch.setattr(Network, "views", views)
    marks = [Mark(lesion, shape) for lesion in ("MA", "finding 1") for shape in ellipses(20)]
    drawn = Annotation("a.png", *SIZES[::-1], tuple(marks))
    network().refine(image, drawn)
    assert len(given) == 40
    shapes = ellipses(20)
    windows = [window for shape in shapes for window in windows_around(shape, SIZES)]
    for signature in given:
        assert np.allclose(signature, photograph_signature(image, shapes, windows), atol=1e-5)


def test_without_a_class_the_network_sees_no_colours_and_with_one_it_sees_them() -> None:
    refiner, seen = network(), {}
    refiner.features.register_forward_hook(lambda _, inputs, __: seen.update(rgb=inputs[0], beside=inputs[1]))
    images, coarse = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    coarse[..., 20:40, 20:40] = 1
    signature = torch.tensor([[0.5, -1.0, 0.2]]).expand(2, -1)
    refiner(images, coarse, torch.tensor([0, -1]), signature)
    assert torch.equal(seen["rgb"][0], images[0])
    assert seen["beside"].shape[1] == 1 + 1 + 3
    assert seen["beside"][0, 2:].abs().max() > 1
    assert seen["beside"][1, 1:].abs().max() == 0
    # The third channel of RGB has the plane that no direction matters for.
    refiner(images[:, [1, 2, 0]], coarse, torch.tensor([0, -1]), signature)
    swapped = seen["rgb"][1, 2]
    refiner(images, coarse, torch.tensor([0, -1]), signature)
    assert torch.allclose(swapped, seen["rgb"][1, 2], atol=1e-3)


def test_a_network_without_the_filter_gives_the_same_answers_whatever_the_signature() -> None:
    refiner = network()
    plain = Network(replace(refiner.config, matched_filter=False)).eval()
    images, coarse = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    assert torch.equal(plain(images, coarse), plain(images, coarse, None, torch.ones(1, 3)))
    assert not torch.equal(
        refiner(images, coarse, None, torch.ones(1, 3)), refiner(images, coarse, None, -torch.ones(1, 3))
    )
