"""The loss against its written-out definition."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, log_loss
from torch.nn import functional

from zoo.training.losses import dice_loss, refinement_loss


def test_dice_of_certain_answers_is_one_minus_the_dice_score() -> None:
    fine = torch.zeros(1, 1, 10, 10)
    fine[..., :5, :] = 1
    found = torch.zeros(1, 1, 10, 10)
    found[..., 3:8, :] = 1
    expected = 1 - (2 * 20 + 1) / (50 + 50 + 1)
    assert dice_loss(200 * (found - 0.5), fine).item() == pytest.approx(expected, abs=1e-6)


def test_a_perfect_answer_costs_nothing_also_on_an_empty_mask() -> None:
    for fine in (torch.zeros(2, 1, 8, 8), torch.ones(2, 1, 8, 8)):
        assert refinement_loss(200 * (fine - 0.5), fine).item() == pytest.approx(0, abs=1e-6)


def test_the_loss_is_dice_plus_cross_entropy() -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 1, 6, 6, generator=random)
    fine = (torch.rand(3, 1, 6, 6, generator=random) > 0.5).float()
    entropy = functional.binary_cross_entropy(logits.sigmoid(), fine)
    torch.testing.assert_close(refinement_loss(logits, fine), dice_loss(logits, fine) + entropy)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("spread", [0.1, 1.0, 8.0])
def test_the_loss_matches_scikit_learn(share: float, spread: float) -> None:
    """Soft Dice is its F1 where a pixel counts as lesion by its probability, and as background by the rest.

    The one that is added above and below is a further pixel of half the weight that both masks hold.
    """
    random = torch.Generator().manual_seed(1)
    logits = spread * torch.randn(3, 1, 7, 5, generator=random, dtype=torch.float64)
    fine = (torch.rand(3, 1, 7, 5, generator=random) < share).double()
    dice = []
    for found, true in zip(logits.sigmoid().flatten(1).numpy(), fine.flatten(1).numpy(), strict=True):
        expected = np.concatenate([true, true, [1]])
        said = np.repeat([1, 0, 1], [len(true), len(true), 1])
        dice.append(f1_score(expected, said, sample_weight=np.concatenate([found, 1 - found, [0.5]])))
    assert dice_loss(logits, fine).item() == pytest.approx(1 - np.mean(dice), abs=1e-9)
    certain = logits.sigmoid().flatten().numpy()
    entropy = log_loss(fine.flatten().numpy(), np.stack([1 - certain, certain], 1), labels=[0, 1])
    assert refinement_loss(logits, fine).item() == pytest.approx(1 - np.mean(dice) + entropy, abs=1e-9)
