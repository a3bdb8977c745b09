"""Model cards: what the Hub reads of them, that they say what was measured, and that the bundled ones are fresh."""

import json
import shutil
from pathlib import Path
from statistics import mean

import pytest
from click.testing import CliRunner
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results

import zoo
from coarsekit.datasets.base import CC_BY_4, Licence
from tests.few_lesions import write_few_lesions
from tests.places import BUNDLED, CARDS
from zoo.cards.model_card import Subject, header, model_card, results
from zoo.checkpoints import folder as bundled
from zoo.checkpoints.sources import Source
from zoo.cli.main import main
from zoo.evaluation.measures import CARD_SENTENCES
from zoo.publish import card_of_folder, card_text

PINS = {
    "reader": "idrid",
    "weights_sha256": "a1" * 32,
    "refining_version": 7,
    "dataset_sha256": "b2" * 32,
    "dataset_images": 5,
    "dataset_images_seen": 2,
    "style_sha256": "c3" * 32,
}
ROW = {"dataset": "idrid", "split": "test", "style": "human", "reduction": 1.5, "seed": 3, "images": 4, **PINS}
ROWS = [
    ROW | {"lesion": "MA", "floor_iou": 10.0, "floor_iou_std": 1.0, "shrink_iou": 20.0, "iou": 40.06, "iou_std": 2.0},
    ROW | {"lesion": "EX", "floor_iou": 20.0, "floor_iou_std": 1.0, "shrink_iou": 30.0, "iou": 60.0, "iou_std": 2.0},
    ROW | {"lesion": "SE", "floor_iou": None, "shrink_iou": None, "iou": None},
]
CONFIG = {"format": 1, "variant": "unet", "trained_on": "idrid train", "config": {"size": 64, "width": 8}}


def subject(**changes: object) -> Subject:
    source = Source("idrid", "idrid", "IDRiD", CC_BY_4, "Porwal et al.")
    fields = {"name": "net", "place": "ada/net", "config": CONFIG, "record": {}, "rows": ROWS, "summary": "A network."}
    return Subject(**{**fields, "notes": "", "sources": [source], "sentences": CARD_SENTENCES, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", zoo.list_refiners())
def test_the_cards_of_the_bundled_refiners_are_fresh(name: str) -> None:
    kept = (CARDS / f"{name}.md").read_text(encoding="utf-8")
    assert card_of_folder(BUNDLED / name, name) == kept, (
        f"cards/{name}.md is stale: run 'zoo card {name} -o cards/{name}.md --force'"
    )


@pytest.mark.parametrize("name", [name for name in zoo.list_refiners() if (BUNDLED / name / bundled.METRICS).exists()])
def test_the_cards_of_the_bundled_refiners_say_what_the_measured_files_hold(name: str) -> None:
    measured = json.loads((BUNDLED / name / bundled.METRICS).read_text())["rows"]
    card = ModelCard.load(CARDS / f"{name}.md")
    said = {
        (r.dataset_args["style"], r.dataset_args["reduction"], r.metric_name.removeprefix("IoU ")): r.metric_value
        for r in card.data.eval_results
    }
    for row in measured:
        assert said[row["style"], row["reduction"], f"{row['lesion']}, percent"] == round(row["iou"], 2)
        assert (
            f"| {row['lesion']} | {row['images']} | {row['floor_iou']:.1f} ({row['floor_iou_std']:.1f}) |" in card.text
        )
    for table in {(row["style"], row["reduction"]) for row in measured}:
        own = [row["iou"] for row in measured if (row["style"], row["reduction"]) == table]
        assert said[*table, "average, percent"] == round(mean(own), 2)


def test_the_model_index_comes_back_as_the_results_that_went_in() -> None:
    card = ModelCard(model_card(subject()))
    name, back = model_index_to_eval_results(card.data.to_dict()["model-index"])
    assert name == "net"
    assert back == results(subject()) == card.data.eval_results
    assert [(r.metric_name, r.metric_value) for r in back] == [
        ("IoU MA, percent", 40.06),
        ("IoU EX, percent", 60.0),
        ("IoU average, percent", 50.03),
    ]
    assert {(r.dataset_type, r.dataset_config, r.dataset_split) for r in back} == {
        ("idrid", "style human, reduction 1.5, seed 3", "test")
    }


def test_tables_have_floor_and_shrink_beside_the_score_and_the_command_that_made_them() -> None:
    text = model_card(subject())
    assert "| MA | 4 | 10.0 (1.0) | 20.0 | 40.1 (2.0) |" in text
    assert "| average |  | 15.0 | 25.0 | **50.0** |" in text
    assert "zoo evaluate idrid:PATH --split test --refiner ada/net --reduction 1.5 --style human --seed 3" in text
    pins = "Data `b2b2b2b2b2b2`, 5 photographs, 2 of them seen in training; style `c3c3c3c3c3c3`, seed 3"
    assert f"{pins}; weights `a1a1a1a1a1a1`; refining version 7." in text


def test_an_own_dataset_is_measured_by_its_reader_and_known_by_its_name() -> None:
    text = model_card(subject(rows=[row | {"dataset": "clinic", "reader": "folder"} for row in ROWS[:2]]))
    assert "zoo evaluate folder:PATH --split test" in text
    assert "`clinic`, split `test`" in text


def test_other_measures_and_calibration_are_told_where_they_were_measured() -> None:
    measures = {"dice": 50.0, "precision": 61.0, "recall": 72.0, "boundary_f": 33.3, "component_iou": 44.0}
    rows = [row | measures for row in ROWS[:2]]
    assert "precision 61.0, recall 72.0, boundary F within 2 px 33.3" in model_card(subject(rows=rows))
    assert "Calibration" not in model_card(subject(rows=rows))
    rows = [row | {"ece": ece, "brier": 3.0} for row, ece in zip(rows, (1.0, 2.0), strict=True)]
    assert "Calibration: expected calibration error 1.5, Brier score 3.0." in model_card(subject(rows=rows))
    assert "Means over" not in model_card(subject())


def test_robustness_is_a_table_with_what_was_lost_and_what_was_answered_on_nothing() -> None:
    where = {"dataset": "idrid", "split": "test", "style": "human", "seed": 0, **PINS}
    rows = [
        where | {"corruption": condition, "lesion": lesion, "iou": iou, "false_positive_area": None}
        for condition, lesion, iou in [("as it is", "MA", 40.0), ("as it is", "EX", 60.0), ("dark", "EX", 48.0)]
    ]
    rows.append(where | {"corruption": "empty retina", "lesion": "MA", "iou": None, "false_positive_area": 2.5})
    text = model_card(subject(robustness=rows))
    assert "zoo robustness idrid:PATH --split test --refiner ada/net --style human" in text
    assert "| as it is | 40.0 | 60.0 | 50.0 | 0.0 |" in text
    assert "| dark | – | 48.0 | 48.0 | 2.0 |" in text
    assert "| empty retina | 2.5 | – | 2.5 | found |" in text
    assert "Last, every ellipse moved to retina without any lesion" in text
    assert "moved to retina" not in model_card(subject(robustness=rows[:-1]))
    average = {"iou_low": 44.0, "iou_high": 52.0, "lost_low": -1.0, "lost_high": 5.0}
    rows.append(where | {"corruption": "dark", "lesion": "average", "iou": 48.0, "false_positive_area": None} | average)
    assert "| dark | – | 48.0 | 48.0 (44.0 to 52.0) | 2.0 (-1.0 to 5.0) |" in model_card(subject(robustness=rows))


def test_the_command_takes_in_what_robustness_printed(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    shutil.copytree(BUNDLED / "otsu", folder)
    source = write_few_lesions(tmp_path / "data")
    only = [option for name in ("JPEG 40", "warm", "empty retina") for option in ("--only", name)]
    printed = CliRunner().invoke(main, ["robustness", source, "--refiner", str(folder), *only, "--json"])
    (tmp_path / "robust.json").write_text(printed.stdout)
    result = CliRunner().invoke(main, ["card", str(folder), "--metrics", str(tmp_path / "robust.json")])
    assert result.exit_code == 0, result.output
    rows = json.loads(printed.stdout)["rows"]
    jpeg = [row["iou"] for row in rows if row["corruption"] == "JPEG 40" and row["lesion"] != "average"]
    assert f"| JPEG 40 | {' | '.join(f'{value:.1f}' for value in jpeg)} | {mean(jpeg):.1f} (" in result.stdout
    assert "zoo robustness folder:" in result.stdout
    kept = json.loads((folder / bundled.METRICS).read_text())
    assert (kept["robustness"], len(kept["rows"])) == (
        rows,
        len(json.loads((BUNDLED / "otsu" / bundled.METRICS).read_text())["rows"]),
    )
    one = CliRunner().invoke(
        main, ["robustness", source, "--refiner", str(folder), "--only", "warm", "--only", "empty retina", "--json"]
    )
    (tmp_path / "one.json").write_text(one.stdout)
    again = CliRunner().invoke(main, ["card", str(folder), "--metrics", str(tmp_path / "one.json")])
    assert again.exit_code == 0, again.output
    assert json.loads((folder / "metrics.json").read_text()) == kept
    other = ["robustness", source, "--refiner", str(folder), "--only", "warm", "--seed", "1", "--json"]
    (tmp_path / "other.json").write_text(CliRunner().invoke(main, other).stdout)
    assert CliRunner().invoke(main, ["card", str(folder), "--metrics", str(tmp_path / "other.json")]).exit_code == 0
    rows = json.loads((folder / "metrics.json").read_text())["robustness"]
    assert {(row["corruption"], row["seed"]) for row in rows} == {("warm", 1)}


def test_a_card_has_use_licence_limits_and_citation() -> None:
    card = ModelCard(model_card(subject(notes="Mine alone.")))
    assert (card.data.license, card.data.pipeline_tag, card.data.datasets) == (
        "cc-by-4.0",
        "image-segmentation",
        ["idrid"],
    )
    for said in ("Mine alone.", "no medical device", "no diagnosis", "arXiv:2208.14294", "Porwal", '("ada/net")'):
        assert said in card.text


def test_data_that_may_not_be_passed_on_are_named() -> None:
    secret = Source(
        "fgadr", "fgadr", "FGADR", Licence("research only", "https://example.org", redistribution=False), "Zhou et al."
    )
    data = header(subject(sources=[secret])).to_dict()
    assert (data["license"], data["license_name"]) == ("other", "research-only")
    assert "does not let the data be passed on" in model_card(subject(sources=[secret]))
    mixed = header(subject(sources=[secret, Source("idrid", "idrid", "IDRiD", CC_BY_4, "Porwal et al.")])).to_dict()
    assert (mixed["license"], mixed["datasets"]) == ("other", ["fgadr", "idrid"])


def test_an_unmeasured_refiner_of_unknown_origin_has_a_card_that_says_so() -> None:
    text = card_text("", {"format": 1, "variant": "proto", "config": {}}, {})
    card = ModelCard(text)
    assert card.data.eval_results is None
    assert all(said in text for said in ("# proto", "Not measured", "Nothing is recorded", "names no dataset"))


def test_every_training_that_led_to_it_is_told() -> None:
    first = {
        "data": "idrid train",
        "recipe": {
            "reductions": [1.0, 2.0],
            "start": "net",
            "camera_augmentation": 0.3,
            "negatives": 0.0,
            "batch": 8,
            "seed": 5,
        },
        "training_images": ["a", "b"],
        "validation_images": ["c"],
        "history": [{"validation_iou": 30.0, "seconds": 60}, {"validation_iou": 50.0, "seconds": 60}],
    }
    text = card_text("net", CONFIG, {"data": "ddr train", "parent": first})
    assert "1. `idrid train`; 2 photographs trained on, 1 others held out" in text
    assert "50.0 % at best (epoch 2)" in text
    assert (
        "from the weights of the training before, reduction 1, 2, 2 epochs, 30 % of the pairs as by another camera"
        in text
    )
    assert "2. `ddr train`." in text
    assert ModelCard(text).data.datasets == ["idrid", "ddr"]


def test_the_command_prints_a_card_or_writes_it(tmp_path: Path) -> None:
    printed = CliRunner().invoke(main, ["card", "shrink"])
    assert printed.stdout == (CARDS / "shrink.md").read_text(encoding="utf-8")
    path = tmp_path / "card.md"
    assert CliRunner().invoke(main, ["card", "shrink", "-o", str(path)]).exit_code == 0
    assert path.read_text(encoding="utf-8") == printed.stdout
    refused = CliRunner().invoke(main, ["card", "shrink", "-o", str(path)])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)


def test_notes_that_are_no_text_are_one_sentence(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED / "otsu", tmp_path / "rule")
    (tmp_path / "rule" / "notes.md").write_bytes(b"\xff\xfe")
    refused = CliRunner().invoke(main, ["card", str(tmp_path / "rule")])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "notes.md: cannot be read" in refused.stderr
