"""What is measured of doubt is kept, and taken from there."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.simulation.styles import HUMAN
from tests.few_lesions import write_few_lesions
from tests.half import Half
from zoo.cli.main import main
from zoo.evaluation.doubt import MarkScoreCache, mark_scores


@pytest.fixture
def few(tmp_path: Path) -> Dataset:
    return open_source(write_few_lesions(tmp_path / "few", "IDRiD_46"))


def test_an_interrupted_run_goes_on_where_it_was_and_ends_with_the_same_scores(few: Dataset, tmp_path: Path) -> None:
    kept = MarkScoreCache(tmp_path)

    def scores(calls: int, seed: int = 0, cache: MarkScoreCache | None = kept) -> list[object]:
        found = mark_scores(Half(calls), few, None, HUMAN, seed, cache=cache)
        return [(one.image, one.lesion, one.taken_as, one.moved, one.iou, one.features) for one in found]

    expected = scores(2, cache=None)
    with pytest.raises(KeyboardInterrupt):
        scores(1)
    assert scores(1) == expected
    assert scores(0) == expected
    with pytest.raises(KeyboardInterrupt):
        scores(1, seed=1)  # other drawings
    damaged = next(iter((tmp_path / "cache").iterdir()))
    damaged.write_text(json.dumps({"lesions": {"MA": [{"image": "IDRiD_46"}]}}))
    assert scores(1) == expected


def test_the_command_says_where_the_scores_are_kept(tmp_path: Path) -> None:
    source = write_few_lesions(tmp_path / "few", "IDRiD_46")
    arguments = ["doubt", source, "--refiner", "shrink", "--json", "-o", str(tmp_path / "kept")]
    first, second = (CliRunner().invoke(main, arguments) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert f"The scores are kept in {tmp_path / 'kept'}" in first.stderr
    assert second.stdout == first.stdout
    assert len(list((tmp_path / "kept" / "cache").iterdir())) == 2
