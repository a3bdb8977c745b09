"""The command line of zoo, through its console script and its entry point."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from coarsekit.annotations import read_annotation
from coarsekit.images import read_mask
from tests import command_line
from tests.few_lesions import write_few_lesions
from tests.own_datasets import TRAINING, write_own
from tests.places import BUNDLED
from zoo.checkpoints.folder import DEFAULT
from zoo.cli.main import main

SCRIPT = Path(sys.executable).with_name("zoo")
SPLIT = ("--split", "validation")


def zoo(*arguments: object) -> Result:
    return command_line.run(main, *arguments)


def settings(*fields: str) -> list[str]:
    return [argument for field in fields for argument in ("--set", field)]


def wrong(*arguments: object) -> str:
    return command_line.refusal(zoo(*arguments))


@pytest.fixture
def photograph(tmp_path) -> tuple[Path, dict]:
    """A small grey photograph, and a valid annotation for it."""
    path = tmp_path / "image.png"
    Image.fromarray(np.full((120, 160, 3), 90, np.uint8)).save(path)
    ellipse = {"lesion": "MA", "cx": 60.0, "cy": 50.0, "rx": 12.0, "ry": 9.0, "angle": 10.0}
    return path, {"image": {"name": "image.png", "width": 160, "height": 120}, "ellipses": [ellipse]}


def annotation(folder: Path, content: object) -> Path:
    path = folder / "ellipses.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_photograph_and_its_ellipses_go_in_and_masks_come_out(photograph, tmp_path) -> None:
    image, content = photograph
    content["ellipses"].append({"lesion": "laser scars", "cx": 150, "cy": 115, "r": 20})
    out = tmp_path / "out"
    result = zoo("refine", image, annotation(tmp_path, content), "-o", out, "--json")
    assert result.exit_code == 0, result.output
    [record] = json.loads(result.stdout)["records"]
    assert (record["refiner"], record["width"], record["height"]) == (DEFAULT, 160, 120)
    assert [(m["lesion"], m["ellipses"]) for m in record["masks"]] == [("MA", 1), ("laser scars", 1)]
    for mask in record["masks"]:
        pixels = read_mask(mask["file"])
        assert pixels.shape == (120, 160)
        assert np.count_nonzero(pixels) == mask["refined_pixels"]
    assert {path.name for path in out.iterdir()} == {
        "image_MA.png",
        "image_laser scars.png",
        "image_overlay.jpg",
        "image_preview.jpg",
        "image.json",
    }
    assert json.loads((out / "image.json").read_text()) == record
    assert read_annotation(tmp_path / "ellipses.json").lesions == ("MA", "laser scars")


def test_the_sample_is_refined_from_the_console_script(tmp_path) -> None:
    command = [SCRIPT, "refine", "sample", "--refiner", "shrink", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)["records"]
    assert [record["image"] for record in records] == ["IDRiD_19.jpg", "IDRiD_46.jpg"]
    assert all((tmp_path / record["overlay"]).exists() for record in records)


def test_the_photographs_that_a_network_held_out_can_be_refined(tmp_path) -> None:
    arguments = ("refine", write_few_lesions(tmp_path / "data"), "--split", "held-out", "-o", tmp_path, "--json")
    assert "needs networks whose" in wrong(*arguments, "--refiner", "shrink")
    result = zoo(*arguments, "--refiner", "tiny")
    assert result.exit_code == 0, result.output
    held_out = json.loads((BUNDLED / "tiny" / "training.json").read_text())["validation_images"]
    names = [record["image"] for record in json.loads(result.stdout)["records"]]
    assert names
    assert {Path(name).stem for name in names} <= set(held_out)


def test_results_are_not_written_over_unless_forced(photograph, tmp_path) -> None:
    image, content = photograph
    arguments = ("refine", image, annotation(tmp_path, content), "--refiner", "shrink", "-o", tmp_path / "out")
    assert zoo(*arguments).exit_code == 0
    content["ellipses"][0]["rx"] = 20
    annotation(tmp_path, content)
    assert "--force" in wrong(*arguments)
    assert zoo(*arguments, "--force").exit_code == 0


def test_what_was_done_already_is_not_done_again(photograph, tmp_path) -> None:
    image, content = photograph
    arguments = (
        "refine",
        image,
        annotation(tmp_path, content),
        "--refiner",
        "shrink",
        "-o",
        tmp_path / "out",
        "--json",
    )
    first = json.loads(zoo(*arguments).stdout)
    assert first["kept"] == []
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert json.loads(zoo(*arguments).stdout) == {**first, "kept": ["image.png"]}
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}


def test_an_interrupt_is_one_sentence_and_the_next_run_goes_on(tmp_path) -> None:
    # A shell may have the signal ignored for what it runs in the background, and children inherit that.
    heard = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program = [sys.executable, "-c", f"{heard}from zoo.cli.main import main; main()"]
    command = [*program, "refine", write_few_lesions(tmp_path / "data"), "--refiner", "tiny", "--json"]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = tmp_path / "refined" / "IDRiD_19.json"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (first.exists() and '"finished": true' in first.read_text()):
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 130
    *photographs, sentence = filter(None, stderr.splitlines())
    assert sentence.startswith("Interrupted")
    assert {*photographs} <= {"IDRiD_19: refined, 1 of 2"}  # said just after its record is whole
    written = first.stat().st_mtime_ns
    assert not list((tmp_path / "refined").glob(".*"))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    document = json.loads(done.stdout)
    assert (len(document["records"]), document["kept"]) == (2, ["IDRiD_19"])
    assert first.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rx": 0}, "ellipses.0.rx"),
        ({"ry": -3.0}, "ellipses.0.ry"),
        ({"cx": "60"}, "ellipses.0.cx"),
        ({"cy": None}, "ellipses.0.cy"),
        ({"angle": float("nan")}, "ellipses.0.angle"),
        ({"rx": float("inf")}, "ellipses.0.rx"),
        ({"lesion": 7}, "ellipses.0.lesion"),
        ({"radius": 3}, "ellipses.0.radius"),
        ({"cx": 900.0}, "ellipses.0 lies wholly outside"),
    ],
)
def test_a_bad_ellipse_is_one_sentence_that_names_the_field(photograph, tmp_path, change: dict, sentence: str) -> None:
    image, content = photograph
    content["ellipses"][0].update(change)
    path = annotation(tmp_path, content)
    said = wrong("refine", image, path)
    assert sentence in said
    assert str(path) in said


def test_bad_files_are_one_sentence(photograph, tmp_path) -> None:
    image, content = photograph
    good = annotation(tmp_path, content)
    assert "no such file" in wrong("refine", tmp_path / "missing.png", good)
    assert "no such file" in wrong("refine", image, tmp_path / "missing.json")
    assert "not an image" in wrong("refine", good, good)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no annotation file in this folder" in wrong("refine", tmp_path, empty)
    (tmp_path / "cut.png").write_bytes(image.read_bytes()[:90])
    assert "cut.png" in wrong("refine", tmp_path / "cut.png", good)
    assert "not JSON" in wrong("refine", image, annotation(tmp_path, "{"))
    assert "cannot be read" in wrong("refine", image, image)
    content["image"]["width"] = 170
    assert "170 × 120" in wrong("refine", image, annotation(tmp_path, content))


def test_a_folder_is_refined_and_what_cannot_be_is_named(photograph, tmp_path) -> None:
    image, content = photograph
    drawings = tmp_path / "drawings"
    drawings.mkdir()
    annotation(drawings, content)
    for name in ("second.png", "missing.png", "small.png"):
        (drawings / f"{name}.json").write_text(json.dumps(content | {"image": content["image"] | {"name": name}}))
    Image.open(image).rotate(180).save(tmp_path / "second.png")
    Image.open(image).resize((90, 60)).save(tmp_path / "small.png")
    out = tmp_path / "out"
    result = zoo("refine", tmp_path, drawings, "--refiner", "shrink", "-o", out, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert [record["image"] for record in document["records"]] == ["image.png", "second.png"]
    assert [failure["photograph"] for failure in document["failures"]] == ["missing.png", "small.png"]
    failures = [line for line in result.stderr.splitlines() if line.startswith("Failed")]
    assert [name for name in ("missing.png", "90 × 60") for line in failures if name in line] == [
        "missing.png",
        "90 × 60",
    ]
    assert "2 photographs could not be refined" in result.stderr
    assert {path.name for path in out.glob("*.png")} == {"image_MA.png", "second_MA.png"}


def drawn_on(content: dict, name: str, *places: float) -> str:
    """An annotation with ellipses at these x, on the photograph of a name."""
    [ellipse] = content["ellipses"]
    ellipses = [{**ellipse, "cx": x} for x in places]
    return json.dumps({"image": {**content["image"], "name": name}, "ellipses": ellipses})


def drawings_of(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.json").write_text(text)
    return folder


def test_a_photograph_annotated_twice_is_named_and_the_rest_is_done(photograph, tmp_path) -> None:
    image, content = photograph
    Image.open(image).save(tmp_path / "second.png")
    one, other, second = (
        drawn_on(content, *drawn) for drawn in (("image.png", 30), ("image.png", 90), ("second.png", 30))
    )
    drawings = drawings_of(tmp_path / "drawings", a=one, b=other, c=second)
    result = zoo("refine", tmp_path, drawings, "-o", tmp_path / "out", "--refiner", "shrink")
    assert result.exit_code == 1
    assert "Failed: image.png: annotated more than once (a.json, b.json); keep one of them" in result.stderr
    assert [path.name for path in (tmp_path / "out").glob("*.json")] == ["second.json"]
    assert "annotated more than once" in wrong("refine", tmp_path, drawings, "--refiner", "shrink", "--strict")
    (drawings / "ben").mkdir()
    (drawings / "b.json").rename(drawings / "ben" / "a.json")
    assert "; keep one of them, or give one folder at a time" in wrong(
        "refine", tmp_path, drawings, "--refiner", "shrink", "--strict"
    )


@pytest.mark.parametrize("people", [("anna", "ben"), ()])
def test_two_spellings_of_a_photograph_are_two_people_s_or_both_are_named(photograph, tmp_path, people) -> None:
    _, content = photograph
    drawings, out = tmp_path / "drawings", tmp_path / "out"
    drawings.mkdir()
    for name, x, who in zip(("image.png", "3f2a1b9c-IMAGE.png"), (30, 60), people or ("", ""), strict=True):
        text = json.dumps(json.loads(drawn_on(content, name, x)) | {"provenance": {"annotator": who}})
        (drawings / f"{x}.json").write_text(text)
    result = zoo("refine", tmp_path, drawings, "-o", out, "--refiner", "shrink")
    assert result.exit_code == (0 if people else 1), result.output
    found = {path.relative_to(out).as_posix() for path in out.rglob("*.json")}
    assert found == {f"{who}/image.json" for who in people}
    said = "image.png and 3f2a1b9c-IMAGE.png: annotated more than once, as all are of"
    assert (said in result.stderr) == (not people)


def test_what_an_export_has_of_an_earlier_one_and_more_stands_for_both(photograph, tmp_path) -> None:
    _, content = photograph
    less, more = drawn_on(content, "image.png", 90), drawn_on(content, "image.png", 30, 90)
    drawings = drawings_of(tmp_path / "drawings", june=more, may=less, august=more)
    result = zoo("refine", tmp_path, drawings, "-o", tmp_path / "out", "--refiner", "shrink")
    assert result.exit_code == 0, result.output
    assert "all marks of another, and more, it stands for both: image.png of " in result.stderr
    assert "1 annotation repeated another" in result.stderr
    assert [mark["drawing"]["cx"] for mark in json.loads((tmp_path / "out/image.json").read_text())["marks"]] == [
        30,
        90,
    ]


def test_two_photographs_that_would_share_files_are_named_and_the_rest_is_done(photograph, tmp_path) -> None:
    image, content = photograph
    for name in ("image.bmp", "second.png"):
        Image.open(image).save(tmp_path / name)
    a, b, c = (drawn_on(content, name, 30) for name in ("image.png", "image.bmp", "second.png"))
    result = zoo(
        "refine",
        tmp_path,
        drawings_of(tmp_path / "drawings", a=a, b=b, c=c),
        "-o",
        tmp_path / "out",
        "--refiner",
        "shrink",
    )
    assert result.exit_code == 1
    assert result.stderr.count("would be written for image.png and image.bmp; rename one of them") == 2
    assert [path.name for path in (tmp_path / "out").glob("*.json")] == ["second.json"]


def test_bad_usage_is_one_sentence(photograph) -> None:
    image, _ = photograph
    assert "did you mean 'shrink'" in wrong("refine", image, "x.json", "--refiner", "shrnk")
    assert "needs an annotation" in wrong("refine", image)
    assert "did you mean 'refine'" in wrong("refien", image)
    assert "--size" in wrong("refine", image, "--size", 3)
    assert "did you mean 'idrid'" in wrong("evaluate", "idird:here")
    assert "no split 'tset'" in wrong("evaluate", "sample", "--split", "tset")
    assert "no lesion class 'XX'" in wrong("evaluate", "sample", "--lesion", "XX")
    assert "no style 'papr'" in wrong("evaluate", "sample", "--style", "papr")
    assert "reduction factor" in wrong("evaluate", "sample", "--reduction", "0.5", "--refiner", "shrink")
    assert "did you mean 'proto'" in wrong("train", "sample", "-o", "x", "--set", "variant=prot")
    assert "did you mean 'lite-2'" in wrong("train", "sample", "-o", "x", "--recipe", "lit-2")
    assert "no field 'depth'" in wrong("train", "sample", "-o", "x", "--set", "depth=3")
    assert "FIELD=VALUE" in wrong("train", "sample", "-o", "x", "--set", "depth")
    assert "did you mean 'epochs'" in wrong("train", "sample", "-o", "x", "--set", "epoch=3")
    assert "SOURCE is missing" in wrong("train", "-o", "x")
    assert "source" in wrong("train", "samples", "-o", "x")


def test_evaluate_prints_rows_and_nothing_else_as_json() -> None:
    options = ("--split", "validation", "--refiner", "shrink", "--reduction", "1.0", "--style", "paper", "--json")
    result = zoo("evaluate", "sample", *options)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert [row["lesion"] for row in rows] == ["MA", "HE", "EX", "SE"]
    assert all(row["iou"] == row["shrink_iou"] for row in rows)
    assert sum(row["iou"] - row["floor_iou"] for row in rows) > 80


def test_evaluate_shows_people_a_table_with_the_average() -> None:
    result = zoo("evaluate", "sample", "--refiner", "shrink", "--lesion", "MA", "--lesion", "SE")
    assert result.exit_code == 0, result.output
    assert all(word in result.stdout for word in ("shrink", "floor", "average"))


def test_train_writes_a_checkpoint_that_refine_can_use(photograph, tmp_path) -> None:
    image, content = photograph
    folder = tmp_path / "trained"
    tiny = settings("variant=proto-superpixel", "width=2", "size=32", "batch=4", "samples=8", "epochs=1")
    result = zoo("train", "sample", "-o", folder, *tiny, *SPLIT)
    assert result.exit_code == 0, result.output
    assert {"config.json", "model.safetensors", "training.json"} <= {path.name for path in folder.iterdir()}
    assert "already there" in wrong("train", "sample", "-o", folder, *tiny)
    more = zoo("train", "-o", folder, "--resume", *settings("epochs=2"))
    assert more.exit_code == 0, more.output
    assert "epoch 2" in more.stderr
    assert "epoch 1:" not in more.stderr
    refined = zoo("refine", image, annotation(tmp_path, content), "--refiner", folder, "-o", tmp_path / "out", "--json")
    assert refined.exit_code == 0, refined.output
    assert json.loads(refined.stdout)["records"][0]["trained_on"] == "sample validation"


def test_train_starts_from_a_refiner_of_the_same_variant_or_of_another_one(tmp_path) -> None:
    small = (*settings("batch=4", "samples=4", "epochs=1"), *SPLIT)
    proto = settings("variant=proto", "width=2", "size=32")
    assert zoo("train", "sample", "-o", tmp_path / "first", *proto, *small).exit_code == 0

    def variant_and_size(out: str, *more: str) -> tuple[str, int]:
        result = zoo("train", "sample", "-o", tmp_path / out, *settings(f"start={tmp_path / 'first'}", *more), *small)
        assert result.exit_code == 0, result.output
        assert ("2 of its tensors are not in" in result.stderr) == (out == "other")
        config = json.loads((tmp_path / out / "config.json").read_text())
        return config["variant"], config["config"]["size"]

    assert variant_and_size("same") == ("proto", 32)
    assert variant_and_size("wide", "size=64") == ("proto", 64)
    assert variant_and_size("other", "variant=unet", "width=2", "size=32") == ("unet", 32)
    assert "names a rule" in wrong("train", "sample", "-o", tmp_path / "rule", *settings("start=otsu"), *small)


def test_the_shrink_rule_is_fitted_by_the_same_command(tmp_path) -> None:
    result = zoo("train", "sample", "-o", tmp_path / "rule", "--recipe", "shrink", "--split", "validation")
    assert result.exit_code == 0, result.output
    rows = json.loads(zoo("evaluate", "sample", "--refiner", tmp_path / "rule", "--json").stdout)["rows"]
    assert {row["trained_on"] for row in rows} == {"sample validation"}
    options = ("--recipe", "shrink", "--split", "validation", "--set", "epochs=3")
    assert "epochs does nothing" in wrong("train", "sample", "-o", tmp_path / "other", *options)


def test_photographs_without_any_mask_are_said_by_commands_that_read_a_dataset(tmp_path: Path) -> None:
    source, network = write_own(tmp_path / "own"), tmp_path / "network"
    for path in (tmp_path / "own" / "masks").glob("p1_*"):
        path.unlink()
    for arguments in (
        ("train", source, "-o", network, *TRAINING[:-1]),
        ("train", source, "-o", tmp_path / "rule", "--split", "all", "--set", "variant=shrink"),
        ("evaluate", source, "--refiner", "shrink"),
        ("evaluate", source, "--split", "held-out", "--refiner", network),
        ("refine", source, "--refiner", "shrink", "-o", tmp_path / "refined"),
    ):
        said = zoo(*arguments).stderr
        assert said.count("1 photograph has no mask of any class and counts as healthy: p1\n") == 1, (arguments, said)


def test_list_shows_the_default() -> None:
    listed = json.loads(zoo("list", "--json").stdout)
    assert listed["default"] == DEFAULT
    assert DEFAULT in {row["refiner"] for row in listed["refiners"]}
    assert DEFAULT in zoo("list").stdout


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["refine", "--help"], ["push", "--help"], ["--version"]])
def test_help_and_list_answer_without_torch(arguments: list[str]) -> None:
    code = (
        "import sys; from zoo.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as done: assert not done.code, done.code\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'timm')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
