"""How coarse an annotation is, against the same numbers by hand."""

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from coarsekit.geometry import draw
from coarsekit.simulation.coarseness import Coarseness, coarseness_of, coarseness_table
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import HUMAN
from coarsekit.types import Ellipse, Fundus

SHAPE = (90, 120)


def test_the_floor_is_the_iou_of_the_drawn_ellipses_against_the_fine_mask() -> None:
    fine = {
        "MA": draw([Ellipse(30, 30, 4, 4), Ellipse(80, 60, 3, 5)], SHAPE),
        "EX": np.zeros(SHAPE, bool),
        "SE": draw([Ellipse(60, 45, 20, 12, 30)], SHAPE),
    }
    fundus = Fundus("a", "a.jpg", "train", np.zeros((*SHAPE, 3), np.uint8), fine)
    annotation = annotate(fundus, 2.0, HUMAN)
    lines = coarseness_of(fundus, annotation)
    assert [line[:4] for line in lines] == [("a", "MA", 2, 1), ("a", "SE", 1, 1)]
    for line in lines:
        coarse = draw(annotation.of(line.lesion), SHAPE)
        assert line.floor == pytest.approx(jaccard_score(fine[line.lesion].ravel(), coarse.ravel()))


def test_rows_add_up_photographs_and_leave_out_what_none_shows() -> None:
    lines = [Coarseness("a", "SE", 4, 2, 0.5), Coarseness("a", "MA", 10, 5, 0.1), Coarseness("b", "MA", 6, 3, 0.3)]
    mean_of_two = {
        "lesion": "MA",
        "images": 2,
        "components": 16,
        "ellipses": 8,
        "floor_iou": 20.0,
        "floor_iou_std": 10.0,
    }
    alone = {"lesion": "SE", "images": 1, "components": 4, "ellipses": 2, "floor_iou": 50.0, "floor_iou_std": 0.0}
    assert coarseness_table(lines, ("MA", "HE", "SE")) == [pytest.approx(mean_of_two), pytest.approx(alone)]
    assert coarseness_table([], ("MA",)) == []
