"""The paper's augmentations, applied to image, coarse and fine mask alike (Yu et al., section 3.1)."""

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

MARGIN = 1.5
"""A patch is cut this much larger, so that turning it brings in retina rather than black corners."""


class Augmentation:
    """Shift, scale and rotate; flips and quarter turns; blur; brightness and contrast."""

    def __init__(self, size: int) -> None:
        affine = v2.RandomAffine(
            degrees=45, translate=(0.04, 0.04), scale=(0.85, 1.15), interpolation=v2.InterpolationMode.BILINEAR
        )
        self._place = v2.Compose(
            [v2.RandomApply([affine], p=0.5), v2.CenterCrop(size), v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()]
        )
        self._look = v2.Compose(
            [
                v2.RandomApply([v2.GaussianBlur(5, sigma=(0.3, 2.0))], p=0.3),
                v2.ColorJitter(brightness=0.2, contrast=0.2),
            ]
        )

    def __call__(self, image: Tensor, masks: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """A patch (size, size) out of image (3, s, s) uint8 and masks (2, s, s) uint8, ``s`` being `MARGIN` × size.

        The same seed gives the same result; torch's global random numbers are left as they were.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            placed = self._place(tv_tensors.Image(image), tv_tensors.Mask(masks))
            turns = int(torch.randint(4, ()))
            image, masks = (torch.rot90(part.as_subclass(Tensor), turns, (-2, -1)) for part in placed)
            return self._look(tv_tensors.Image(image)).as_subclass(Tensor), masks
