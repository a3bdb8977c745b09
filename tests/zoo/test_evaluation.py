"""The table's numbers against scores computed by hand with scikit-learn."""

from dataclasses import asdict

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from coarsekit.geometry import draw
from coarsekit.readers import open_source
from coarsekit.simulate import annotate
from coarsekit.styles import HUMAN, PAPER
from coarsekit.types import Annotation, Image, Mask
from zoo import from_pretrained
from zoo.evaluation import evaluate
from zoo.refiner import Advance, Refiner, ignore
from zoo.scoring import score


class Everything(Refiner):
    """Answers the coarse mask itself."""

    name = "everything"

    def refine(self, image: Image, annotation: Annotation, advance: Advance = ignore) -> dict[str, Mask]:
        return {lesion: draw(annotation.of(lesion), image.shape[:2]) for lesion in annotation.lesions}


def test_rows_agree_with_scikit_learn() -> None:
    sample, shrink = open_source("sample"), from_pretrained("shrink")
    rows = evaluate([Everything(), shrink], sample, None, [1.0], HUMAN, seed=3)
    assert [(row.refiner, row.lesion) for row in rows] == [
        (name, lesion) for name in ("everything", "shrink") for lesion in ("MA", "HE", "EX", "SE")
    ]
    floors, blind = {}, {}
    for fundus in sample.photographs():
        annotation = annotate(fundus, 1.0, HUMAN, 3, "sample")
        refined = shrink.refine(fundus.image, annotation)
        for lesion, fine in fundus.fine.items():
            truth, coarse = fine.ravel(), draw(annotation.of(lesion), fine.shape).ravel()
            floors.setdefault(lesion, []).append(100 * jaccard_score(truth, coarse))
            blind.setdefault(lesion, []).append(100 * jaccard_score(truth, refined[lesion].ravel()))
    for row in rows:
        assert row.images == len(floors[row.lesion])
        assert row.floor_iou == pytest.approx(np.mean(floors[row.lesion]))
        assert row.floor_iou_std == pytest.approx(np.std(floors[row.lesion]))
        assert row.shrink_iou == pytest.approx(np.mean(blind[row.lesion]))
        expected = (floors if row.refiner == "everything" else blind)[row.lesion]
        assert row.iou == pytest.approx(np.mean(expected))
        assert row.iou_std == pytest.approx(np.std(expected))


def test_a_row_has_just_the_fields_that_were_promised() -> None:
    [row] = evaluate([Everything()], open_source("sample"), "validation", [1.5], PAPER, seed=0, lesions=["SE"])
    names = "refiner, trained_on, dataset, split, lesion, reduction, style, seed, images, floor_iou, floor_iou_std"
    assert list(asdict(row)) == [*names.split(", "), "shrink_iou", "iou", "iou_std"]
    where = (row.dataset, row.split, row.lesion, row.reduction, row.style)
    assert where == ("sample", "validation", "SE", 1.5, "paper")


def test_only_photographs_with_the_lesion_count_and_an_undrawn_class_scores_its_floor() -> None:
    fine = {"MA": np.zeros((20, 20), bool), "HE": np.eye(20, dtype=bool)}
    scores = score(Everything(), np.zeros((20, 20, 3), np.uint8), fine, Annotation("p", 20, 20))
    assert [(s.lesion, s.floor, s.iou) for s in scores] == [("HE", 0.0, 0.0)]
