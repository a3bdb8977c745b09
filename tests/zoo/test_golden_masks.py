"""The answers of the bundled refiners are pinned: whoever changes one raises the version of what refines."""

import json

import numpy as np
import pytest
from PIL import Image

import coarsekit
import zoo
from coarsekit.geometry import draw
from coarsekit.types import LESIONS
from tests.golden_masks import PHOTOGRAPHS, VERSION, file_of, masks_of
from zoo.checkpoints.folder import DEFAULT
from zoo.variants import REFINING_VERSION

ROUNDING = 0.01
"""Share of a mask's pixels that processors with other arithmetic may decide otherwise: 0.3 % of one of
`proto-superpixel`, whose superpixels jump, with SSE4.1 in place of AVX2; none of those of `lite` and `tiny`."""


def test_the_golden_masks_are_of_this_version() -> None:
    assert json.loads(VERSION.read_text()) == {"refining_version": REFINING_VERSION}


def test_those_of_the_default_beat_the_drawing() -> None:
    for fundus in coarsekit.open_source("sample").photographs():
        drawing, golden = (
            coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, 0),
            np.asarray(Image.open(file_of(DEFAULT, fundus.key))),
        )
        gains = []
        for lesion, fine in fundus.fine.items():
            refined = golden >> LESIONS.index(lesion) & 1 == 1
            scores = [
                (found & fine).sum() / (found | fine).sum() for found in (refined, draw(drawing.of(lesion), fine.shape))
            ]
            gains.append(scores[0] - scores[1])
        assert np.mean(gains) > 0.15


@pytest.mark.parametrize("name", zoo.list_refiners())
def test_the_masks_of_the_sample_are_the_golden_ones(name: str) -> None:
    for key in PHOTOGRAPHS:
        golden, found = np.asarray(Image.open(file_of(name, key))), masks_of(name, key)
        for bit in range(4):
            one, other = golden >> bit & 1, found >> bit & 1
            differing = np.count_nonzero(one != other)
            assert differing <= ROUNDING * max(np.count_nonzero(one), 1), (
                f"{name} no longer makes the golden masks of {key}: raise REFINING_VERSION in zoo/variants.py, measure "
                "the bundled refiners again, and run 'python -m tests.golden_masks'"
            )
