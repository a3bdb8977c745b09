"""The training loss: dice + binary cross-entropy (Yu et al., section 2.1)."""

from torch import Tensor
from torch.nn import functional


def dice_loss(logits: Tensor, fine: Tensor) -> Tensor:
    """1 − soft Dice, mean over the batch, of logits and fine masks (b, 1, h, w).

    One is added above and below the fraction, so that an empty fine mask that nothing was found in costs nothing.
    """
    found = logits.sigmoid().flatten(1)
    true = fine.flatten(1)
    both = (found * true).sum(1)
    return (1 - (2 * both + 1) / (found.sum(1) + true.sum(1) + 1)).mean()


def refinement_loss(logits: Tensor, fine: Tensor) -> Tensor:
    """Dice + binary cross-entropy of logits (b, 1, h, w) against fine masks (b, 1, h, w) of 0 and 1; a scalar."""
    return dice_loss(logits, fine) + functional.binary_cross_entropy_with_logits(logits, fine)
