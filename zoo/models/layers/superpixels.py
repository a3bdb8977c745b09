"""maskSLIC on feature maps, batched: superpixels that partition a mask (B. Irving, arXiv:1606.09518)."""

import torch
from torch import Tensor


@torch.no_grad()
def mask_slic(features: Tensor, mask: Tensor, count: int = 20, compactness: float = 0.1, iterations: int = 5) -> Tensor:
    """Divide each mask into at most ``count`` superpixels of similar features.

    ``features``: (b, c, h, w). ``mask``: (b, 1, h, w) of 0 and 1. Seeds are spread inside the mask as Irving's are,
    each the pixel farthest from the rim and from the seeds so far; then k-means alternates over the mask's pixels, by
    the squared distance of unit-length features + ``compactness`` × that of positions in units of the seeds' spacing.

    Returns labels (b, h, w) long: 0 … count − 1 inside the mask, −1 outside. A mask of fewer pixels than ``count``
    gives each pixel its own label; an empty mask gives only −1. Runs without gradient.
    """
    b, _, h, w = features.shape
    inside = mask.flatten(1) > 0
    grid = torch.meshgrid(torch.arange(h, device=mask.device), torch.arange(w, device=mask.device), indexing="ij")
    xy = torch.stack(grid, dim=-1).reshape(1, h * w, 2).to(features.dtype)
    seeds, valid = _seeds(xy, inside, _rim_distance(mask), count)
    spacing = (inside.sum(1).clamp(min=1) / count).sqrt().clamp(min=1)[:, None, None]
    unit = torch.nn.functional.normalize(features.flatten(2).transpose(1, 2), dim=-1)
    space = torch.cat([unit, compactness**0.5 * xy / spacing], dim=-1)
    centres = space.gather(1, seeds[..., None].expand(-1, -1, space.shape[-1]))
    labels = torch.zeros(b, h * w, dtype=torch.long, device=mask.device)
    for _ in range(iterations):
        labels = _nearest(space, centres, valid)
        centres = _means(space, labels, inside, centres)
    return labels.masked_fill(~inside, -1).view(b, h, w)


def _seeds(xy: Tensor, inside: Tensor, rim: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Farthest points first: indices of seeds (b, count) and which of them exist.

    A running minimum of distances to the seeds equals repeating Irving's distance transform after each of them.
    """
    far = torch.where(inside, rim, -1.0)
    seeds, valid = [], []
    for _ in range(count):
        best, index = far.max(dim=1)
        seeds.append(index)
        valid.append(best > 0)
        there = xy.expand(index.shape[0], -1, -1).gather(1, index[:, None, None].expand(-1, 1, 2))
        far = torch.minimum(far, (xy - there).norm(dim=-1))
    return torch.stack(seeds, dim=1), torch.stack(valid, dim=1)


def _rim_distance(mask: Tensor) -> Tensor:
    """Distance (b, h·w) of each pixel to the nearest one outside its mask, px, where the image's edge is no rim.

    By the chessboard, which erosion counts exactly on any device; it only orders the seeds. A mask that fills the image
    has no rim, and its seeds start at the image's middle.
    """
    h, w = mask.shape[-2:]
    full = mask.flatten(1).all(dim=1)
    remaining = (mask > 0).to(torch.float32)
    distance = remaining.clone()
    for _ in range(max(h, w)):
        remaining = -torch.nn.functional.max_pool2d(-remaining, 3, stride=1, padding=1)
        distance += torch.where(full[:, None, None, None], 0.0, remaining)
        # A graph that is exported has all steps, of which the last ones add nothing.
        if not torch.compiler.is_compiling() and not (remaining[~full] > 0).any():
            break
    y = torch.arange(h, device=mask.device).minimum(torch.arange(h - 1, -1, -1, device=mask.device))
    x = torch.arange(w, device=mask.device).minimum(torch.arange(w - 1, -1, -1, device=mask.device))
    middle = torch.minimum(y[:, None], x[None]).to(torch.float32) + 1
    return torch.where(full[:, None], middle.flatten()[None], distance.flatten(1))


def _nearest(space: Tensor, centres: Tensor, valid: Tensor) -> Tensor:
    distances = (centres**2).sum(-1)[:, None] - 2 * space @ centres.transpose(1, 2)
    return distances.masked_fill(~valid[:, None], float("inf")).argmin(dim=-1)


def _means(space: Tensor, labels: Tensor, inside: Tensor, centres: Tensor) -> Tensor:
    member = torch.nn.functional.one_hot(labels, centres.shape[1]).to(space.dtype) * inside[..., None]
    sizes = member.sum(dim=1)[..., None]
    means = member.transpose(1, 2) @ space / sizes.clamp(min=1)
    return torch.where(sizes > 0, means, centres)
