"""Recipes by name, from files and from records, and what is set over them."""

import json
import shlex
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import get_type_hints

import pytest
from click.testing import CliRunner

from coarsekit.errors import ParameterError, RefinerError
from tests.places import ROOT
from zoo.cli.main import main
from zoo.cli.train import command
from zoo.models.base import build, network_class
from zoo.training.recipe import Recipe
from zoo.training.recipe_files import list_recipes, make_recipe, parse_settings, read_recipe
from zoo.variants import NETWORKS

LINES = [
    line.partition(" #")[0]
    for file in ("README.md", "cards/experiments.md")
    for line in (ROOT / file).read_text("utf-8").replace("\\\n", " ").splitlines()
    if line.startswith("zoo train")
]


@pytest.mark.parametrize("name", list_recipes())
def test_every_bundled_recipe_makes_a_network_or_the_rule(name: str) -> None:
    recipe = make_recipe(read_recipe(name))
    if recipe.variant == "shrink":
        assert recipe == Recipe("shrink")
    else:
        build(network_class(recipe.variant), recipe.config)


def test_the_default_recipe_is_the_papers_and_the_fields_defaults() -> None:
    assert make_recipe(read_recipe("paper")) == Recipe()


@pytest.mark.parametrize("name", ["lite", "tiny", "unet", "proto-superpixel"])
def test_a_bundled_refiners_record_is_a_recipe_and_equals_the_bundled_recipe(name: str) -> None:
    path = ROOT / "zoo" / "weights" / name / "training.json"
    bundled = {"lite": "lite-6", "tiny": "tiny-2", "unet": "unet-2"}.get(name, name)
    recorded = make_recipe(read_recipe(str(path)), {"start": name})
    ours = make_recipe(read_recipe(bundled), {"start": name})
    for field in fields(Recipe):
        if field.name != "config":
            assert getattr(ours, field.name) == getattr(recorded, field.name), field.name
    for key, value in read_recipe(bundled).get("config", {}).items():
        assert recorded.config[key] == value


def test_a_file_has_fields_of_the_recipe_and_a_table_of_the_networks(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'variant = "lite"\nlearning_rate = 1\nstyles = ["human"]\n[config]\nwidth = 8\n'
    )
    recipe = make_recipe(read_recipe(str(tmp_path / "mine.toml")), parse_settings(["width=4", "lesions=EX", "seed=3"]))
    assert recipe == Recipe("lite", {"width": 4, "lesions": ("EX",)}, styles=("human",), learning_rate=1.0, seed=3)
    again = tmp_path / "training.json"
    again.write_text(json.dumps({"recipe": recipe.parameters()}))
    assert make_recipe(read_recipe(str(again))).parameters() == json.loads(again.read_text())["recipe"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("epoch = 3", "no field 'epoch' in a recipe; did you mean 'epochs'"),
        ('epochs = "3"', "epochs: expected a valid integer, got"),
        ("styles = [1]", r"styles\.0: expected a valid string"),
        ("epochs = ", "cannot be read as TOML"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(ParameterError, match=sentence) as caught:
        read_recipe(str(path))
    assert str(caught.value).startswith(str(path))


def test_what_is_no_recipe_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text("{}")
    with pytest.raises(ParameterError, match="not the record of a training"):
        read_recipe(str(tmp_path / "training.json"))
    with pytest.raises(ParameterError, match="no such file"):
        read_recipe(str(tmp_path / "none.json"))
    with pytest.raises(RefinerError, match="did you mean 'lite'"):
        make_recipe({}, {"variant": "lit"})
    with pytest.raises(ParameterError, match="epochs: expected a valid integer"):
        make_recipe({}, parse_settings(["epochs=many"]))
    with pytest.raises(ParameterError, match="no field 'backbone' in the recipe or in the network unet"):
        make_recipe({}, {"backbone": "resnet18"})


def test_values_are_toml_lists_nothing_or_text() -> None:
    texts = ["a=1", "b=1e-3", "c=true", 'd=["MA","HE"]', "e=human,paper", "f=1.0,1.5", "g=none", "h=runs/a b", "i=a=b"]
    values = [1, 1e-3, True, ["MA", "HE"], ["human", "paper"], [1.0, 1.5], None, "runs/a b", "a=b"]
    assert list(parse_settings(texts).values()) == values
    with pytest.raises(ParameterError, match="FIELD=VALUE"):
        parse_settings(["width"])


@pytest.mark.parametrize("variant", NETWORKS)
def test_no_field_belongs_to_both_a_recipe_and_its_network(variant: str) -> None:
    assert not set(get_type_hints(Recipe)) & set(get_type_hints(network_class(variant).config_type))


def test_the_command_has_few_options_and_its_documented_lines_are_short() -> None:
    assert sum(not parameter.opts[0].isidentifier() for parameter in command.params) + 1 <= 16  # with --help
    assert CliRunner().invoke(main, ["train", "--help"]).exit_code == 0
    lines = [line for file in ("README.md", "cards/experiments.md") for line in (ROOT / file).read_text().splitlines()]
    assert not [line for line in lines if line.startswith("zoo train") and len(line) > 100]


@pytest.mark.parametrize("line", [line for line in LINES if "--recipe" in line])
def test_documented_commands_name_recipes_and_fields_that_exist(line: str) -> None:
    arguments = shlex.split(line)
    options = [(name, value) for name, value in pairwise(arguments) if name.startswith("-")]
    settings = parse_settings(value for name, value in options if name == "--set")
    if "start" in settings:
        settings["start"] = "lite" if "lite" in line or "tiny" in line else "unet"
    make_recipe(read_recipe(dict(options)["--recipe"]), settings)
