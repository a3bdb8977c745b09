"""The scale of a photograph: said by the caller, seen at the rim, taken from the marks, or from the width."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pil
from skimage.measure import CircleModel, ransac

import coarsekit
from coarsekit.errors import ParameterError
from coarsekit.images.field_of_view import _TOLERANCE, _TRIALS, FieldOfView, _fit, _on_one_circle, find_field_of_view
from coarsekit.scale import GIVEN, MARKS, RADII, REFERENCE_FIELD_OF_VIEW, RIM, WIDTH, scale_of
from coarsekit.types import Annotation, Ellipse, Fundus, Image, Mark, Point, Polygon
from coarsekit.windows import REFERENCE_WIDTH


def retina(width: int, height: int, circle: FieldOfView, seed: int = 0) -> Image:
    """A textured disk, brighter on one side, with dark vessels, on black noise as JPEG leaves it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(x + 0.5 - circle.cx, y + 0.5 - circle.cy) <= circle.diameter / 2
    light = 0.6 + 0.4 * (x - circle.cx) / circle.diameter + 0.05 * np.sin(x / 17) * np.sin(y / 23)
    vessels = np.abs(np.sin(x / 61 + y / 97)) < 0.05
    pixels = np.array([170, 80, 40]) * (light * (1 - 0.5 * vessels))[..., None] * inside[..., None]
    return (pixels + rng.uniform(0, 5, pixels.shape)).clip(0, 255).astype(np.uint8)


def annotation(image: Image, *marks: Mark) -> Annotation:
    return Annotation("a.png", image.shape[1], image.shape[0], marks)


NOTHING: tuple[Mark, ...] = ()


@given(st.floats(0.35, 0.65), st.floats(0.4, 0.6), st.floats(250, 700), st.integers(300, 800))
@settings(max_examples=20, deadline=None)
def test_the_circle_is_found_whole_cut_off_or_padded(x: float, y: float, diameter: float, width: int) -> None:
    circle = FieldOfView(x * width, y * 400, diameter)
    visible = np.hypot(max(circle.cx, width - circle.cx), max(circle.cy, 400 - circle.cy))
    found = find_field_of_view(retina(width, 400, circle))
    if visible < 1.05 * diameter / 2:  # hardly a corner is dark
        return
    if found is not None:
        assert found.diameter == pytest.approx(diameter, rel=0.08)
    if diameter < 0.9 * min(400, width):
        assert found is not None
        assert (found.cx, found.cy) == pytest.approx((circle.cx, circle.cy), abs=2)
        assert found.diameter == pytest.approx(diameter, rel=0.02)


@pytest.mark.parametrize("times", [0.25, 0.5, 2.0])
def test_a_resized_photograph_has_a_resized_circle(times: float) -> None:
    image = retina(800, 600, FieldOfView(410, 300, 560))
    size = round(800 * times), round(600 * times)
    small = np.asarray(Pil.fromarray(image).resize(size, Pil.Resampling.BOX))
    whole, resized = find_field_of_view(image), find_field_of_view(small)
    assert whole is not None
    assert resized is not None
    assert resized.diameter == pytest.approx(times * whole.diameter, rel=0.02)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((60, 80, 3), np.uint8),
        np.full((300, 400, 3), 120, np.uint8),
        np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8),
        np.pad(np.full((200, 300, 3), 150, np.uint8), ((50, 50), (60, 60), (0, 0))),
        np.zeros((1, 1, 3), np.uint8),
        retina(400, 300, FieldOfView(200, 150, 1000)),
        np.repeat(np.repeat([[0, 150]], 300, axis=1), 500, axis=0)[..., None].astype(np.uint8).repeat(3, axis=2),
    ],
    ids=["black", "grey", "noise", "a rectangle", "one pixel", "all retina", "a straight border"],
)
def test_what_shows_no_circle_has_none(image: Image) -> None:
    assert find_field_of_view(image) is None


def test_the_sample_has_the_scale_of_its_size() -> None:
    dataset = coarsekit.open_source("sample")
    fundi: list[Fundus] = list(dataset.photographs(None))
    for fundus in fundi:
        scale = scale_of(fundus.image, annotation(fundus.image))
        assert scale.source == RIM
        assert scale.value == pytest.approx(fundus.image.shape[1] / REFERENCE_WIDTH, rel=0.02)


@pytest.mark.filterwarnings(
    r"ignore:\s*`minkowski_distance:DeprecationWarning"
)  # which scikit-image calls, since SciPy 1.18
@pytest.mark.parametrize("seed", range(12))
def test_the_circle_is_the_one_that_scikit_image_finds(seed: int) -> None:
    """To the bit: a part of a circle, imprecise, and points beside it."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0, 4, 500)
    arc = 400 + 300 * np.column_stack([np.cos(angles), np.sin(angles)]) + rng.normal(0, 1, (500, 2))
    points = np.vstack([arc, rng.uniform(0, 800, (200, 2))])
    found, on_circle = ransac(points, CircleModel, 3, _TOLERANCE, max_trials=_TRIALS, rng=0)
    own = _on_one_circle(points)
    assert np.array_equal(own, on_circle)
    assert _fit(points[on_circle]) == (*found.center, found.radius)
    assert _fit(np.array([[0.0, 0], [1, 1], [2, 2]])) is None
    assert _on_one_circle(np.ones((9, 2))) is None


def test_a_caller_knows_best() -> None:
    image = retina(400, 300, FieldOfView(200, 150, 280))
    scale = scale_of(image, annotation(image), 700)
    assert (scale.value, scale.source) == (700 / REFERENCE_FIELD_OF_VIEW, GIVEN)


@pytest.mark.parametrize("wrong", [0, -5, 1e9, float("nan")])
def test_a_diameter_of_no_retina_is_refused(wrong: float) -> None:
    image = np.full((30, 40, 3), 120, np.uint8)
    with pytest.raises(ParameterError, match="is not photographed; expected 107 to 13672"):
        scale_of(image, annotation(image), wrong)


@given(st.floats(0.1, 2), st.sampled_from(sorted(RADII)))
def test_without_a_rim_marks_of_their_usual_size_say_the_scale(scale: float, lesion: str) -> None:
    image = np.full((300, 400, 3), 120, np.uint8)
    radius = scale * RADII[lesion]
    side = radius * 2
    marks = (
        Mark(lesion, Ellipse(100, 90, 2 * radius, radius / 2, 0)),
        Mark(lesion, Polygon((((50, 50), (50 + side, 50), (50 + side, 50 + side), (50, 50 + side)),))),
        Mark("drusen", Ellipse(200, 90, 90, 90)),
        Mark(lesion, Point(20, 20)),
    )
    found = scale_of(image, annotation(image, *marks))
    assert found.source == MARKS
    assert found.value == pytest.approx(scale, rel=1e-6)


def test_marks_of_unknown_labels_count_where_there_are_no_others() -> None:
    image = np.full((300, 400, 3), 120, np.uint8)
    usual = np.exp(np.mean(np.log(list(RADII.values()))))
    found = scale_of(image, annotation(image, Mark("drusen", Ellipse(200, 90, usual / 2, usual / 2))))
    assert (found.value, found.source) == (pytest.approx(0.5), MARKS)


@pytest.mark.parametrize("marks", [NOTHING, (Mark("MA", Point(20, 20)),)])
def test_without_a_size_anywhere_the_width_is_all_there_is(marks: tuple[Mark, ...]) -> None:
    image = np.full((300, 400, 3), 120, np.uint8)
    found = scale_of(image, annotation(image, *marks))
    assert (found.value, found.source) == (400 / REFERENCE_WIDTH, WIDTH)


def test_a_mark_wholly_outside_counts_for_nothing() -> None:
    image = np.full((300, 400, 3), 90, np.uint8)
    own = Mark("MA", Ellipse(100, 100, 18, 18))
    for outside in (Ellipse(5000, 5000, 900, 900), Ellipse(-9, 50, 9, 9)):
        assert scale_of(image, annotation(image, own, Mark("MA", outside))) == scale_of(image, annotation(image, own))
        assert scale_of(image, annotation(image, Mark("MA", outside))).source == WIDTH
