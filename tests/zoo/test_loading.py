"""Finding refiners by name or folder, and what is said of damaged ones."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

import zoo
from coarsekit.datasets import open_source
from coarsekit.errors import ParameterError, RefinerError
from coarsekit.types import Annotation, Ellipse, Mark
from tests.places import BUNDLED
from zoo.checkpoints import folder as bundled
from zoo.checkpoints.catalogue import catalogue_entry
from zoo.loading import on_device


@pytest.mark.parametrize("name", zoo.list_refiners())
def test_every_bundled_refiner_refines_offline(name: str) -> None:
    image = np.full((200, 300, 3), 120, np.uint8)
    annotation = Annotation("p", 300, 200, (Mark("MA", Ellipse(100, 100, 12, 12)),))
    refined = zoo.from_pretrained(name).refine(image, annotation)
    assert refined["MA"].shape == (200, 300)


@pytest.mark.parametrize("name", zoo.list_refiners())
def test_every_bundled_refiner_is_small_and_says_where_it_comes_from(name: str) -> None:
    about = catalogue_entry(name, bundled.locate(name))
    assert about["megabytes"] < 20
    assert about["trained_on"] == "idrid train"


def test_the_default_is_bundled_and_was_not_trained_on_the_sample() -> None:
    record = json.loads((BUNDLED / bundled.DEFAULT / bundled.RECORD).read_text())
    sample = set(open_source("sample").keys())
    assert sample <= set(record["validation_images"])
    assert not sample & set(record["training_images"])


def test_a_folder_is_as_good_as_a_name(tmp_path) -> None:
    shutil.copytree(BUNDLED / "shrink", tmp_path / "mine")
    assert zoo.from_pretrained(tmp_path / "mine").trained_on == "idrid train"


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(RefinerError, match="did you mean 'shrink'"):
        zoo.from_pretrained("shrnk")


def test_a_folder_without_a_config_is_told_from_an_unknown_name(tmp_path) -> None:
    with pytest.raises(RefinerError, match=r"expected config\.json"):
        zoo.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "expected a valid dictionary"),
        ('{"format": 99, "variant": "unet"}', "format 99"),
        ('{"format": 1, "variant": "unett", "config": {}}', "did you mean 'unet'"),
        ('{"format": 1, "variant": "unet", "config": {"depth": 3}}', "no field 'depth'"),
        ('{"format": 1, "variant": "unet"}', "config"),
        ('{"format": 1, "variant": "unet", "config": {"width": "wide"}}', "width"),
        ('{"format": 1, "variant": "unet", "config": {"width": 2}}', "weights cannot be read"),
    ],
)
def test_a_damaged_checkpoint_is_one_sentence(config: str, sentence: str, tmp_path) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(RefinerError, match=sentence):
        zoo.from_pretrained(tmp_path)


def test_cut_weights_are_one_sentence(tmp_path) -> None:
    shutil.copytree(BUNDLED / bundled.DEFAULT, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(RefinerError, match="weights cannot be read"):
        zoo.from_pretrained(tmp_path / "cut")


def test_a_device_that_is_not_here_is_one_sentence() -> None:
    with pytest.raises(ParameterError, match="nonsense"):
        on_device(zoo.from_pretrained(), "nonsense")
    assert on_device(zoo.from_pretrained("shrink"), "cpu").name == "shrink"


def test_importing_zoo_does_not_import_torch() -> None:
    code = "import sys, zoo; zoo.list_refiners(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
