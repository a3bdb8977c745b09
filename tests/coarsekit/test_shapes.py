"""Shapes that are no ellipses: what is refused, where they lie, and how they are drawn, moved and cut."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import points_in_poly

from coarsekit.annotations.approximate import as_ellipse, as_outline, as_polygon, on_photograph
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw, extent, moved
from coarsekit.morphology import eroded
from coarsekit.shapes import CLICK_RADIUS, STROKE_WIDTH
from coarsekit.storage.digests import drawing_sha256
from coarsekit.types import (
    Annotation,
    Ellipse,
    Line,
    Mark,
    Point,
    Polygon,
    Raster,
    Window,
    sized,
)
from coarsekit.visualize.sheets import overlay, preview
from coarsekit.windows import cut_shapes, window_around, windows_around

SIZE = (40, 50)
L = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]], bool)
SQUARE = ((10, 10), (20, 10), (20, 20), (10, 20))
quick = settings(max_examples=200, deadline=None, derandomize=True)

corners = st.tuples(st.floats(-20, 70), st.floats(-20, 60))
rasters = st.builds(
    lambda left, top, height, width, seed: Raster(left, top, _noise(height, width, seed)),
    *(st.integers(-5, 45), st.integers(-5, 35), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32)),
)


def _noise(height: int, width: int, seed: int) -> np.ndarray:
    pixels = np.random.default_rng(seed).random((height, width)) < 0.6
    pixels[height // 2, width // 2] = True
    return pixels


@pytest.mark.parametrize(
    ("rings", "said"),
    [
        ((), "at least one ring"),
        ((((0, 0), (1, 1)),), "at least 3 corners, got 2"),
        ((((0, 0), (1, 1), (float("nan"), 2)),), "finite"),
        ((((0, 0), (1, 1), (2,)),), "lists of corners"),
        ((((0, 0), (1, 1), (2, "x")),), "lists of corners"),
        ((3,), "lists of corners"),
        ((((0, 0), (1, 1), (10**400, 1)),), "lists of corners"),
    ],
)
def test_a_polygon_that_is_none_is_refused(rings, said: str) -> None:
    with pytest.raises(AnnotationError, match=said):
        Polygon(rings)


@pytest.mark.parametrize(
    "crop", [np.zeros((2, 2), bool), np.zeros((0, 0), bool), np.ones((2, 2), int), np.ones(3, bool)]
)
def test_a_raster_that_is_none_is_refused(crop) -> None:
    with pytest.raises(AnnotationError, match="a mask"):
        Raster(0, 0, crop)


def test_a_raster_beyond_all_photographs_is_refused() -> None:
    with pytest.raises(AnnotationError, match="within 1000000000 px"):
        Raster(10**400, 0, L)


def test_equal_rasters_are_equal_whatever_their_margin_and_cannot_change() -> None:
    one, other = Raster(5, 6, L), Raster(3, 5, np.pad(L, ((1, 4), (2, 3))))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Raster(5, 7, L)
    assert one != "mask"
    with pytest.raises(ValueError, match="read-only"):
        one.crop[0, 0] = False


def test_polygons_are_tuples_of_floats_whatever_they_were_made_of() -> None:
    assert Polygon([np.array(SQUARE)]) == Polygon((SQUARE,))


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (Polygon((SQUARE, ((0, 12), (3, 30), (4, 12)))), (0, 10, 20, 30)),
        (Raster(5, 6, L), (5, 6, 8, 9)),
        (Ellipse(10, 10, 4, 2, 90), (8, 6, 12, 14)),
    ],
)
def test_extent_is_the_bounding_box(shape, box: tuple) -> None:
    assert extent(shape) == pytest.approx(box)


@quick
@given(st.lists(corners, min_size=3, max_size=8))
def test_a_ring_is_filled_by_the_even_odd_rule_at_pixel_centres(ring: list) -> None:
    x, y = np.meshgrid(np.arange(SIZE[1]) + 0.5, np.arange(SIZE[0]) + 0.5)
    centres = np.stack([x.ravel(), y.ravel()], axis=1)
    expected = points_in_poly(centres, np.array(ring)).reshape(SIZE)
    drawn = draw([Polygon((tuple(ring),))], SIZE)
    differing = np.argwhere(drawn != expected) + 0.5
    # Only a centre on an edge may be counted either way.
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        differing = differing[_distances(differing[:, ::-1], a, b) >= 1e-9]
    assert not len(differing)


def _distances(places, a, b):
    places, a, b = (np.array(each, float) for each in (places, a, b))
    along = b - a
    share = np.clip((places - a) @ along / (along @ along or 1), 0, 1)
    return np.hypot(*(places - a - share[..., None] * along).T).T


def test_rings_are_united_and_neighbours_share_no_pixel() -> None:
    left, right = ((0, 0), (7.5, 0), (7.5, 9), (0, 9)), ((7.5, 0), (15, 0), (15, 9), (7.5, 9))
    assert not (draw([Polygon((left,))], SIZE) & draw([Polygon((right,))], SIZE)).any()
    assert draw([Polygon((left, right))], SIZE).sum() == 15 * 9
    assert draw([Polygon((SQUARE, SQUARE))], SIZE).sum() == 100


def test_what_lies_outside_or_reaches_to_infinity_is_cut_off() -> None:
    far = Polygon((((-1e308, -1e308), (1e308, -1e308), (1e308, 1e308), (-1e308, 1e308)),))
    assert draw([far], SIZE).all()
    assert not draw([Polygon((((60, 1), (70, 1), (70, 9)),))], SIZE).any()
    assert draw([Raster(-1, -2, L)], SIZE).sum() == 2
    assert not draw([Raster(50, 0, L), Raster(-3, 0, L)], SIZE).any()


@quick
@given(rasters, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 3))
def test_moving_a_raster_by_whole_pixels_is_exact_and_enlarging_repeats_them(raster, dx, dy, scale) -> None:
    bigger = moved(raster, dx, dy, scale)
    repeated = raster.crop.repeat(scale, axis=0).repeat(scale, axis=1)
    assert bigger == Raster((raster.left + dx) * scale, (raster.top + dy) * scale, repeated)
    assert moved(bigger, 0, 0, 1 / scale) == moved(raster, dx, dy)


def test_a_raster_too_small_for_any_centre_keeps_one_pixel() -> None:
    assert moved(Raster(80, 40, np.ones((1, 1), bool)), 0, 0, 0.1) == Raster(8, 4, np.ones((1, 1), bool))


@quick
@given(rasters)
def test_an_outline_holds_just_the_pixels(raster) -> None:
    outline = as_outline(raster)
    assert len(outline.rings) == 1
    assert np.array_equal(draw([outline], SIZE), draw([raster], SIZE))
    assert extent(outline) == extent(raster)


polygons = st.builds(Polygon, st.lists(st.lists(corners, min_size=3, max_size=6), min_size=1, max_size=3))


@quick
@given(st.one_of(polygons, rasters))
def test_the_part_on_a_photograph_has_just_the_pixels(shape) -> None:
    mask = draw([shape], SIZE)
    assert on_photograph(shape, SIZE) == (Raster(0, 0, mask) if mask.any() else None)


def test_the_polygon_of_an_ellipse_has_its_area_and_stays_near_its_rim() -> None:
    ellipse = Ellipse(25, 20, 15, 8, 30)
    [ring] = as_polygon(ellipse).rings
    x, y = np.array(ring).T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert area == pytest.approx(np.pi * 15 * 8)
    outer, inner = (Ellipse(25, 20, 15 * by, 8 * by, 30) for by in (1.002, 0.998))
    drawn = draw([as_polygon(ellipse)], SIZE)
    assert not (drawn & ~draw([outer], SIZE)).any()
    assert not (draw([inner], SIZE) & ~drawn).any()


@quick
@given(st.floats(10, 40), st.floats(10, 30), st.floats(3, 9), st.floats(3, 9), st.floats(0, 180))
def test_the_ellipse_of_a_shape_that_was_one_is_that_one(cx, cy, rx, ry, angle) -> None:
    ellipse = Ellipse(cx, cy, rx, ry, angle)
    assert as_ellipse(ellipse) is ellipse
    found = as_ellipse(as_polygon(ellipse))
    near = [pytest.approx(value, abs=0.5) for value in (cx, cy, max(rx, ry), min(rx, ry))]
    assert [found.cx, found.cy, max(found.rx, found.ry), min(found.rx, found.ry)] == near


def test_a_sliver_without_a_pixel_has_the_ellipse_of_its_box() -> None:
    assert as_ellipse(Polygon((((3.1, 4.1), (9.1, 4.1), (5, 4.2)),))) == Ellipse(6.1, 4.15, 3.0, 0.5)


@pytest.mark.parametrize(
    "shape",
    [
        Polygon((SQUARE,)),
        Raster(10, 10, np.ones((10, 10), bool)),
        Ellipse(15, 15, 5, 5),
        Point(15, 15, 5),
        Line(((12, 15), (18, 15)), 4),
    ],
)
def test_windows_and_patches_take_every_shape(shape) -> None:
    window = window_around(shape, (500, 500))
    assert window == Window(round((30 - window.side) / 2), round((30 - window.side) / 2), window.side)
    patch = cut_shapes([shape], window, 2 * window.side)
    whole = draw([shape], SIZE)
    assert patch.sum() == pytest.approx(4 * whole.sum(), rel=0.1)
    pieces = windows_around(shape, (500, 500), max_window=40)
    assert len(pieces) > 1
    assert all(cut_shapes([shape], piece, piece.side).any() for piece in pieces)


numbers = st.floats(-20, 70)
sizes = st.one_of(st.none(), st.floats(0.3, 15))
points = st.builds(Point, numbers, numbers, sizes)
lines = st.builds(Line, st.lists(corners, min_size=2, max_size=6), sizes)


@pytest.mark.parametrize("radius", [0, -1, float("nan"), float("inf")])
def test_a_size_is_positive_and_finite(radius: float) -> None:
    with pytest.raises(AnnotationError, match="a point's radius must be a finite number above 0 px"):
        Point(1, 2, radius)
    with pytest.raises(AnnotationError, match="a line's width must be a finite number above 0 px"):
        Line(((1, 2), (3, 4)), radius)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (((1, 2),), "a line needs at least 2 places, got 1"),
        (((1, 2), (3,)), "a line's places must be lists"),
        (((1, 2), (3, float("inf"))), "a line's places must be finite"),
    ],
)
def test_a_line_that_is_none_is_refused(places, said: str) -> None:
    with pytest.raises(AnnotationError, match=said):
        Line(places)


def test_a_point_is_somewhere() -> None:
    with pytest.raises(AnnotationError, match="a point's y must be a finite number"):
        Point(1, float("nan"))


@quick
@given(st.one_of(points, lines))
def test_a_stroke_has_the_pixels_near_its_places_and_no_others(shape) -> None:
    places = [(shape.x, shape.y)] * 2 if isinstance(shape, Point) else shape.places
    size = shape.radius if isinstance(shape, Point) else shape.width and shape.width / 2
    reach = size or 0.7072
    drawn = draw([shape], SIZE)
    centres = np.stack(np.meshgrid(np.arange(SIZE[1]) + 0.5, np.arange(SIZE[0]) + 0.5), axis=-1)
    away = np.min([_distances(centres, a, b) for a, b in pairwise(places)], axis=0)
    assert ((drawn == (away <= reach)) | (abs(away - reach) < 1e-6)).all()
    left, top, right, bottom = extent(shape)
    rows, columns = np.nonzero(drawn)
    if rows.size:
        assert left <= columns.min() + 0.5
        assert columns.max() + 0.5 <= right
        assert top <= rows.min() + 0.5
        assert rows.max() + 0.5 <= bottom


@quick
@given(st.floats(0, 50), st.floats(0, 40))
def test_a_point_on_the_photograph_has_a_pixel_however_small_it_is(x: float, y: float) -> None:
    assert draw([Point(min(x, 49.9), min(y, 39.9))], SIZE).any()


@quick
@given(st.one_of(points, lines), st.floats(-9, 9), st.floats(0.2, 5))
def test_moving_and_scaling_a_stroke_moves_and_scales_its_box(shape, shift: float, scale: float) -> None:
    sized_one = sized(shape, 1500)
    box = (np.array(extent(sized_one)) + shift) * scale
    assert extent(moved(sized_one, shift, shift, scale)) == pytest.approx(tuple(box), abs=1e-6)
    assert moved(moved(shape, shift, shift), -shift, -shift) == _almost(shape)


def _almost(shape) -> object:
    class Almost:
        def __eq__(self, other) -> bool:
            return type(other) is type(shape) and extent(other) == pytest.approx(extent(shape), abs=1e-9)

        __hash__ = None

    return Almost()


def test_strokes_far_away_and_without_length_are_drawn() -> None:
    assert draw([Line(((-1e300, 20), (1e300, 20)), 4)], SIZE).sum() == 4 * SIZE[1]
    assert np.array_equal(draw([Line(((9, 9), (9, 9)), 8)], SIZE), draw([Point(9, 9, 4)], SIZE))
    assert not draw([Point(1e300, 1e300, 5)], SIZE).any()


def test_points_and_lines_get_a_size_by_the_photograph_and_keep_their_own() -> None:
    line = Line(((1, 2), (3, 4)))
    marks = (Mark("MA", Point(5, 6)), Mark("MA", Point(5, 6, 2)), Mark("MA", line))
    shapes = Annotation("p.jpg", 1500, 1000, marks).of("MA")
    assert shapes == (Point(5, 6, CLICK_RADIUS * 1500), Point(5, 6, 2), Line(line.places, STROKE_WIDTH * 1500))
    assert round(4288 * CLICK_RADIUS) == 40
    assert pytest.approx(CLICK_RADIUS / 3) == STROKE_WIDTH


def test_drawings_that_differ_by_a_size_have_other_digests() -> None:
    line = ((1, 2), (3, 4))
    shapes = [Point(1, 2), Point(1, 2, 3), Line(line), Line(line, 3), Line(line[::-1]), Polygon((SQUARE,))]
    digests = {drawing_sha256(Annotation("p.jpg", 100, 90, (Mark("MA", shape),))) for shape in shapes}
    assert len(digests) == len(shapes)


def test_the_ellipse_of_a_point_is_its_circle_and_that_of_a_line_goes_along_it() -> None:
    assert as_ellipse(Point(3.5, 4, 2)) == Ellipse(3.5, 4, 2, 2)
    ellipse = as_ellipse(Line(((10, 10), (40, 10)), 4))
    assert (ellipse.cx, ellipse.cy) == pytest.approx((25, 10), abs=0.5)
    assert max(ellipse.rx, ellipse.ry) > 4 * min(ellipse.rx, ellipse.ry)


def test_erosion_keeps_what_lies_deep_enough_and_never_loses_all() -> None:
    disk = Raster(5, 5, draw([Ellipse(10, 10, 10, 10)], (20, 20)))
    assert extent(eroded(disk, 5)) == (10, 10, 20, 20)
    assert eroded(disk, 0) == disk
    assert 1 <= eroded(disk, 1000).crop.sum() <= 4


def test_pictures_show_every_shape() -> None:
    shapes = {
        "MA": Ellipse(150, 150, 5, 5),
        "EX": moved(Polygon((SQUARE,)), 0, 0, 10),
        "SE": Raster(300, 200, L),
        "click": Point(350, 250),
        "stroke": Line(((200, 40), (260, 60), (210, 90))),
        "HE": Ellipse(15, 9e9, 5, 5),
    }
    image = np.zeros((300, 400, 3), np.uint8)
    for lesion, shape in shapes.items():
        annotation = Annotation("p.jpg", 400, 300, (Mark(lesion, shape),))
        empty = overlay(image, Annotation("p.jpg", 400, 300), {})
        below_legend = (overlay(image, annotation, {}) != empty)[40:]
        assert below_legend.any() == (lesion != "HE")
    marks = tuple(Mark(lesion, shape) for lesion, shape in shapes.items() if lesion != "HE")
    assert preview(image, Annotation("p.jpg", 400, 300, marks), {}, height=200).shape[0] > 200
