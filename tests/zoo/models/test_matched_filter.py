"""The planes that say how far each pixel deviates from its surroundings in the direction of the marks."""

import numpy as np
import pytest
import torch
from torch import Tensor

from zoo.models.layers import matched_filter
from zoo.models.layers.matched_filter import background, depth, deviations, planes

SIDE = 24


def window(colour: tuple[float, float, float] = (0.1, -0.2, 0.05), seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """A noisy window (1, 3, s, s) with a spot of another colour, a disk drawn around it, and the spot."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    spot, drawn = np.hypot(x, y) < 3, np.hypot(x, y) < 8
    image = 0.5 + 0.03 * rng.normal(size=(3, SIDE, SIDE)) + np.array(colour)[:, None, None] * spot
    tensors = (torch.from_numpy(part).float() for part in (image, drawn[None], spot[None]))
    image, coarse, fine = (tensor[None] for tensor in tensors)
    return image, coarse, fine


def plain_planes(image: np.ndarray, coarse: np.ndarray, signature: np.ndarray) -> np.ndarray:
    """The same as plain loops over the pixels of one window (3, s, s), for a window that is all retina."""
    side = image.shape[1]
    smooth = np.zeros((side, side, 3))
    for y in range(side):
        for x in range(side):
            near = image[:, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
            smooth[y, x] = near.reshape(3, -1).mean(axis=1)
    places = [(y, x) for y in range(side) for x in range(side) if not coarse[y, x]]
    weights = dict.fromkeys(places, 1.0)
    for _ in range(3):
        total = sum(weights.values())
        mean = sum(weights[place] * smooth[place] for place in places) / total
        spread = sum(weights[p] * np.outer(smooth[p] - mean, smooth[p] - mean) for p in places) / total
        least = 0.3 * np.trace(spread) / 3 + 0.008**2
        inverse = np.linalg.inv(spread + least * np.eye(3))
        for place in places:
            weights[place] = np.exp(-(smooth[place] - mean) @ inverse @ (smooth[place] - mean) / 12)
    found = np.zeros((3, side, side))
    for y in range(side):
        for x in range(side):
            away = smooth[y, x] - mean
            found[0, y, x] = signature @ inverse @ away / np.sqrt(signature @ inverse @ signature)
            found[1, y, x] = np.sign(signature[1]) * away[1] / np.sqrt(spread[1, 1] + least)
            found[2, y, x] = np.sqrt(away @ inverse @ away)
    return np.arcsinh(found)


def test_the_planes_are_those_of_plain_loops() -> None:
    image, coarse, _ = window()
    signature = torch.tensor([[0.4, -0.8, 0.3]])
    expected = plain_planes(image[0].numpy(), coarse[0, 0].numpy() > 0, signature[0].numpy())
    np.testing.assert_allclose(planes(image, coarse, signature)[0].numpy(), expected, atol=2e-3)


@pytest.mark.parametrize("colour", [(0.1, -0.2, 0.05), (-0.2, -0.1, 0), (0.2, 0.2, 0.1), (0, 0, 0.25)])
def test_what_was_circled_stands_out_whatever_its_colour(colour: tuple[float, float, float]) -> None:
    image, coarse, fine = window(colour)
    signature = deviations(image, coarse)
    assert torch.cosine_similarity(signature, torch.tensor([colour])) > 0.9
    matched = planes(image, coarse, signature)[0, 0]
    inside, outside = (matched[where[0, 0] > 0].mean() for where in (fine, 1 - coarse))
    assert inside > 1.5
    assert abs(outside) < 0.3
    opposite = planes(image, coarse, -signature)
    assert torch.allclose(opposite[:, :2], -planes(image, coarse, signature)[:, :2], atol=1e-5)


def test_other_lesions_outside_the_drawing_hardly_count_as_background() -> None:
    image, coarse, _ = window()
    other = image.clone()
    other[:, 1, :4, :4] += 0.4
    before, after = (background(one, coarse).deviation[0, 1] for one in (image, other))
    plain = other[0, 1][coarse[0, 0] == 0].std()
    assert after < 1.6 * before < plain


def test_the_depth_is_one_in_the_middle_and_falls_to_the_rim() -> None:
    _, coarse, _ = window()
    deep = depth(torch.cat([coarse, torch.zeros_like(coarse)]))
    assert deep[0].max() == 1
    assert (deep[0][coarse[0] == 0] == 0).all()
    assert deep[0, 0, 12, 5] < deep[0, 0, 12, 8] < deep[0, 0, 12, 11]
    assert not deep[1].any()


@pytest.mark.parametrize("drawn", [0.0, 1.0])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_plain_window_gives_finite_planes_with_and_without_a_drawing(drawn: float, level: float) -> None:
    image, coarse = torch.full((2, 3, SIDE, SIDE), level), torch.full((2, 1, SIDE, SIDE), drawn)
    signature = deviations(image, coarse)
    assert signature.isfinite().all()
    assert planes(image, coarse, signature).isfinite().all()
    assert planes(image, coarse, torch.zeros(2, 3))[:, :2].abs().max() == 0


def test_off_the_retina_all_planes_are_zero() -> None:
    image, coarse, _ = window()
    image[..., :6] = 0.02
    assert planes(image, coarse, deviations(image, coarse))[..., :6].abs().max() == 0


def test_the_strength_of_one_window_has_a_bound() -> None:
    image, coarse, fine = window((-0.4, 0.5, 0.5))
    image = torch.where(fine > 0, image, 0.5)
    assert deviations(image, coarse).norm() == pytest.approx(matched_filter.MOST, rel=1e-5)


def test_arrays_give_what_tensors_do() -> None:
    image, coarse, fine = (torch.cat([one, one.flip(-1)]) for one in window())
    image[1, :, :, :5] = 0.02
    signature = deviations(image, coarse)
    arrays = image.numpy(), coarse.numpy()
    for of_tensors, of_arrays in (
        *zip(background(image, coarse), background(*arrays), strict=True),
        (signature, deviations(*arrays)),
        (deviations(image, coarse, fine), deviations(*arrays, fine.numpy())),
        (planes(image, coarse, signature), planes(*arrays, signature.numpy())),
    ):
        assert isinstance(of_arrays, np.ndarray)
        assert of_arrays.dtype == np.float32
        np.testing.assert_allclose(of_arrays, of_tensors.numpy(), rtol=1e-4, atol=1e-4 * float(of_tensors.abs().max()))
