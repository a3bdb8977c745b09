"""From a photograph and its ellipses to masks, through a network whose answer is known."""

from dataclasses import replace
from typing import final

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from coarsekit.annotations import native
from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.geometry import draw
from coarsekit.images import write_image
from coarsekit.types import Annotation, Ellipse, Mark
from zoo.models.base import Network
from zoo.models.config import Config
from zoo.models.outlines import photograph_probability
from zoo.output.refine_to_folder import refine_to_folder


class Darkness(Network):
    """Certain of lesion where the photograph is dark, and of nothing else: its answer can be checked by hand."""

    variant = "darkness"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.scale = nn.Parameter(torch.tensor(100.0))

    def forward(
        self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None, signature: Tensor | None = None
    ) -> Tensor:
        return self.scale * (0.5 - image.mean(1, keepdim=True))


class DarkHaemorrhages(Darkness):
    """The same, and told one class."""

    @property
    def lesions(self) -> tuple[str, ...]:
        return ("HE",)


@pytest.fixture
def photograph() -> tuple[np.ndarray, Annotation, np.ndarray]:
    """A bright photograph with two dark lesions, one of them at the edge, circled generously."""
    lesions = [Ellipse(60, 50, 10, 6, 30), Ellipse(196, 140, 9, 9)]
    dark = draw(lesions, (150, 200))
    image = np.where(dark[..., None], 40, 220).astype(np.uint8).repeat(3, axis=2)
    marks = tuple(Mark("HE", replace(e, rx=e.rx + 8, ry=e.ry + 8)) for e in lesions)
    return image, Annotation("p.png", 200, 150, marks), dark


@pytest.mark.parametrize(
    "config",
    [
        Config(size=64),
        Config(size=64, max_window=900),
        Config(size=32, threshold=0.3),
        Config(size=64, max_window=900, blend=True, tta_views=4),
        Config(size=64, second_context=2.5),
    ],
)
def test_masks_come_back_in_place_at_full_size(photograph, config: Config) -> None:
    image, annotation, dark = photograph
    refined = Darkness(config).refine(image, annotation)
    assert list(refined) == ["HE"]
    assert refined["HE"].dtype == bool
    assert refined["HE"].shape == (150, 200)
    assert (refined["HE"] & dark).sum() > 0.9 * dark.sum()
    assert (refined["HE"] & ~dark).sum() < 0.25 * dark.sum()


def test_nothing_is_found_outside_the_windows(photograph) -> None:
    image, annotation, _ = photograph
    probability = photograph_probability(Darkness(Config(size=64)), 0 * image, annotation.of("HE")[:1])
    assert probability[50, 60] > 0.99
    assert probability[:, 150:].max() == 0


def test_windows_of_two_contexts_have_the_mean_of_both_and_a_mark_is_done_once(photograph) -> None:
    image, annotation, _ = photograph
    one, other, both = (
        Darkness(Config(size=64, **fields))
        for fields in ({"context": 1.5}, {"context": 2.5}, {"context": 1.5, "second_context": 2.5})
    )
    steps: list[int] = []
    found, wide, mean = (
        photograph_probability(network, image, annotation.of("HE"), steps.append) for network in (one, other, both)
    )
    assert np.allclose(mean, (found + wide) / 2)
    assert not np.array_equal(found, wide)
    assert sum(steps) == 3 * len(annotation.marks)
    with pytest.raises(ParameterError, match=r"second_context must be 1 or more, got 0\.5"):
        Config(second_context=0.5)


def test_a_circle_is_an_ellipse(photograph) -> None:
    image, _, _ = photograph
    network = Darkness(Config(size=64))
    circle, ellipse = (
        network.refine(image, Annotation("p", 200, 150, (Mark("HE", e),)))["HE"]
        for e in (Ellipse(60, 50, 18, 18), Ellipse(60, 50, 18, 18, 77.0))
    )
    assert np.array_equal(circle, ellipse)


def test_each_class_gets_its_own_mask_and_none_gives_none(photograph) -> None:
    image, annotation, _ = photograph
    network = Darkness(Config(size=64))
    both = replace(annotation, marks=(*annotation.marks, Mark("drusen", Ellipse(100, 75, 5, 5))))
    refined = network.refine(image, both)
    assert list(refined) == ["HE", "drusen"]
    assert refined["HE"].any()
    assert not refined["drusen"].any()
    assert network.refine(image, replace(annotation, marks=())) == {}


def test_an_annotation_for_another_size_is_refused(photograph) -> None:
    image, annotation, _ = photograph
    with pytest.raises(AnnotationError, match="100 × 150 px, but the photograph has 200 × 150 px"):
        Darkness(Config(size=64)).refine(image, replace(annotation, width=100))


def test_progress_hears_of_every_ellipse_once(photograph) -> None:
    image, annotation, _ = photograph
    marks = tuple(Mark("HE", Ellipse(20 + 4 * i, 70, 3 + i, 4)) for i in range(40))
    heard: list[int] = []
    Darkness(Config(size=32, max_window=400)).refine(image, replace(annotation, marks=marks), heard.append)
    assert sum(heard) == 40


def test_the_input_stays_as_it_is(photograph) -> None:
    image, annotation, _ = photograph
    before = image.copy()
    Darkness(Config(size=64)).refine(image, annotation)
    assert np.array_equal(image, before)


@final
class ClassConditioned(Network):
    """Answers everything for the class EX, and nothing otherwise."""

    variant = "class-conditioned"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.scale = nn.Parameter(torch.tensor(100.0))

    @property
    def lesions(self) -> tuple[str, ...]:
        return ("MA", "EX")

    def forward(
        self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None, signature: Tensor | None = None
    ) -> Tensor:
        assert lesion is not None
        return self.scale * ((lesion == 1).float() - 0.5)[:, None, None, None].expand_as(coarse)


def test_the_network_is_told_each_class_and_hears_of_no_other(photograph) -> None:
    image, annotation, _ = photograph
    ellipse = annotation.of("HE")[0]
    drawn = replace(annotation, marks=tuple(Mark(lesion, ellipse) for lesion in ("MA", "EX", "NV")))
    refined = ClassConditioned(Config(size=64)).refine(image, drawn)
    assert {lesion: bool(mask.any()) for lesion, mask in refined.items()} == {"MA": False, "EX": True, "NV": False}
    probabilities = ClassConditioned(Config(size=64)).probabilities(image, drawn)
    assert {lesion: bool((p >= 0.5).any()) for lesion, p in probabilities.items()} == {
        "MA": False,
        "EX": True,
        "NV": False,
    }
    assert [ClassConditioned(Config()).class_index(lesion) for lesion in ("MA", "EX", "NV", "")] == [0, 1, -1, -1]


def test_views_are_averaged() -> None:
    class Ramp(Darkness):
        """Its answer grows from left to right, whatever it sees."""

        def forward(
            self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None, signature: Tensor | None = None
        ) -> Tensor:
            return self.scale * torch.linspace(-1, 1, coarse.shape[-1]).expand_as(coarse)

    rng = np.random.default_rng(0)
    image, coarse = rng.random((2, 3, 32, 32), np.float32), np.ones((2, 1, 32, 32), np.float32)
    once = Ramp(Config(size=32)).patch_probabilities(image, coarse)
    mean = Ramp(Config(size=32, tta_views=2)).patch_probabilities(image, coarse)
    assert np.allclose(mean, (once + once[..., ::-1]) / 2, atol=1e-6)


def test_the_probabilities_of_a_photograph_are_those_whose_threshold_its_masks_are(photograph) -> None:
    image, annotation, _ = photograph
    both = replace(annotation, marks=(*annotation.marks, Mark("drusen", Ellipse(100, 75, 5, 5))))
    network, heard = Darkness(Config(size=64, threshold=0.3)), []
    probabilities, refined = network.probabilities(image, both, heard.append), network.refine(image, both)
    assert list(probabilities) == ["HE", "drusen"]
    assert all(np.array_equal(probabilities[lesion] >= 0.3, refined[lesion]) for lesion in refined)
    assert all(map_.dtype == np.float32 and map_.shape == (150, 200) for map_ in probabilities.values())
    assert 0 == probabilities["HE"].min() < probabilities["HE"].max() <= 1
    assert sum(heard) == 3
    assert network.probabilities(image, replace(annotation, marks=())) == {}
    with pytest.raises(AnnotationError, match="was drawn on"):
        network.probabilities(image, replace(annotation, width=100))


@pytest.mark.parametrize("one_class", [False, True])
def test_what_is_unlikely_as_a_whole_is_left_out_unless_asked_for(photograph, one_class: bool) -> None:
    image, annotation, _ = photograph
    faint = image.copy()
    faint[:, 150:][faint[:, 150:] < 100] = 126  # the network is 60 % sure of the lesion at the edge
    both = replace(annotation, marks=(*annotation.marks, Mark("EX", Ellipse(60, 50, 18, 14))))
    network = Darkness(Config(size=64, least_mean=0.75, one_class=one_class))
    refined = network.refine_marks(faint, both)
    assert [mark.mask is not None for mark in refined.marks][:2] == [True, False]
    assert network.cleaning == ("least mean 0.75, one class a pixel" if one_class else "least mean 0.75")
    network.keep_unlikely = True
    assert [mark.mask is not None for mark in network.refine_marks(faint, both).marks][:2] == [True, True]
    assert "least mean" not in network.cleaning


@pytest.mark.parametrize("one_class", [False, True])
def test_what_is_unsure_is_left_out_where_the_marks_of_a_label_are_often_empty(
    photograph, one_class: bool, tmp_path
) -> None:
    image, annotation, _ = photograph
    faint = image.copy()
    faint[:, 150:][faint[:, 150:] < 100] = 126  # the network is 60 % sure of the lesion at the edge
    several = replace(annotation, image="p.png", marks=(*annotation.marks, Mark("HE", Ellipse(120, 30, 9, 9))))
    network = Darkness(Config(size=64, empty_mean=0.75, one_class=one_class))
    assert "empty mean 0.75" in network.cleaning
    alone = network.refine_marks(faint, annotation)  # one of two is empty, which may well be
    assert ([mark.mask is not None for mark in alone.marks], alone.often_empty) == ([True, True], frozenset())
    write_image(tmp_path / "p.png", faint)
    native.write(tmp_path / "p.json", [several])
    report = refine_to_folder(network, tmp_path / "p.png", tmp_path / "p.json", tmp_path / "out")
    (record,) = report.records
    assert [mark["refined_pixels"] > 0 for mark in record["marks"]] == [True, False, False]
    assert [mask["often_empty"] for mask in record["masks"]] == [True]
    assert report.notes[-1].startswith("Too many marks of 'HE' in p.png hold nothing that is sure")
    network.keep_unlikely = True
    kept = network.refine_marks(faint, several)
    assert ([mark.mask is not None for mark in kept.marks], kept.often_empty) == ([True, True, False], frozenset())
    assert "empty mean" not in network.cleaning


def test_marks_of_a_class_that_a_network_does_not_know_may_be_unsure(photograph) -> None:
    image, annotation, _ = photograph
    faint = image.copy()
    faint[faint < 100] = 126
    config = Config(size=64, empty_mean=0.75)
    unknown = replace(annotation, marks=tuple(replace(mark, lesion="drusen") for mark in annotation.marks))
    assert not Darkness(config).refine(faint, annotation)["HE"].any()
    assert not DarkHaemorrhages(config).refine(faint, annotation)["HE"].any()
    assert DarkHaemorrhages(config).refine(faint, unknown)["drusen"].any()
