"""Own datasets have names, and their licence and citation go with them: into pairs, records, cards and repositories."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from coarsekit.cli.main import main as coarsekit
from coarsekit.datasets import open_source
from coarsekit.errors import SourceError
from tests import command_line
from tests.own_datasets import LICENCE, TRAINING, write_own
from zoo.cli.main import main as zoo

# The Hub's client calls its HTTP library in a way that this library has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
HEAD = f'title = "Our clinic, 2024"\ncitation = "Ada et al., 2024"\nlicence = {LICENCE}\n'


def run(program: Any, *arguments: object) -> str:
    result = command_line.run(program, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(program: Any, *arguments: object) -> str:
    return command_line.refusal(command_line.run(program, *arguments))


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("clinic", "clinic"),
        ("Our clinic, 2024", "Our-clinic-2024"),
        ("über  uns (neu)", "uber-uns-neu"),
        ("v1.0_b", "v1.0_b"),
        ("idrid", "folder-idrid"),
        ("sample", "folder-sample"),
        ("眼底", "folder"),
        ("--", "folder"),
        ("n" * 200, "n" * 64),
    ],
)
def test_an_own_dataset_is_called_like_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    dataset = open_source(write_own(tmp_path / folder, photographs=1))
    assert (dataset.name, dataset.reader) == (name, "folder")


def test_its_name_can_be_said_in_its_file_or_in_the_source(tmp_path: Path) -> None:
    source = write_own(tmp_path / "x", photographs=1, head='name = "clinic-2"\n')
    assert open_source(source).name == "clinic-2"
    options = "masks=masks/{stem}_{lesion}.png&lesions=MA"
    assert open_source(f"{source}?name=other&{options}").name == "other"
    assert open_source(f"{source}?{options}").name == "x"


@pytest.mark.parametrize("name", ["idrid", "folder", "a/b", "a--b", "", "-a", "a b", "ä", "a" * 65, ".."])
def test_a_name_that_could_not_name_a_repository_or_is_a_reader_s_is_refused(tmp_path: Path, name: str) -> None:
    source = write_own(tmp_path / "x", photographs=1, head=f"name = {json.dumps(name)}\n")
    with pytest.raises(SourceError, match=r"coarsekit\.toml: name: .*letters and digits"):
        open_source(source)


def test_two_own_datasets_stand_in_one_table_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    one, other = write_own(tmp_path / "one"), write_own(tmp_path / "other", seed=1, photographs=2)
    printed = json.loads(run(zoo, "evaluate", one, other, "--refiner", "otsu", "--json"))
    assert {(row["dataset"], row["reader"], row["images"]) for row in printed["rows"]} == {
        ("one", "folder", 3),
        ("other", "folder", 2),
    }
    assert len({row["dataset_sha256"] for row in printed["rows"]}) == 2
    twin = write_own(tmp_path / "elsewhere" / "one", seed=2)
    assert "two SOURCEs have the same name, one; give an own dataset another, name = …" in refused(
        zoo, "evaluate", one, twin, "--refiner", "otsu"
    )


def test_what_a_network_was_trained_on_is_known_by_its_pixels_and_not_by_its_name(tmp_path: Path) -> None:
    one = write_own(tmp_path / "one")
    run(zoo, "train", one, "-o", tmp_path / "net", *TRAINING)
    cross = ("--protocol", "cross-dataset", "--refiner", tmp_path / "net")
    twin = write_own(tmp_path / "elsewhere" / "one", seed=1)
    rows = json.loads(run(zoo, "evaluate", twin, *cross, "--json"))["rows"]
    assert {(row["dataset"], row["trained_on"], row["dataset_images_seen"]) for row in rows} == {("one", "one all", 0)}
    shutil.copytree(tmp_path / "one", tmp_path / "renamed")
    assert "is no other dataset" in refused(zoo, "evaluate", f"folder:{tmp_path / 'renamed'}", *cross)
    shown = run(zoo, "evaluate", f"folder:{tmp_path / 'renamed'}", "--refiner", tmp_path / "net")
    assert f"{tmp_path / 'net'} saw 3 of these 3 photographs in training or validation." in " ".join(shown.split())


def test_metrics_of_two_own_datasets_are_both_in_the_card(tmp_path: Path) -> None:
    one, other = write_own(tmp_path / "one"), write_own(tmp_path / "other", seed=1)
    shutil.copytree(Path(open_source.__code__.co_filename).parents[2] / "zoo" / "weights" / "otsu", tmp_path / "rule")
    (tmp_path / "rule" / "metrics.json").unlink()
    for name, source in (("1.json", one), ("2.json", other)):
        (tmp_path / name).write_text(run(zoo, "evaluate", source, "--refiner", tmp_path / "rule", "--json"))
    files = ("--metrics", tmp_path / "1.json", "--metrics", tmp_path / "2.json")
    card = run(zoo, "card", tmp_path / "rule", *files)
    assert ("all photographs of `one`" in card, "all photographs of `other`" in card) == (True, True)
    assert card.count("zoo evaluate folder:PATH") == 2
    assert len(json.loads((tmp_path / "rule" / "metrics.json").read_text())["rows"]) == 4


def test_licence_and_citation_go_into_pairs_record_and_card_and_to_the_hub(hub: Any, tmp_path: Path) -> None:
    clinic = write_own(tmp_path / "clinic", head=HEAD)
    run(coarsekit, "export", clinic, "-o", tmp_path / "pairs", "--size", "32", "-q")
    run(zoo, "train", f"pairs:{tmp_path / 'pairs'}", "-o", tmp_path / "net", *TRAINING)
    record = json.loads((tmp_path / "net" / "training.json").read_text())
    assert record["source"]["licence"]["name"] == "CC-BY-4.0"
    card = ModelCard(run(zoo, "card", tmp_path / "net"))
    assert (card.data.license, card.data.datasets) == ("cc-by-4.0", ["clinic"])
    assert "Our clinic, 2024" in card.text
    assert "> Ada et al., 2024" in card.text
    run(zoo, "push", tmp_path / "net", "ada/net", "--no-metrics")
    pushed = ModelCard(hub.repository("ada/net", "model").files["README.md"].content.decode())
    assert (pushed.data.license, "Ada et al., 2024" in pushed.text) == ("cc-by-4.0", True)


@pytest.mark.parametrize("name", ["CC-BY-4.0", "Our own"])
def test_a_licence_without_an_address_is_no_link_and_a_missing_citation_is_said(name: str, tmp_path: Path) -> None:
    clinic = write_own(tmp_path / "clinic", head=f'licence = {{name = "{name}", redistribution = true}}\n')
    run(coarsekit, "export", clinic, "-o", tmp_path / "pairs", "--size", "32", "-q")
    run(zoo, "train", clinic, "-o", tmp_path / "net", *TRAINING)
    of_pairs = (tmp_path / "pairs" / "README.md").read_text()
    of_network = run(zoo, "card", tmp_path / "net")
    for card in (of_pairs, of_network):
        assert "]()" not in card
        assert name in card
        assert "It names no citation; ask its owners for one." in card
        assert "coarsekit.toml" not in card
        assert "license_link" not in card


def test_the_card_of_a_network_trained_on_pairs_of_idrid_says_so(tmp_path: Path) -> None:
    run(coarsekit, "export", "sample", "-o", tmp_path / "pairs", "--size", "32", "-q")
    run(zoo, "train", f"pairs:{tmp_path / 'pairs'}", "-o", tmp_path / "net", *TRAINING, "--split", "validation")
    card = ModelCard(run(zoo, "card", tmp_path / "net"))
    assert card.data.license == "cc-by-4.0"
    assert "Indian Diabetic Retinopathy Image Dataset (IDRiD)" in card.text


def test_data_of_two_licences_have_no_one_licence_and_both_are_cited(tmp_path: Path) -> None:
    free, unknown = write_own(tmp_path / "free", head=HEAD), write_own(tmp_path / "unknown", seed=1, head="")
    run(zoo, "train", free, "-o", tmp_path / "first", *TRAINING)
    run(zoo, "train", unknown, "-o", tmp_path / "second", *TRAINING, "--set", f"start={tmp_path / 'first'}")
    card = ModelCard(run(zoo, "card", tmp_path / "second"))
    assert (card.data.license, card.data.datasets) == ("other", ["unknown", "free"])
    assert "does not let the data be passed on" in card.text
    assert "> Ada et al., 2024" in card.text


def test_own_datasets_are_pushed_apart_and_one_without_a_licence_is_not(hub: Any, tmp_path: Path) -> None:
    for place, name in enumerate(("one", "other")):
        source = write_own(tmp_path / name, seed=place)
        run(coarsekit, "export", source, "--hub", "-o", tmp_path / f"{name} pairs", "--size", "32", "-q")
    repositories = {name for kind, name in hub.repositories if kind == "dataset"}
    assert repositories == {"ada/one-coarse", "ada/other-coarse"}
    secret = write_own(tmp_path / "secret", head="")
    assert "may not be passed on" in refused(coarsekit, "export", secret, "--hub", "-o", tmp_path / "x", "--size", "32")
