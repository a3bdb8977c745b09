"""Which components get a second look, and what it changes."""

from dataclasses import replace
from typing import final

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from coarsekit.errors import ParameterError
from coarsekit.geometry import draw, extent
from coarsekit.patches import window_around
from coarsekit.types import Annotation, Ellipse, Mark, Window
from zoo.closeups import close_ups, merge
from zoo.config import Config
from zoo.network import Network

SIZE = (1000, 4288)
SMALL = Ellipse(300, 300, 12, 9)
WIDE = Window(100, 100, 384)


def test_a_small_component_in_a_large_window_is_circled_with_room() -> None:
    (ellipse,) = close_ups(draw([SMALL], SIZE), [WIDE], 1.5)
    assert (ellipse.cx, ellipse.cy) == (300, 300)
    assert (ellipse.rx, ellipse.ry) == (pytest.approx(1.15 * 12 + 20), pytest.approx(1.15 * 9 + 20))


def test_room_scales_with_the_photograph() -> None:
    found = draw([Ellipse(150, 150, 6, 6)], (500, 2144))
    (ellipse,) = close_ups(found, [Window(50, 50, 192)], 1.5)
    assert ellipse.rx == pytest.approx(1.15 * 6 + 10)


def test_a_component_that_was_seen_well_is_not_looked_at_again() -> None:
    found = draw([SMALL], SIZE)
    own = window_around(Ellipse(300, 300, 1.15 * 12 + 20, 1.15 * 9 + 20), SIZE, 1.5).side
    assert not close_ups(found, [WIDE, Window(250, 250, 2 * own - 1)], 1.5)  # in one of its windows, well enough
    assert close_ups(found, [WIDE, Window(250, 250, 2 * own)], 1.5)
    assert not close_ups(found, [Window(600, 600, 384)], 1.5)  # nobody looked there
    assert not close_ups(draw([Ellipse(300, 300, 90, 90)], SIZE), [WIDE], 1.5)
    assert not close_ups(np.zeros(SIZE, bool), [WIDE], 1.5)
    assert not close_ups(found, [], 1.5)


def test_each_component_is_circled_once() -> None:
    places = [Ellipse(150 + 60 * i, 200 + 40 * (i % 3), 8, 8) for i in range(5)]
    circled = close_ups(draw(places, SIZE), [WIDE, Window(110, 110, 384)], 1.5)
    assert sorted((e.cx, e.cy) for e in circled) == sorted((e.cx, e.cy) for e in places)


def test_both_looks_are_averaged_around_what_was_found_and_nowhere_else() -> None:
    first, second = np.full(SIZE, 0.8, np.float32), np.full(SIZE, 0.2, np.float32)
    both = merge(first, second, [Ellipse(300, 300, 30, 20)])
    around = draw([Ellipse(300, 300, 36, 24)], SIZE)
    assert np.allclose(both[around], 0.5)
    assert np.array_equal(both[~around], first[~around])
    assert np.array_equal(merge(first, second, []), first)
    assert both.dtype == np.float32


@final
class Close(Network):
    """Sees a dark speck in every patch; as one that it is sure of where its pixels were enlarged."""

    variant = "close"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.sides: list[float] = []

    def forward(self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None) -> Tensor:
        dark = (image.mean(1, keepdim=True) < 0.5).float()
        self.sides += dark.sum((1, 2, 3)).sqrt().tolist()
        return self.scale * 20 * (dark - 0.5)


@pytest.mark.parametrize("closer", [False, True])
def test_a_speck_in_a_large_ellipse_is_looked_at_from_near(closer: bool) -> None:
    speck = Ellipse(2100, 500, 10, 10)
    image = np.where(draw([speck], SIZE)[..., None], 40, 220).astype(np.uint8).repeat(3, axis=2)
    annotation = Annotation("p.png", SIZE[1], SIZE[0], (Mark("MA", Ellipse(2080, 500, 220, 220)),))
    network = Close(Config(size=192, most=384, blend=True, closer=closer))
    heard: list[int] = []
    found = network.refine(image, annotation, heard.append)["MA"]
    assert sum(heard) == 1
    x0, y0, x1, y1 = extent(speck)
    assert found[500, 2100]
    assert found.sum() == found[int(y0) - 4 : int(y1) + 4, int(x0) - 4 : int(x1) + 4].sum()
    # From far its 20 px are 10 of a patch; from near, in a window of its own, more than 20.
    assert max(network.sides) > 20 if closer else max(network.sides) < 12


def test_the_overlap_of_windows_has_bounds() -> None:
    with pytest.raises(ParameterError, match="overlap is a share of a window's side"):
        Config(overlap=0.95)
    with pytest.raises(ParameterError, match="grow is a share of a shape's radius"):
        replace(Config(), grow=-0.1)
