"""Training on exported pairs: from a folder, and streamed from a Hub on the loopback interface."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from coarsekit.cli.main import main as coarsekit
from coarsekit.errors import ParameterError, SourceError
from tests import export_support as support
from tests import loopback_hub as loopback
from zoo.cli.main import main
from zoo.models.base import Network, build, network_class
from zoo.training.data.augmentation import Augmentation
from zoo.training.data.exported_dataset import Exported
from zoo.training.data.exported_pairs import RowTransform, StreamedPairs
from zoo.training.data.pair_transform import PairTransform
from zoo.training.distributed.devices import Devices
from zoo.training.exported_source import Export
from zoo.training.recipe import Recipe

RECIPE = Recipe("proto", {"width": 2, "size": 32}, styles=("human",), reductions=(1.0, 2.0), epochs=1, batch=8)
TINY = ("--set", "variant=proto", "--set", "width=2", "--set", "size=32", "--set", "batch=8", "--set", "epochs=1")
TINY += ("--set", "learning_rate=1e-2", "--device", "cpu", "--threads", "1", "--json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    source = support.idrid(tmp_path_factory.mktemp("idrid"), 4)
    folder = tmp_path_factory.mktemp("exported") / "pairs"
    options = ("-o", folder, "--size", "40", "--style", "human", "--reduction", "1.0,2.0", "--quiet")
    result = CliRunner().invoke(coarsekit, ["export", source, *map(str, options)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def training_source(folder, tmp_path_factory) -> Exported:
    return Exported(Export(f"pairs:{folder}"), "train", RECIPE, tmp_path_factory.mktemp("cache"))


def network() -> Network:
    torch.manual_seed(0)
    return build(network_class("proto"), RECIPE.config)


def test_photographs_are_held_out_whole(training_source) -> None:
    assert not set(training_source.training_keys) & set(training_source.validation_keys)
    assert len(training_source.training_keys) == 3
    assert len(training_source.validation_keys) == 1
    assert len(training_source.pairs(RECIPE, network(), Devices())) == 3 * (6 + 3) * 2


def test_an_epoch_of_fixed_pairs_can_be_repeated_and_no_two_are_alike(training_source) -> None:
    first, again, other = (training_source.pairs(RECIPE, network(), Devices()) for _ in range(3))
    other.start_epoch(1)
    for one, two in zip(first[3], again[3], strict=True):
        assert np.array_equal(one, two)
    assert not torch.equal(first[3][0], other[3][0])
    image, coarse, fine, *_ = first[3]
    assert image.shape == (3, 32, 32)
    assert 0 <= image.min() < image.max() <= 1
    assert set(coarse.unique().tolist()) | set(fine.unique().tolist()) == {0.0, 1.0}


def test_the_margin_of_a_patch_is_its_mirror_image_and_never_black(training_source, monkeypatch) -> None:
    larger = []

    def keep(_, image, masks, seed):
        larger.append(image)
        return image, masks

    monkeypatch.setattr(Augmentation, "__call__", keep)
    RowTransform(("MA", "HE", "EX", "SE"), PairTransform(32, 0))(training_source._rows[0], 0, 0)
    [patch] = larger
    assert patch.shape == (3, 48, 48)
    torch.testing.assert_close(patch[:, :8], patch[:, 9:17].flip(1))
    torch.testing.assert_close(patch[:, :, 40:], patch[:, :, 31:39].flip(2))
    assert patch.amax(0).min() > 0


def test_a_class_or_another_camera_can_be_asked_for(folder, tmp_path) -> None:
    recipe = Recipe(
        "proto",
        RECIPE.config,
        styles=("human",),
        only_lesions=("MA",),
        camera_augmentation=1.0,
        balance=1.0,
        samples=30,
    )
    only = Exported(Export(f"pairs:{folder}"), "train", recipe, tmp_path)
    assert len(only.pairs(recipe, network(), Devices())) == 30
    assert set(only.validate(network(), Devices()).rows["human"]) == {"MA"}
    assert torch.isfinite(only.pairs(recipe, network(), Devices())[0][0]).all()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"styles": ("paper",)}, "style human"),
        ({"reductions": (1.5,)}, r"1\.5, but at 1\.0, 2\.0"),
        ({"only_lesions": ("XX",)}, "no lesion class 'XX'"),
        ({"negatives": 0.5}, "whole photographs"),
    ],
)
def test_what_an_export_cannot_do_is_said(folder, tmp_path, changed, sentence) -> None:
    recipe = Recipe("proto", **{"styles": ("human",), **changed})
    with pytest.raises(ParameterError, match=sentence):
        Exported(Export(f"pairs:{folder}"), "train", recipe, tmp_path)


def test_a_folder_that_is_no_export_is_said_in_a_sentence(folder, tmp_path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(SourceError, match=r"no exported pairs there; expected provenance\.json"):
            Export(f"pairs:{place}")
    for content, sentence in (("{", "damaged"), ("{}", "dataset is missing")):
        (tmp_path / "provenance.json").write_text(content)
        with pytest.raises(SourceError, match=sentence):
            Export(f"pairs:{tmp_path}")
    shutil.copy(folder / "provenance.json", tmp_path)
    with pytest.raises(SourceError, match="cannot be read"):
        Exported(Export(f"pairs:{tmp_path}"), "train", RECIPE, tmp_path / "cache")
    with pytest.raises(ParameterError, match="no split 'test'"):
        Export(f"pairs:{folder}").keys("test")


def test_processes_share_a_stream_as_they_share_a_folder(training_source) -> None:
    stream = training_source._rows.to_iterable_dataset(num_shards=2)
    transform = RowTransform(("MA", "HE", "EX", "SE"), PairTransform(32, seed=3))

    def pairs(place: int, count: int, epoch: int = 0) -> list:
        own = StreamedPairs(stream, "ada/pairs", 72, transform, 50, batch=8, place=place, count=count)
        own.start_epoch(epoch)
        return list(own)

    alone = pairs(0, 1)
    assert len(alone) == 48
    for place in (0, 1):
        for one, two in zip(alone[place::2], pairs(place, 2), strict=True):
            assert torch.equal(one[0], two[0])
    assert not torch.equal(alone[0][0], pairs(0, 1, epoch=1)[0][0])


@pytest.fixture(scope="module")
def hub(folder) -> Iterator[Any]:
    with loopback.serving({"hf_a_token": "ada"}) as hub:
        files = {
            str(path.relative_to(folder)): loopback.File(path.read_bytes(), path.name.endswith(loopback.LARGE))
            for path in folder.rglob("*")
            if path.is_file()
        }
        hub.repositories["dataset", "ada/pairs"] = loopback.Repository("ada/pairs", "dataset", private=False)
        hub.repository("ada/pairs").commit(files, "Upload pairs")
        yield hub


def test_training_streams_from_the_hub_and_learns_as_it_does_from_the_folder(hub, folder, tmp_path) -> None:
    environment = hub.environment(tmp_path / "home", None) | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "zoo", "train", "hub:ada/pairs", "-o", tmp_path / "hub", *TINY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    streamed = json.loads(done.stdout)
    result = CliRunner().invoke(main, ["train", f"pairs:{folder}", "-o", str(tmp_path / "folder"), *TINY])
    assert result.exit_code == 0, result.output
    local = json.loads(result.stdout)
    assert streamed["data"] == local["data"] == "idrid-coarse train"
    assert streamed["training_images"] == local["training_images"]
    for record in (streamed, local):
        assert set(record["history"][0]["validation"]["human"]) == {"MA", "HE"}
        assert record["recipe"]["styles"] == ["human"]
    assert streamed["history"][0]["loss"] == pytest.approx(local["history"][0]["loss"], rel=0.3)
    assert not list((tmp_path / "hub").rglob("*.arrow"))
    missing = [*command[:4], "hub:ada/none", "-o", tmp_path / "none"]
    refused = subprocess.run(missing, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert refused.returncode == 2
    assert "ada/none" in refused.stderr
    assert "Traceback" not in refused.stderr
