"""What a coarsekit.toml beside an annotation or the photographs says of labels, wherever annotations are read."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from coarsekit.annotations import read_all, read_annotation, read_annotations, read_drawn
from coarsekit.annotations.drawings import find_drawings, read_drawings
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.cli.main import main
from coarsekit.errors import AnnotationError
from coarsekit.images import write_image
from coarsekit.types import Annotation
from coarsekit.validation import load_toml
from tests import command_line

TABLE = '[labels]\n"bright spots" = "EX"\nartefact = ""\n"" = "MA"\n'
SIZE = (100, 80)


def via(path: Path, *labels: str, field: str = "lesion", name: str = "a.png") -> Path:
    """A file of VIA with a circle of each label."""
    circle = {"name": "circle", "cx": 20, "cy": 20, "r": 5}
    regions = [{"shape_attributes": circle, "region_attributes": {field: label}} for label in labels]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"a": {"filename": name, "regions": regions}}), encoding="utf-8")
    return path


def says(folder: Path, text: str = TABLE) -> str:
    """Write the file, and give the note that it is read by."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "coarsekit.toml").write_text(text, encoding="utf-8")
    return f"Labels are read as {folder / 'coarsekit.toml'} says."


def photograph(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.full((80, 100, 3), 90, np.uint8))
    return path


def lesions(annotation: Annotation) -> list[str]:
    return [mark.lesion for mark in annotation.marks]


def coarsekit(*arguments: object) -> Result:
    return command_line.run(main, *arguments)


def notes(report: ReadReport, **options: object) -> list[str]:
    return report.all_notes(ReadOptions(size=SIZE, **options))


def test_a_file_beside_the_annotation_says_what_its_labels_stand_for(tmp_path: Path) -> None:
    path, note = via(tmp_path / "a.json", "Bright_spots", "artefact", "", "HE"), says(tmp_path)
    [annotation], report = read_annotations(path, ReadOptions(size=SIZE))
    assert lesions(annotation) == ["EX", "MA", "HE"]
    assert report.left_out == ()
    assert notes(report) == [note, "'artefact' (of 1 region) is left out, as asked."]
    assert lesions(read_annotation(path, options=ReadOptions(size=SIZE, strict=True))) == ["EX", "MA", "HE"]


def test_what_the_caller_says_stands_before_the_file(tmp_path: Path) -> None:
    path, note = via(tmp_path / "a.json", "bright spots", "artefact"), says(tmp_path, TABLE.replace('"" = "MA"\n', ""))
    options = {"labels": {"BRIGHT-SPOT": "SE", "artefacts": "AR"}}
    [annotation], report = read_annotations(path, ReadOptions(size=SIZE, **options))
    assert (lesions(annotation), notes(report, **options)) == (["SE", "AR"], [note])


def test_what_the_file_says_in_vain_is_said_as_of_the_callers_table(tmp_path: Path) -> None:
    path, note = via(tmp_path / "a.json", "HE"), says(tmp_path, f'label_attribute = "Lesion"\n{TABLE}')
    vain = [
        "No region has the label 'bright spots'.",
        "No region has the label 'artefact'.",
        "No region lacks a label.",
    ]
    assert notes(read_annotations(path, ReadOptions(size=SIZE)).report) == [note, *vain]
    other = {"label_attribute": "grade"}
    report = read_annotations(path, ReadOptions(size=SIZE, **other)).report
    assert "No region has the attribute 'grade'." in notes(report, **other)


def test_the_attribute_that_holds_the_label_may_stand_there_alone(tmp_path: Path) -> None:
    path, note = via(tmp_path / "a.json", "HE", field="grade"), says(tmp_path, 'label_attribute = "Grade"\n')
    [annotation], report = read_annotations(path, ReadOptions(size=SIZE))
    assert (lesions(annotation), notes(report)) == (["HE"], [note])
    says(tmp_path, 'label_attribute = "reader"\n')
    assert "No region has the attribute 'reader'." in notes(read_annotations(path, ReadOptions(size=SIZE)).report)


def test_the_file_of_the_annotations_stands_before_that_of_the_photographs(tmp_path: Path) -> None:
    image = photograph(tmp_path / "images" / "a.png")
    path, note = via(tmp_path / "drawn" / "a.json", "spots"), says(tmp_path / "images", '[labels]\nspots = "HE"\n')
    _, annotation, report = read_drawn(image, path)
    assert (lesions(annotation), notes(report)) == (["HE"], [note])
    says(tmp_path / "drawn", '[masks]\nMA = "masks/{stem}.png"\n')  # a dataset's, and nothing of labels
    assert lesions(read_drawn(image, path)[1]) == ["HE"]
    says(tmp_path / "drawn", '[labels]\nspots = "MA"\n')
    assert lesions(read_drawn(image, path)[1]) == ["MA"]


def test_the_file_of_a_folder_is_that_of_the_folders_below_it(tmp_path: Path) -> None:
    path, note = via(tmp_path / "all" / "left" / "a.json", "spots"), says(tmp_path / "all", '[labels]\nspots = "MA"\n')
    [(_, annotation)], report = read_all([path], ReadOptions(size=SIZE), tmp_path / "all")
    assert (lesions(annotation), notes(report)) == (["MA"], [note])


def test_each_annotator_has_a_file_of_its_own(tmp_path: Path) -> None:
    for name, lesion in (("one", "MA"), ("other", "HE")):
        via(tmp_path / name / "week 1" / "a.json", "spots")
        says(tmp_path / name, f'[labels]\nspots = "{lesion}"\n')
    places = [str(tmp_path / name) for name in ("one", "other")]
    drawings, report = read_drawings(find_drawings(places), ReadOptions(size=SIZE))
    assert [lesions(own["a"]) for own in drawings.values()] == [["MA"], ["HE"]]
    assert notes(report) == [f"Labels are read as {place}/coarsekit.toml says." for place in places]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("labels = 3", "labels: expected a valid dictionary, got 3"),
        ("[labels]\nspots = 3", "labels.spots: expected a valid string, got 3"),
        ('[labels]\nspots = "a/b"', "labels: expected one lesion class for each label, usable in a file name"),
        ('[labels]\nspots = "MA"\nSpot = "HE"', "labels: expected one lesion class for each label"),
        ("label_attribute = true", "label_attribute: expected a valid string, got true"),
        ('label_attribute = ""', "label_attribute: expected "),
        ("[labels", "cannot be read as TOML"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path, _ = via(tmp_path / "a.json", "HE"), says(tmp_path, text)
    with pytest.raises(AnnotationError) as caught:
        read_annotations(path, ReadOptions(size=SIZE))
    assert str(caught.value).startswith(f"{tmp_path / 'coarsekit.toml'}: {sentence}")
    assert "\n" not in str(caught.value)
    photograph(tmp_path / "a.png")
    refused = command_line.refusal(coarsekit("convert", path, tmp_path / "out", "--images", tmp_path))
    assert sentence in refused


def test_convert_reads_by_it(tmp_path: Path) -> None:
    images = photograph(tmp_path / "images" / "a.png").parent
    path, note = via(tmp_path / "a.json", "bright spots"), says(images, '[labels]\n"bright spots" = "EX"\n')
    result = coarsekit("convert", path, tmp_path / "out", "--images", images, "--json")
    assert (result.exit_code, json.loads(result.stdout)["notes"]) == (0, [note])
    assert result.stderr.splitlines()[0] == note
    assert lesions(read_annotation(tmp_path / "out" / "a.json")) == ["EX"]
    told = coarsekit("convert", path, tmp_path / "told", "--images", images, "--labels", "bright spots=SE")
    assert (told.exit_code, lesions(read_annotation(tmp_path / "told" / "a.json"))) == (0, ["SE"])


def test_preview_reads_by_it(tmp_path: Path) -> None:
    image = photograph(tmp_path / "a.png")
    path, note = via(tmp_path / "drawn" / "a.json", "bright spots"), says(tmp_path, '[labels]\n"bright spots" = "EX"\n')
    result = coarsekit("preview", image, path, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["marks"], told["notes"]) == ({"EX": 1}, [note])


def test_calibrate_reads_by_it(tmp_path: Path) -> None:
    images = photograph(tmp_path / "images" / "a.png").parent
    for name in ("one", "other"):
        path = via(tmp_path / f"{name}.json", "bright spots")
        assert coarsekit("convert", path, tmp_path / name, "--images", images).exit_code == 0
        says(tmp_path / name, '[labels]\n"bright spots" = "EX"\n')
    result = coarsekit("calibrate", tmp_path / "one", tmp_path / "other", "--json")
    assert result.exit_code == 0, result.stderr
    assert [row["lesion"] for row in json.loads(result.stdout)["lesions"]] == ["EX", "all"]
    assert result.stderr.count("coarsekit.toml says.") == 2


def test_the_mark_that_editors_put_in_front_is_passed_over(tmp_path: Path) -> None:
    note = says(tmp_path, f"\ufeff{TABLE}")
    annotations, report = read_annotations(via(tmp_path / "a.json", "bright spots"), ReadOptions(size=SIZE))
    assert lesions(annotations[0]) == ["EX"]
    assert note in notes(report)
    (tmp_path / "labels.toml").write_text('\ufeffspot = "HE"\n', encoding="utf-8")
    assert load_toml(tmp_path / "labels.toml", AnnotationError, "") == {"spot": "HE"}
