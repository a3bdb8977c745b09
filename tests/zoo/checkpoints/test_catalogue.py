"""What `zoo list` shows: bundled refiners, and those in the Hub's cache."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import zoo
from coarsekit.errors import RefinerError
from zoo.checkpoints.catalogue import catalogue, catalogue_entry
from zoo.checkpoints.folder import locate
from zoo.cli.main import main


def test_a_line_has_size_data_and_scores() -> None:
    line = catalogue_entry("lite", locate("lite"))
    rows = json.loads((locate("lite") / "metrics.json").read_text())["rows"]
    human = [row["iou"] for row in rows if (row["style"], row["split"], row["reduction"]) == ("human", "test", 1.0)]
    assert line["test_iou"] == pytest.approx(sum(human) / len(human))
    sizes = {path.name: len(path.read_bytes()) for path in locate("lite").iterdir()}
    assert line["megabytes"] == pytest.approx(sum(sizes.values()) / 1e6, abs=0.05)
    assert sizes["model.safetensors"] > 0.9 * sum(sizes.values())  # what is said of the folder is mostly the weights
    assert (line["variant"], line["trained_on"]) == ("lite", "idrid train")


def test_without_a_cache_only_bundled_ones_are_listed(hub: Any) -> None:
    assert [row["refiner"] for row in catalogue()] == list(zoo.list_refiners())
    assert not hub.log


def test_cached_refiners_are_listed_by_the_name_that_loads_them(hub: Any, loopback: Any) -> None:
    hub.repositories["model", "ada/rule"] = repository = loopback.Repository("ada/rule", "model", private=False)
    files = {path.name: loopback.File(path.read_bytes(), large=False) for path in locate("shrink").iterdir()}
    first = repository.commit(files, "first")
    assert zoo.from_pretrained("ada/rule").name == "ada/rule"
    repository.commit(files | {"notes.md": loopback.File(b"new", large=False)}, "second")
    assert zoo.from_pretrained("ada/rule").name == "ada/rule"
    hub.repositories["model", "eve/bert"] = other = loopback.Repository("eve/bert", "model", private=False)
    other.commit({"config.json": loopback.File(b'{"model_type": "bert"}', large=False)}, "x")
    with pytest.raises(RefinerError):
        zoo.from_pretrained("eve/bert")
    hub.repositories.clear()

    listed = json.loads(CliRunner().invoke(main, ["list", "--json"]).stdout)["refiners"]
    cached = {row["refiner"]: row for row in listed if row["place"] == "cached"}
    assert list(cached) == ["ada/rule", f"ada/rule@{first}"]
    assert {row["variant"] for row in cached.values()} == {"shrink"}
    assert all(zoo.from_pretrained(name, local_files_only=True).name == name for name in cached)


def test_metrics_of_other_weights_are_not_shown(tmp_path: Path) -> None:
    for path in locate("shrink").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert catalogue_entry("mine", tmp_path)["test_iou"] == catalogue_entry("shrink", locate("shrink"))["test_iou"]
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"pixels": 24', '"pixels": 23'))
    assert catalogue_entry("mine", tmp_path)["test_iou"] is None
