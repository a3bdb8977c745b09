"""The loss against its written-out definition."""

import pytest
import torch
from torch.nn import functional

from zoo.losses import dice_loss, refinement_loss


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
