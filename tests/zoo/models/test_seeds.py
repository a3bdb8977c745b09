"""Clicks and strokes: what is answered touches the mark, may reach beyond it, and outlines never notice."""

from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor

from coarsekit.geometry import draw
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon
from coarsekit.windows import REFERENCE_WIDTH
from tests.zoo.models.test_inference import Darkness
from zoo.models.base import Network
from zoo.models.config import Config
from zoo.models.outlines import photograph_probability
from zoo.models.seeds import RADII, seed_probability

WIDTH, HEIGHT = 1500, 900
SMALL, LARGE, NEIGHBOUR = Ellipse(300, 300, 6, 5), Ellipse(800, 400, 45, 30, 20), Ellipse(318, 300, 5, 5)
NETWORK = Darkness(Config(size=64))
TWICE = Darkness(Config(size=64, second_look=True))


class DarknessDrawn(Darkness):
    """`Darkness`, of which it sees nothing outside what was drawn."""

    def forward(
        self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None, signature: Tensor | None = None
    ) -> Tensor:
        return self.scale * (coarse * (1 - image.mean(1, keepdim=True)) - 0.5)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """A bright photograph with a small lesion beside another, and a large one."""
    dark = draw([SMALL, LARGE, NEIGHBOUR], (HEIGHT, WIDTH))
    return np.where(dark[..., None], 40, 220).astype(np.uint8).repeat(3, axis=2)


def refined(image: np.ndarray, *shapes, network: Network = NETWORK) -> np.ndarray:
    marks = tuple(Mark("HE", shape) for shape in shapes)
    return network.refine(image, Annotation("p.png", WIDTH, HEIGHT, marks), scale=WIDTH / REFERENCE_WIDTH)["HE"]


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("lesion", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("radius", [None, 3.0, 200.0])
@pytest.mark.parametrize("network", [NETWORK, TWICE], ids=["once", "twice"])
def test_a_click_finds_its_lesion_whatever_its_own_radius_and_no_neighbour(image, network, lesion, radius) -> None:
    found = refined(image, Point(lesion.cx + 3, lesion.cy - 2, radius), network=network)
    assert iou(found, draw([lesion], (HEIGHT, WIDTH))) > 0.8
    assert not (found & draw([NEIGHBOUR], (HEIGHT, WIDTH))).any()


@pytest.mark.parametrize("network", [NETWORK, TWICE], ids=["once", "twice"])
def test_a_stroke_finds_all_that_it_touches(image, network) -> None:
    found = refined(image, Line(((SMALL.cx, SMALL.cy), (NEIGHBOUR.cx, NEIGHBOUR.cy))), network=network)
    assert iou(found, draw([SMALL, NEIGHBOUR], (HEIGHT, WIDTH))) > 0.8
    assert not (found & draw([LARGE], (HEIGHT, WIDTH))).any()


@pytest.mark.parametrize("network", [NETWORK, TWICE], ids=["once", "twice"])
def test_a_click_on_nothing_and_one_outside_answer_nothing(image, network) -> None:
    assert not refined(image, Point(1200, 700), network=network).any()
    assert not refined(image, Point(-4000, -4000), network=network).any()


def test_a_click_a_little_beside_its_lesion_still_touches_it(image) -> None:
    beside = SMALL.cx - SMALL.rx - 1
    assert refined(image, Point(beside, SMALL.cy)).any()
    assert not refined(image, Point(beside - 3, SMALL.cy)).any()


def test_least_circles_are_refined_as_points_at_their_middles(image) -> None:
    lesions = [SMALL, NEIGHBOUR, LARGE]
    places = [(lesion.cx, lesion.cy) for lesion in lesions] + [(1200, 700), (1300, 200)]
    circles = refined(image, *(Ellipse(x, y, 2, 2) for x, y in places))
    assert np.array_equal(circles, refined(image, *(Point(x, y) for x, y in places)))
    assert iou(circles, draw(lesions, (HEIGHT, WIDTH))) > 0.8


def test_outlines_are_refined_as_if_there_were_no_clicks(image) -> None:
    outline = Ellipse(SMALL.cx, SMALL.cy, 14, 14)
    box = Polygon((((300, 280), (340, 280), (340, 320), (300, 320)),))
    alone, both = refined(image, outline, box), refined(image, outline, box, Point(LARGE.cx, LARGE.cy))
    assert np.array_equal(alone, photograph_probability(NETWORK, image, [outline, box]) >= NETWORK.config.threshold)
    assert np.array_equal(both, alone | refined(image, Point(LARGE.cx, LARGE.cy)))
    assert np.array_equal(alone, refined(image, outline, box, network=TWICE))


def test_strokes_get_no_second_look(image) -> None:
    stroke, click = Line(((SMALL.cx, SMALL.cy), (NEIGHBOUR.cx, NEIGHBOUR.cy))), Point(LARGE.cx, LARGE.cy)
    once, twice = refined(image, stroke), refined(image, stroke, network=TWICE)
    assert np.array_equal(once, twice)
    assert np.array_equal(refined(image, stroke, click, network=TWICE), once | refined(image, click, network=TWICE))


def test_a_second_look_finds_what_the_largest_circle_had_no_room_for(image) -> None:
    flame = Ellipse(700, 650, 130, 12)
    picture = np.where(draw([flame], (HEIGHT, WIDTH))[..., None], 40, image).astype(np.uint8)
    reach = RADII[-1] * WIDTH / REFERENCE_WIDTH
    once, twice = (
        refined(picture, Point(flame.cx, flame.cy), network=DarknessDrawn(Config(size=64, second_look=second)))
        for second in (False, True)
    )
    assert once.any(axis=0).sum() == pytest.approx(2 * reach, abs=4)
    assert twice.any(axis=0).sum() > 2 * reach + 8
    exact = draw([flame], (HEIGHT, WIDTH))
    assert iou(twice, exact) > iou(once, exact)


def test_probabilities_are_those_of_the_masks_and_progress_counts_marks(image) -> None:
    marks = (Mark("HE", Point(SMALL.cx, SMALL.cy)), Mark("HE", LARGE), Mark("EX", Point(LARGE.cx, LARGE.cy)))
    annotation = Annotation("p.png", WIDTH, HEIGHT, marks)
    done: list[int] = []
    masks = NETWORK.refine(image, annotation, done.append)
    assert sum(done) == len(marks)
    for lesion, probability in NETWORK.probabilities(image, annotation).items():
        assert np.array_equal(masks[lesion], probability >= NETWORK.config.threshold)


def test_circles_and_answers_scale_with_the_photograph(image) -> None:
    half = image[::2, ::2]
    whole, small = (
        seed_probability(NETWORK, picture, [Point(LARGE.cx * scale, LARGE.cy * scale)]) >= 0.5
        for picture, scale in ((image, 1), (half, 0.5))
    )
    assert iou(whole[::2, ::2], small) > 0.85
    assert list(RADII) == sorted(RADII)


def test_the_order_of_clicks_does_not_matter(image) -> None:
    places = [Point(lesion.cx, lesion.cy) for lesion in (SMALL, LARGE, NEIGHBOUR)]
    assert np.array_equal(refined(image, *places), refined(image, *places[::-1]))


def test_a_threshold_near_its_ends_still_answers(image) -> None:
    network = Darkness(replace(NETWORK.config, threshold=0.95))
    annotation = Annotation("p.png", WIDTH, HEIGHT, (Mark("HE", Point(LARGE.cx, LARGE.cy)),))
    assert network.refine(image, annotation)["HE"].any()
