"""The simulator: exact counts, the clusters of DBSCAN, coverage, symmetry, seeds, and the spread of a human hand."""

from dataclasses import replace
from math import log, nan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from skimage.measure import label
from sklearn.cluster import DBSCAN

from coarsekit.errors import ParameterError
from coarsekit.geometry import covering_ellipse, draw, moved
from coarsekit.morphology import disk_close, disk_dilate
from coarsekit.simulation.simulate import (
    annotate,
    cluster,
    draw_by_hand,
    enclosing_ellipses,
    enclosing_sweep,
    find_components,
    generator,
    perturb,
)
from coarsekit.simulation.styles import HUMAN, PAPER, Imprecision, Style
from coarsekit.types import LESIONS, Annotation, Ellipse, Fundus, Mask

SHAPE = (90, 120)
SMALL = replace(PAPER, reference_width=120, dilate=2.0)
"""The paper's style for photographs 120 px wide: a dilation by 2 px."""

blobs = st.builds(
    Ellipse,
    cx=st.floats(0, SHAPE[1]),
    cy=st.floats(0, SHAPE[0]),
    rx=st.floats(0.6, 6),
    ry=st.floats(0.6, 6),
    angle=st.floats(0, 180),
)
masks = st.lists(blobs, max_size=25).map(lambda found: draw(found, SHAPE))
reductions = st.floats(1, 6)
styles = st.builds(
    Style, st.just("any"), st.just(120), smooth=st.floats(0, 4), dilate=st.floats(0, 4), expand=st.floats(0, 4)
)


def fundus(fine: dict[str, Mask], key: str = "a", shape: tuple[int, int] = SHAPE) -> Fundus:
    return Fundus(key, f"{key}.jpg", "train", np.zeros((*shape, 3), np.uint8), fine)


def scattered(seed: int, count: int = 12) -> Mask:
    """Blobs in general position."""
    rng = np.random.default_rng(seed)
    return draw([Ellipse(*rng.uniform((5, 5), (115, 85)), *rng.uniform(0.8, 4, 2)) for _ in range(count)], SHAPE)


def merge_heights(points: np.ndarray) -> np.ndarray:
    """The distances at which single linkage merges, ascending: the edges of the minimum spanning tree."""
    return np.sort(minimum_spanning_tree(cdist(points, points)).data)


# ---------------------------------------------------------------------------------------------- counts


@given(masks, reductions, styles)
def test_the_ellipses_are_the_components_over_the_reduction_factor(fine: Mask, reduction: float, style: Style) -> None:
    found = find_components(fine, style)
    assert len(enclosing_ellipses(found, reduction, style, SHAPE[1])) == (
        max(1, round(len(found) / reduction)) if found else 0
    )


@given(masks, styles)
def test_components_are_counted_after_dilating_and_smoothing(fine: Mask, style: Style) -> None:
    dilated = disk_close(disk_dilate(fine, style.dilate), style.smooth)
    found = find_components(fine, style)
    assert len(found) == label(dilated, connectivity=2).max()
    assert sum(len(component.points) for component in found) == dilated.sum()
    assert sum(len(component.fine) for component in found) == fine.sum()


@given(st.integers(1, 40), st.integers(0, 10_000))
def test_halves_are_rounded_as_python_rounds_them(count: int, seed: int) -> None:
    """To the even neighbour: 5 components at a reduction factor of 2 are 2 ellipses, 7 are 4."""
    fine = np.zeros((12, 3 * count), bool)
    fine[np.random.default_rng(seed).integers(0, 12, count), np.arange(count) * 3] = True
    exact = replace(PAPER, dilate=0.0)
    assert len(enclosing_ellipses(find_components(fine, exact), 2, exact, fine.shape[1])) == max(1, round(count / 2))


@given(masks, reductions, reductions)
def test_the_number_of_ellipses_falls_as_the_reduction_factor_rises(fine: Mask, one: float, other: float) -> None:
    found = find_components(fine, SMALL)
    less, more = sorted((one, other))
    assert len(enclosing_ellipses(found, less, SMALL, SHAPE[1])) >= len(
        enclosing_ellipses(found, more, SMALL, SHAPE[1])
    )


@pytest.mark.parametrize("reduction", [0.99, 0, -1, nan, float("inf")])
@pytest.mark.parametrize("fine", [{"MA": scattered(0)}, {}])
def test_a_reduction_factor_below_1_or_not_finite_is_refused(fine: dict[str, Mask], reduction: float) -> None:
    """Also where there is nothing to draw."""
    with pytest.raises(ParameterError, match="reduction factor must be"):
        annotate(fundus(fine), reduction, PAPER)
    with pytest.raises(ParameterError, match="reduction factor must be"):
        enclosing_ellipses([], reduction, PAPER, 120)


@given(masks, st.lists(reductions, max_size=4))
@settings(max_examples=30)
def test_a_sweep_has_the_ellipses_of_each_reduction_factor(fine: Mask, several: list[float]) -> None:
    found = find_components(fine, SMALL)
    each = [enclosing_ellipses(found, reduction, SMALL, SHAPE[1]) for reduction in several]
    assert enclosing_sweep(found, several, SMALL, SHAPE[1]) == each


@pytest.mark.parametrize("style", [PAPER, HUMAN])
def test_empty_masks_give_no_ellipses(style: Style) -> None:
    annotation = annotate(fundus({"MA": np.zeros(SHAPE, bool)}), 1.0, style)
    assert annotation.marks == ()
    assert annotation.provenance["components"] == {}
    assert annotate(fundus({}), 1.0, style).marks == ()


# ---------------------------------------------------------------------------------------------- clustering


@given(st.integers(2, 40), st.integers(0, 10_000), st.data())
def test_clusters_are_those_of_dbscan_between_two_merge_heights(total: int, seed: int, data: st.DataObject) -> None:
    points = np.random.default_rng(seed).normal(size=(total, 2)) * 100
    count = data.draw(st.integers(1, total))
    heights = np.concatenate([[0], merge_heights(points), [1e6]])
    epsilon = heights[total - count : total - count + 2].mean()
    labels = DBSCAN(eps=epsilon, min_samples=1).fit_predict(points)
    theirs = {tuple(np.flatnonzero(labels == number)) for number in range(labels.max() + 1)}
    assert {tuple(members) for members in cluster(points, count)} == theirs


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20), st.data())
def test_clusters_are_a_partition_of_the_asked_size_even_where_distances_tie(
    places: list[tuple[int, int]], data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(places)))
    found = cluster(np.array(places, float), count)
    assert len(found) == count
    assert sorted(index for members in found for index in members) == list(range(len(places)))


@pytest.mark.parametrize("count", [0, 4])
def test_an_impossible_number_of_clusters_is_refused(count: int) -> None:
    with pytest.raises(ParameterError, match=f"between 1 and 3, got {count}"):
        cluster(np.zeros((3, 2)), count)


# ---------------------------------------------------------------------------------------------- shape


@given(masks, reductions, styles)
def test_without_imprecision_the_coarse_mask_covers_its_fine_mask(fine: Mask, reduction: float, style: Style) -> None:
    annotation = annotate(fundus({"EX": fine}), reduction, style)
    assert (draw(annotation.of("EX"), SHAPE) >= fine).all()


@given(masks.filter(lambda mask: bool(mask.any())))
def test_an_ellipse_has_the_moments_of_the_dilated_mask(fine: Mask) -> None:
    """With all components in one cluster; it is grown for the fine mask alone, not for what the dilation added."""
    (ellipse,) = enclosing_ellipses(find_components(fine, SMALL), 1000, SMALL, SHAPE[1])
    dilated = np.argwhere(disk_close(disk_dilate(fine, 2.0), SMALL.smooth))[:, ::-1] + 0.5
    expected = covering_ellipse(dilated, np.argwhere(fine)[:, ::-1] + 0.5)
    assert (ellipse.cx, ellipse.cy) == pytest.approx((expected.cx, expected.cy))
    assert (ellipse.rx, ellipse.ry) == pytest.approx((expected.rx, expected.ry))


@given(masks)
def test_every_ellipse_grows_by_what_the_style_expands(fine: Mask) -> None:
    found = find_components(fine, SMALL)
    plain = enclosing_ellipses(found, 1.5, SMALL, SHAPE[1])
    for ellipse, grown in zip(plain, enclosing_ellipses(found, 1.5, replace(SMALL, expand=3), SHAPE[1]), strict=True):
        assert grown == replace(ellipse, rx=ellipse.rx + 3, ry=ellipse.ry + 3)


@given(st.integers(0, 10_000), st.integers(2, 20), reductions, st.sampled_from([np.fliplr, np.flipud, np.rot90]))
def test_simulating_commutes_with_flips(seed: int, count: int, reduction: float, turn) -> None:
    """Where distances tie, the order of pixels decides between clusters; so masks without ties are looked at."""
    fine = scattered(seed, count)[:, :90]  # square, so that a quarter turn keeps the width
    found = find_components(fine, SMALL)
    assume(found)
    heights = merge_heights(np.array([component.points.mean(axis=0) for component in found]))
    assume((np.diff(heights) > 1e-6).all())
    straight, turned = (annotate(fundus({"MA": mask}, shape=(90, 90)), reduction, SMALL) for mask in (fine, turn(fine)))
    assert (draw(turned.of("MA"), (90, 90)) == turn(draw(straight.of("MA"), (90, 90)))).all()


def test_lengths_scale_with_the_width_of_the_photograph() -> None:
    """Half the photograph gives half of every number, up to the pixels that half a mask has lost."""
    places = [
        Ellipse(150, 130, 40, 20, 30),
        Ellipse(400, 300, 25, 25),
        Ellipse(160, 300, 12, 12),
        Ellipse(460, 90, 8, 30),
    ]
    large = draw(places, (400, 600))
    small = draw([Ellipse(e.cx / 2, e.cy / 2, e.rx / 2, e.ry / 2, e.angle) for e in places], (200, 300))
    style = replace(PAPER, smooth=60.0, dilate=80.0, expand=40.0)
    drawn = annotate(fundus({"HE": large}, shape=(400, 600)), 1.0, style).of("HE")
    halved = annotate(fundus({"HE": small}, shape=(200, 300)), 1.0, style).of("HE")
    assert len(drawn) == len(halved) == len(places)
    for whole, half in zip(drawn, halved, strict=True):
        assert np.allclose([half.cx, half.cy], [whole.cx / 2, whole.cy / 2], atol=0.5)
        assert np.allclose([half.rx, half.ry], [whole.rx / 2, whole.ry / 2], atol=1)


def test_blobs_within_twice_the_dilation_become_one() -> None:
    fine = np.zeros((40, 4288), bool)
    fine[20, [100, 148, 300, 350]] = True
    assert len(find_components(fine, replace(PAPER, smooth=0.0))) == 3


def test_smoothing_joins_what_the_dilation_left_all_but_touching() -> None:
    fine = np.zeros((40, 4288), bool)
    fine[20, [100, 151, 300, 360]] = True
    assert len(find_components(fine, replace(PAPER, smooth=0.0))) == 4
    assert len(find_components(fine, PAPER)) == 3


# ---------------------------------------------------------------------------------------------- randomness


def test_the_same_seed_gives_the_same_annotation_and_another_seed_another() -> None:
    photograph = fundus({"MA": scattered(1), "EX": scattered(2)})
    first = annotate(photograph, 1.5, HUMAN, seed=3)
    assert annotate(photograph, 1.5, HUMAN, seed=3) == first
    assert annotate(photograph, 1.5, HUMAN, seed=4).marks != first.marks


def test_the_style_without_imprecision_needs_no_seed() -> None:
    photograph = fundus({"MA": scattered(1)})
    assert annotate(photograph, 1.5, PAPER, seed=3).marks == annotate(photograph, 1.5, PAPER, seed=4).marks


def test_the_order_of_photographs_does_not_matter() -> None:
    photographs = [fundus({"MA": scattered(seed)}, key=f"photograph {seed}") for seed in range(4)]
    forwards = [annotate(photograph, 1.5, HUMAN) for photograph in photographs]
    backwards = [annotate(photograph, 1.5, HUMAN) for photograph in reversed(photographs)]
    assert forwards == backwards[::-1]


def test_photographs_differ_in_their_random_numbers() -> None:
    one, other = (annotate(fundus({"MA": scattered(0)}, key=key), 1.0, HUMAN) for key in ("a", "b"))
    assert one.marks != other.marks


def test_a_seed_below_0_is_refused() -> None:
    with pytest.raises(ParameterError, match="seed must be 0 or more, got -1"):
        annotate(fundus({}), 1.0, HUMAN, seed=-1)


@pytest.mark.parametrize("style", [PAPER, HUMAN])
def test_inputs_are_never_changed(style: Style) -> None:
    fine = {"MA": scattered(0), "EX": scattered(1)}
    before = {lesion: mask.copy() for lesion, mask in fine.items()}
    photograph = fundus(fine)
    for array in (photograph.image, *fine.values()):
        array.flags.writeable = False
    annotate(photograph, 1.5, style)
    assert fine.keys() == before.keys()
    assert all((fine[lesion] == before[lesion]).all() for lesion in fine)


def test_the_provenance_says_how_the_annotation_was_made() -> None:
    annotation = annotate(fundus({"MA": scattered(0, 3), "EX": np.zeros(SHAPE, bool)}), 1.5, HUMAN, 7, "some dataset")
    components = len(find_components(scattered(0, 3), HUMAN))
    assert annotation == Annotation("a.jpg", 120, 90, annotation.marks, annotation.provenance)
    assert annotation.provenance == {
        "made_by": "coarsekit simulate",
        "dataset": "some dataset",
        "photograph": "a",
        "split": "train",
        "style": "human",
        "reduction": 1.5,
        "seed": 7,
        "components": {"MA": components},
        "parameters": HUMAN.parameters(),
    }


# ---------------------------------------------------------------------------------------------- the human hand

EXACT = Ellipse(1000, 800, 40, 25, 90)
WIDE = (2000, 2500)
DRAWS = 4000
WITHIN = 4 / sqrt(2 * DRAWS)
"""Four standard errors of a standard deviation measured on `DRAWS` normal numbers, relative to it."""


def log_size(ellipse: Ellipse) -> float:
    return log(ellipse.rx * ellipse.ry) / 2


def drawn_by_many(lesion: str) -> list[Ellipse]:
    """The one exact ellipse as drawn by `DRAWS` annotators, one photograph each."""
    return [
        draw_by_hand({lesion: [EXACT]}, HUMAN, generator(seed, "photograph"), WIDE)[lesion][0] for seed in range(DRAWS)
    ]


@pytest.mark.parametrize("lesion", LESIONS)
def test_a_human_hand_strays_as_far_as_its_parameters_say(lesion: str) -> None:
    """Spreads to within four standard errors of the measurement, shares likewise; the numbers are seeded."""
    expected = HUMAN.imprecision[lesion]
    drawn = drawn_by_many(lesion)
    sizes = np.array([log_size(ellipse) for ellipse in drawn]) - log_size(EXACT)
    total = sqrt(expected.size_bias**2 + expected.size**2)
    assert sizes.std() == pytest.approx(total, rel=WITHIN)
    assert sizes.mean() == pytest.approx(0, abs=4 * total / sqrt(DRAWS))

    radii = np.array([sqrt(ellipse.rx * ellipse.ry) for ellipse in drawn])
    offsets = np.array([[e.cx - EXACT.cx, e.cy - EXACT.cy] for e in drawn]) / radii[:, None]
    assert offsets.std(axis=0) == pytest.approx(expected.centre, rel=WITHIN)
    assert offsets.mean(axis=0) == pytest.approx(0, abs=4 * expected.centre / sqrt(DRAWS))
    assert np.corrcoef(offsets.T)[0, 1] == pytest.approx(0, abs=4 / sqrt(DRAWS))

    circles = np.array([ellipse.rx == ellipse.ry for ellipse in drawn])
    error = sqrt(expected.circles * (1 - expected.circles) / DRAWS)
    assert circles.mean() == pytest.approx(expected.circles, abs=4 * error)

    others = [ellipse for ellipse, circle in zip(drawn, circles, strict=True) if not circle]
    within = 4 / sqrt(2 * len(others))
    aspects = np.array([log(ellipse.rx / ellipse.ry) for ellipse in others])
    assert aspects.std() == pytest.approx(expected.aspect, rel=within)
    assert aspects.mean() == pytest.approx(log(EXACT.rx / EXACT.ry), abs=4 * expected.aspect / sqrt(len(others)))
    assert np.std([ellipse.angle for ellipse in others]) == pytest.approx(expected.angle, rel=within)


@pytest.mark.parametrize(("aspect", "circles"), [(1.0, True), (2.0, True), (0.5, True), (2.01, False), (0.4, False)])
def test_a_circle_stands_in_for_what_is_nearly_round_only(aspect: float, circles: bool) -> None:
    """However fond of circles a hand is: one as large as a long ellipse would leave out both of its ends."""
    style = Style("circles", other=Imprecision(circles=1.0))
    exact = Ellipse(1000, 800, 40 * aspect, 40, 30)
    drawn = draw_by_hand({"MA": [exact]}, style, generator(0, "photograph"), WIDE)["MA"][0]
    assert drawn == (Ellipse(1000, 800, drawn.rx, drawn.rx, 30) if circles else exact)


@pytest.mark.parametrize("lesion", LESIONS)
@pytest.mark.parametrize("aspect", [4.0, 1 / 25])
def test_a_long_ellipse_strays_by_its_width_and_turns_the_less_the_longer_it_is(lesion: str, aspect: float) -> None:
    """As one twice as long as wide would: by its own size, or turned as far, it would leave what it is around."""
    expected = HUMAN.imprecision[lesion]
    exact = Ellipse(5000, 4000, 30 * max(aspect, 1), 30 / min(aspect, 1), 90)
    drawn = draw_by_hand({lesion: [exact] * DRAWS}, HUMAN, generator(0, "photograph"), (8000, 10_000))[lesion]
    factors = np.array([sqrt((e.rx * e.ry) / (exact.rx * exact.ry)) for e in drawn])
    offsets = np.array([[e.cx - exact.cx, e.cy - exact.cy] for e in drawn]) / factors[:, None]
    assert offsets.std(axis=0) == pytest.approx(expected.centre * 30 * sqrt(2), rel=WITHIN)
    turned = expected.angle * 2 * min(aspect, 1 / aspect)
    assert np.std([ellipse.angle for ellipse in drawn]) == pytest.approx(turned, rel=WITHIN)


def test_what_is_drawn_around_a_row_reaches_both_of_its_ends() -> None:
    """Hardly ever does a hand leave out the lesion at one end of the row that it circles."""
    exact = Ellipse(5000, 4000, 1200, 60, 0)
    drawn = draw_by_hand({"SE": [exact] * 200}, HUMAN, generator(0, "photograph"), (8000, 10_000))["SE"]
    reached = [[draw([moved(e, -x, -3990)], (20, 20)).any() for x in (3990, 5990)] for e in drawn]
    assert np.mean(reached) > 0.8


def test_the_annotators_bias_is_one_for_the_whole_photograph() -> None:
    """Within a photograph sizes spread by the lesion's noise alone, around a mean that the bias has moved."""
    expected = HUMAN.imprecision["HE"]
    means = []
    for seed in range(100):
        drawn = draw_by_hand({"HE": [EXACT] * 200}, HUMAN, generator(seed, "photograph"), WIDE)["HE"]
        sizes = np.array([log_size(ellipse) for ellipse in drawn]) - log_size(EXACT)
        assert sizes.std() == pytest.approx(expected.size, rel=4.5 / sqrt(2 * 200))
        means.append(sizes.mean())
    spread = sqrt(expected.size_bias**2 + expected.size**2 / 200)
    assert np.std(means) == pytest.approx(spread, rel=4 / sqrt(2 * 100))


def test_a_lesion_that_the_style_does_not_name_is_drawn_as_any_other() -> None:
    unnamed = replace(HUMAN, imprecision={})
    one = draw_by_hand({"NV": [EXACT]}, HUMAN, generator(0, "a"), WIDE)
    other = draw_by_hand({"MA": [EXACT]}, unnamed, generator(0, "a"), WIDE)
    assert one["NV"] == other["MA"] != (EXACT,)
    assert draw_by_hand({"NV": [EXACT]}, PAPER, generator(0, "a"), WIDE) == {"NV": (EXACT,)}


@given(st.from_type(Ellipse), st.integers(0, 10_000), st.sampled_from([*LESIONS, "NV"]))
def test_a_hand_never_leaves_the_photograph_and_never_draws_less_than_a_pixel(
    ellipse: Ellipse, seed: int, lesion: str
) -> None:
    (drawn,) = draw_by_hand({lesion: [ellipse]}, HUMAN, generator(seed, "a"), (40, 44))[lesion]
    assert 0 <= drawn.cx <= 44
    assert 0 <= drawn.cy <= 40
    assert min(drawn.rx, drawn.ry) >= 0.5


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.builds(Imprecision, *[st.floats(0, 1)] * 6))
def test_a_hand_draws_as_many_random_numbers_whatever_its_parameters(seed: int, imprecision: Imprecision) -> None:
    """So that a change of one parameter leaves all other ellipses' noise as it was."""
    one, other = np.random.default_rng(seed), np.random.default_rng(seed)
    perturb(EXACT, imprecision, 0.0, one, WIDE)
    perturb(EXACT, Imprecision(), 0.0, other, WIDE)
    assert one.random() == other.random()


@pytest.mark.parametrize("corner", [(0, 0), (44, 0), (0, 40), (44, 40)])
def test_a_centre_may_lie_on_any_edge(corner: tuple[int, int]) -> None:
    drawn = perturb(Ellipse(*corner, 4, 3), Imprecision(), 0.0, np.random.default_rng(0), (40, 44))
    assert (drawn.cx, drawn.cy) == corner


def test_a_hand_without_imprecision_draws_the_exact_ellipse() -> None:
    drawn = perturb(EXACT, Imprecision(), 1.0, np.random.default_rng(0), WIDE)
    assert [drawn.cx, drawn.cy, drawn.rx, drawn.ry, drawn.angle] == pytest.approx([1000, 800, 40, 25, 90])
