"""maskSLIC: superpixels partition the mask, whatever its shape."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.models.layers.superpixels import mask_slic


@given(
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.0, 0.02, 0.3, 0.9, 1.0]),
    count=st.sampled_from([1, 5, 20]),
    size=st.sampled_from([(8, 8), (12, 7), (1, 30)]),
)
def test_superpixels_partition_the_mask(seed: int, share: float, count: int, size: tuple[int, int]) -> None:
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(2, 5, *size, generator=random)
    mask = (torch.rand(2, 1, *size, generator=random) < share).float()
    labels = mask_slic(features, mask, count)
    assert labels.shape == (2, *size)
    assert torch.equal(labels >= 0, mask[:, 0] > 0)
    assert labels.max() < count


def test_a_mask_of_fewer_pixels_than_superpixels_gives_each_pixel_its_own() -> None:
    mask = torch.zeros(1, 1, 9, 9)
    mask[0, 0, 2:4, 2:5] = 1
    labels = mask_slic(torch.zeros(1, 3, 9, 9), mask, 20)
    inside = labels[mask[:, 0] > 0]
    assert sorted(inside.tolist()) == sorted(set(inside.tolist()))


def test_a_large_mask_gets_all_its_superpixels() -> None:
    random = torch.Generator().manual_seed(0)
    labels = mask_slic(torch.randn(1, 8, 48, 48, generator=random), torch.ones(1, 1, 48, 48), 20)
    assert len(labels.unique()) == 20


def test_superpixels_follow_features_rather_than_places() -> None:
    features = torch.zeros(1, 2, 16, 16)
    features[:, 0] = 1.0
    features[:, 0, 5:9, 5:9] = 0.0
    features[:, 1, 5:9, 5:9] = 1.0
    labels = mask_slic(features, torch.ones(1, 1, 16, 16), 8)[0]
    island = torch.zeros(16, 16, dtype=torch.bool)
    island[5:9, 5:9] = True
    assert not set(labels[island].tolist()) & set(labels[~island].tolist())


def test_a_sample_is_divided_alike_alone_and_in_a_batch() -> None:
    random = torch.Generator().manual_seed(1)
    features = torch.randn(3, 4, 20, 20, generator=random)
    mask = (torch.rand(3, 1, 20, 20, generator=random) < 0.7).float()
    mask[1] = 1.0
    together = mask_slic(features, mask, 10)
    for index in range(3):
        assert torch.equal(mask_slic(features[index : index + 1], mask[index : index + 1], 10)[0], together[index])


def test_seeds_spread_as_repeated_distance_transforms_would() -> None:
    """The running minimum gives Irving's seeds: each is farthest from the rim and from the seeds before it."""
    mask = torch.zeros(1, 1, 31, 31)
    mask[:, :, 3:28, 3:28] = 1
    labels = mask_slic(torch.zeros(1, 1, 31, 31), mask, 4, iterations=1)[0]
    sizes = torch.bincount(labels[labels >= 0])
    assert len(sizes) == 4
    assert sizes.max() <= 0.6 * 25 * 25
