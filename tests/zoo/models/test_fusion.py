"""The fusion of section 2.1, and the heads' place in it, against plain loops over samples and pixels."""

from dataclasses import replace

import pytest
import torch
from skimage.morphology import dilation, disk
from torch import Tensor

from coarsekit.errors import ParameterError, RefinerError
from zoo.models.base import build, network_class
from zoo.models.layers.fusion import Fusion, class_planes, downsample_mask, widen
from zoo.models.layers.heads import Linear


def loop_downsample(coarse: Tensor, cell: int) -> Tensor:
    """M′ of one sample (h, w): 1 where any pixel of a cell is."""
    rows, columns = coarse.shape[0] // cell, coarse.shape[1] // cell
    small = torch.zeros(rows, columns)
    for y in range(coarse.shape[0]):
        for x in range(coarse.shape[1]):
            if coarse[y, x]:
                small[y // cell, x // cell] = 1
    return small


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_the_mask_is_downsampled_so_that_nothing_vanishes(share: float) -> None:
    coarse = (torch.rand(2, 1, 32, 24, generator=torch.Generator().manual_seed(0)) < share).float()
    small = downsample_mask(coarse, torch.zeros(2, 5, 8, 6))
    for sample in range(2):
        assert torch.equal(small[sample, 0], loop_downsample(coarse[sample, 0], 4))


def test_the_fusion_is_concatenation_a_1x1_convolution_batch_norm_and_relu() -> None:
    random = torch.Generator().manual_seed(0)
    features, mask = torch.randn(2, 3, 4, 5, generator=random), (torch.rand(2, 1, 4, 5, generator=random) < 0.5).float()
    torch.manual_seed(0)
    fusion = Fusion(3, 6).eval()
    convolution, norm, _ = fusion.mix
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        tensor.copy_(0.5 + torch.rand(6, generator=random))
    fusion.requires_grad_(False)
    fused = fusion(features, mask)
    for sample in range(2):
        for y in range(4):
            for x in range(5):
                pixel = torch.cat([features[sample, :, y, x], mask[sample, :, y, x]])
                for channel in range(6):
                    mixed = sum(w * value for w, value in zip(convolution.weight[channel, :, 0, 0], pixel, strict=True))
                    scaled = (mixed - norm.running_mean[channel]) / (norm.running_var[channel] + norm.eps) ** 0.5
                    expected = max(0.0, float(scaled * norm.weight[channel] + norm.bias[channel]))
                    assert float(fused[sample, channel, y, x]) == pytest.approx(expected, abs=1e-5)


def test_the_classifier_is_one_weighted_sum_a_pixel() -> None:
    torch.manual_seed(0)
    head, fused = Linear(3).requires_grad_(False), torch.randn(2, 3, 2, 2)
    logits = head(fused, torch.zeros(2, 1, 2, 2))
    for sample, y, x in ((0, 0, 0), (1, 0, 1), (1, 1, 1)):
        expected = float(head.weight[0, :, 0, 0] @ fused[sample, :, y, x] + head.bias[0])
        assert float(logits[sample, 0, y, x]) == pytest.approx(expected, abs=1e-6)


def test_a_class_repeats_the_mask_in_its_own_plane() -> None:
    coarse = torch.zeros(3, 1, 4, 4)
    coarse[:, :, 1:3] = 1
    planes = class_planes(coarse, torch.tensor([0, 1, -1]), 2)
    assert planes.shape == (3, 3, 4, 4)
    for sample, kind in enumerate((0, 1, -1)):
        assert torch.equal(planes[sample, 0], coarse[sample, 0])
        for place in (0, 1):
            assert torch.equal(planes[sample, 1 + place], coarse[sample, 0] * (place == kind))
    assert torch.equal(planes[2:], class_planes(coarse[2:], torch.tensor([-1]), 2))
    assert class_planes(coarse, torch.tensor([0, 1, -1]), 0) is coarse


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"width": 0}, "width must be 1 or more"),
        ({"head": "superpixel", "superpixels": 0}, "superpixels must be 1 or more"),
        ({"head": "quadratic"}, "'linear', 'prototype' or 'superpixel'"),
    ],
)
def test_a_configuration_out_of_range_is_one_sentence(fields: dict, sentence: str) -> None:
    with pytest.raises((ParameterError, RefinerError), match=sentence) as raised:
        build(network_class("timm"), {"backbone": "test_resnet"} | fields)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("mask_dilation", [0.0, 0.02, 0.1, 0.5])
def test_a_widened_mask_is_a_dilation_by_a_disk(mask_dilation: float) -> None:
    random, share = torch.Generator().manual_seed(1), torch.tensor([0.0, 0.002, 0.05])
    coarse = (torch.rand(3, 1, 64, 64, generator=random) < share[:, None, None, None]).float()
    wide = widen(coarse, mask_dilation)
    assert (wide.shape, wide.dtype) == (coarse.shape, coarse.dtype)
    for mask, grown in zip(coarse[:, 0].numpy(), wide[:, 0].numpy(), strict=True):
        expected = dilation(mask, disk(round(64 * mask_dilation))) if mask.any() else mask
        assert (grown == expected).all()


def test_a_network_with_mask_dilation_sees_the_dilated_mask_and_nothing_else_of_it() -> None:
    torch.manual_seed(0)
    network = build(network_class("unet"), {"width": 4, "size": 64, "mask_dilation": 0.1}).eval()
    image, coarse = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    coarse[..., 20:30, 20:30] = 1
    with torch.inference_mode():
        seen = network(image, coarse)
        network.config = replace(network.config, mask_dilation=0.0)
        assert torch.equal(network(image, widen(coarse, 0.1)), seen)
        assert not torch.equal(network(image, coarse), seen)
    with pytest.raises(ParameterError, match="mask_dilation is a share"):
        build(network_class("unet"), {"mask_dilation": 0.6})
