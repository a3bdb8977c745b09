"""What the labels of annotation tools stand for."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from coarsekit.annotations import format_named, read_annotations
from coarsekit.annotations.drawings import find_drawings, read_drawings
from coarsekit.annotations.labels import Labels, known, normalise
from coarsekit.annotations.reading import ReadOptions, ReadResult
from coarsekit.errors import ParameterError
from coarsekit.types import Annotation, Ellipse, Mark

CIRCLE = {"name": "circle", "cx": 20, "cy": 20, "r": 5}
SIZE = (100, 80)


def via(put, *attributes: dict) -> Path:
    regions = [{"shape_attributes": CIRCLE, "region_attributes": each} for each in attributes]
    return put("via.json", {"a.jpg-1": {"filename": "a.jpg", "regions": regions}})


def cvat(put, *labels: str, inner: str = "") -> Path:
    shapes = "".join(f'<ellipse label="{label}" cx="20" cy="20" rx="5" ry="5">{inner}</ellipse>' for label in labels)
    head = '<annotations><version>1.1</version><image id="0" name="a.jpg" width="100" height="80">'
    return put("a.xml", f"{head}{shapes}</image></annotations>")


def read(path: Path, labels: dict | None = None, attribute: str | None = None) -> tuple[list[str], ReadResult]:
    result = read_annotations(path, ReadOptions(labels or {}, size=SIZE, label_attribute=attribute))
    return [mark.lesion for mark in result.annotations[0].marks], result


@pytest.mark.parametrize(
    ("lesion", "names"),
    [
        ("MA", "MA, ma, MAs, Microaneurysm, micro-aneurysms, MICRO_ANEURYSM, Microaneurysm(s), Red_small_dots"),
        ("HE", "HE, Hemorrhage, haemorrhages, Dot Hemorrhage, blot-haemorrhages, FLAME_HEMORRHAGES, hæmorrhage"),
        ("HE", "Flame-shaped haemorrhage, Preretinal hemorrhage, pre-retinal haemorrhage, Intraretinal Hemorrhages"),
        ("EX", "EX, Hard exudate, hard_exudates, HardExudates, Hard Exudates (EX), Lipid, Exudates"),
        ("SE", "SE, soft exudate, Soft_exudates, CWS, Cotton wool spot, cotton-wool spots, CottonWoolSpots"),
        (
            "",
            "OD, Optic disc, optic-disks, Fovea, macula, FOV, Field of view, blood_vessels, Artifact, artefacts",
        ),
        ("MA", "ＭＡ, MA\u200b, microaneurismas, Microanévrismes, microanevrysme, Mikroaneurysmen, 微血管瘤"),
        ("HE", "Hemorragias, hémorragies, HEMORRAGIE, Haemorrhagie, Hämorrhagien, Netzhautblutung, 出血"),
        ("EX", "exudados duros, Exsudats durs, harte Exsudate, essudati duri, 硬性渗出"),
        ("SE", "manchas algodonosas, nodules cotonneux, weiche_Exsudate, essudati molli, 棉绒斑"),
        ("", "disco óptico, Disco_Optico, MÁCULA, papille, Sehnerv, Gefäße, vaisseaux, 视盘, 黄斑"),
        (None, "Drusen, MA?, MA/HE, MA (unsure), Unsure?, NV, laser scar, hard, ?, -"),
    ],
)
def test_the_usual_names_are_known_however_they_are_written(lesion: str | None, names: str) -> None:
    assert {name: known(name) for name in names.split(", ")} == dict.fromkeys(names.split(", "), lesion)


def test_each_name_of_the_table_stands_for_one_class() -> None:
    table = tomllib.loads(files("coarsekit.annotations").joinpath("labels.toml").read_text(encoding="utf-8"))
    assert list(table) == ["MA", "HE", "EX", "SE", "no_lesion"]
    keys = [normalise(name) for names in table.values() for name in names]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", ["coco", "cvat", "labelme", "labelstudio", "native", "via"])
def test_every_format_knows_them_and_leaves_out_what_is_no_lesion(tmp_path: Path, name: str) -> None:
    names = ("Microaneurysm", "Hemorrhage", "Hard exudate", "Cotton wool spot", "Optic disc", "Drusen")
    marks = tuple(Mark(label, Ellipse(20, 20, 5, 5)) for label in names)
    path = tmp_path / ("a.xml" if name == "cvat" else "a.json")
    format_named(name).write(path, [Annotation("a.jpg", *SIZE, marks)], approximate=True)
    lesions, (_, report) = read(path)
    assert report.left_out == ()
    if name == "native":  # its classes were chosen when it was written
        assert lesions == ["MA", "HE", "EX", "SE", "Optic disc", "Drusen"]
        return
    assert lesions == ["MA", "HE", "EX", "SE", "Drusen"]
    dropped, unknown = report.all_notes(ReadOptions())
    assert dropped.startswith("'Optic disc' (of 1 region) is left out, for it is no lesion")
    assert unknown.startswith("'Drusen' (of 1 region) is read as a class of that name")
    assert "'Drusen=MA'" in unknown
    told = {"optic_disc": "OD", "hemorrhages": "bleeding", "DRUSEN": "", "cws": None}
    assert read(path, told)[0] == ["MA", "bleeding", "EX", "SE", "OD"]
    assert read(path, told | {"cotton wool spots": None})[0] == ["MA", "bleeding", "EX", "OD"]


def test_what_was_told_in_vain_is_said(put) -> None:
    options = ReadOptions({"microaneurysms": "MA", "Bleeding": "HE", "": "EX"}, size=SIZE, label_attribute="grade")
    report = read_annotations(via(put, {"lesion": "Microaneurysm"}), options).report
    assert "No region has the label 'Bleeding'." in report.all_notes(options)
    assert "No region has the attribute 'grade'." in report.all_notes(options)
    plain = ReadOptions({"microaneurysms": "MA", "": "EX"}, size=SIZE)
    report = read_annotations(via(put, {"lesion": "Microaneurysm"}), plain).report
    assert report.all_notes(plain) == ["No region lacks a label."]


@pytest.mark.parametrize("label", ["MA/HE", "Unsure?", "../up", "C:", ".hidden"])
def test_a_label_that_cannot_name_a_class_is_mapped_or_left_out_or_named(put, label: str) -> None:
    path = cvat(put, label, "MA")
    lesions, ([annotation], report) = read(path)
    assert report.left_out == ()
    assert lesions[1:] == ["MA"]
    assert not set('/\\:*?"<>|') & set(lesions[0])
    assert annotation.marks[0].details["label"] == label
    [note] = report.all_notes(ReadOptions())
    assert f"(in file names {lesions[0]!r})" in note
    assert f"labels=…, such as {f'{label}=MA'!r}" in note
    assert read(path, {label: "HE"})[0] == ["HE", "MA"]
    lesions, (_, report) = read(path, {label: ""})
    assert (lesions, report.left_out) == (["MA"], ())
    assert "as asked" in report.all_notes(ReadOptions({label: ""}))[0]


@pytest.mark.parametrize(
    "attributes", [{}, {"lesion": ""}, {"a": "x", "b": "y"}, {"lesion": {"MA": False, "HE": False}}, {"lesion": None}]
)
def test_a_region_without_a_label_is_named_or_gets_the_class_of_such(put, attributes: dict) -> None:
    path = via(put, attributes, {"lesion": "HE"})
    lesions, (_, report) = read(path)
    assert lesions == ["HE"]
    assert [re.sub("^.*: ", "", text)[:19] for text in report.left_out] == ["it has no label; na"]
    assert "regions.0" in report.left_out[0]
    lesions, (_, report) = read(path, {"": "MA"})
    assert (lesions, report.left_out) == (["MA", "HE"], ())
    lesions, (_, report) = read(path, {"": ""})
    assert (lesions, report.left_out) == (["HE"], ())


@pytest.mark.parametrize("task", [{"ellipselabels": []}, {}])
def test_a_region_of_label_studio_without_a_label_is_named(put, task: dict) -> None:
    value = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 10}
    size = {"original_width": 100, "original_height": 80, "type": "ellipselabels"}
    results = [
        {**size, "id": "1", "value": value | task},
        {**size, "id": "2", "value": value | {"ellipselabels": ["HE"]}},
    ]
    path = put("a.json", [{"data": {"image": "a.jpg"}, "annotations": [{"result": results}]}])
    lesions, (_, report) = read(path)
    assert lesions == ["HE"]
    assert "result 0: it has no label" in report.left_out[0]
    assert read(path, {"": "MA"})[0] == ["MA", "HE"]


@pytest.mark.parametrize(
    ("attributes", "lesion"),
    [
        ({"name": "spot 7", "lesion": "MA"}, "MA"),
        ({"type": "round", "Label": "EX", "class": "HE"}, "EX"),
        ({"anything": "SE"}, "SE"),
        ({"lesion": {"HE": True, "MA": False}, "name": "x"}, "HE"),
        ({"lesion": 3}, "3"),
        ({"lesion": 3.0}, "3"),
    ],
)
def test_the_attribute_of_via_is_chosen_in_the_documented_order(put, attributes: dict, lesion: str) -> None:
    assert read(via(put, attributes))[0] == [lesion]


def test_numbers_are_labels_that_can_be_mapped(put) -> None:
    assert read(via(put, {"lesion": 3}), {"3": "MA"})[0] == ["MA"]
    shape = {"label": 3, "points": [[20, 20], [25, 20]], "shape_type": "circle"}
    path = put("me.json", {"shapes": [shape], "imagePath": "a.jpg", "imageWidth": 100, "imageHeight": 80})
    assert read(path, {"3": "MA"})[0] == ["MA"]


def test_the_attribute_that_holds_the_label_can_be_told(put) -> None:
    path = via(put, {"lesion_type": "MA", "grade": "2"}, {"grade": "1"})
    lesions, (_, report) = read(path, attribute="Lesion_type")
    assert lesions == ["MA"]
    assert "regions.1: it has no label" in report.left_out[0]
    path = cvat(put, "lesion", inner='<attribute name="kind">Hard exudate</attribute>')
    assert read(path, attribute="kind")[0] == ["EX"]
    assert read(path)[0] == ["lesion"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"a": "x/y"}, "usable in a file name"),
        ({"Hard exudate": "EX", "hard-exudates": "SE"}, "gives 'hard-exudates' two lesion classes, EX and SE"),
        ({"a": None, "A": "MA"}, "none and MA"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(table: dict, said: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(said)):
        Labels(table)


def test_signs_between_digits_count(put) -> None:
    path = cvat(put, "1.1", "11", "1-1", "-1", "1", "Grade 1.2", "grade_12")
    told = {"1.1": "MA", "11": "HE", "1-1": "EX", "-1": None, "1": "SE", "grade 1.2": "MA", "Grade 12": "HE"}
    lesions, (_, report) = read(path, told)
    assert lesions == ["MA", "HE", "EX", "SE", "MA", "HE"]
    assert report.left_out == ()
    assert read(cvat(put, "11", "12"), {"1.1": "MA"})[0] == ["11", "12"]
    assert normalise("MA-1") == normalise("ma 1") == normalise("MA1")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (
            "MA HE HEM",
            "The labels 'HE' and 'HEM' are read as one class, HE; some call hard exudates HE, and no label sta",
        ),
        (
            "EX HE Bleeding",
            "The labels 'HE' and 'Bleeding' are read as one class, HE; some call hard exudates HE: if so,",
        ),
        (
            "Flame_haemorrhage HEM",
            "The labels 'Flame_haemorrhage' and 'HEM' are read as one class, HE; where they are no",
        ),
        (
            "EX Lipid Exudates MA",
            "The labels 'EX', 'Lipid' and 'Exudates' are read as one class, EX; where they are not ",
        ),
        ("MA MAs ma Hemorrhage haemorrhages", None),
    ],
)
def test_labels_that_become_one_class_are_said(put, labels: str, said: str | None) -> None:
    notes = read(cvat(put, *labels.split()))[1].report.all_notes(ReadOptions())
    assert [note[: len(said or "")] for note in notes] == ([said] if said else [])


def test_labels_that_the_user_says_are_one_class_are_not_named_but_beside_he(put) -> None:
    path = cvat(put, "spot", "EX", "HE", "HM")

    def notes(**table: str) -> list[str]:
        return read(path, table)[1].report.all_notes(ReadOptions(table))

    assert notes(spot="EX", HM="other") == []
    [note] = notes(spot="EX", HM="HE")
    assert note.startswith("The labels 'HE' and 'HM' are read as one class, HE; some call hard exudates HE: if so")
    assert notes(spot="EX", HM="HE", HE="EX") == notes(spot="EX", HM="HE", HE="HE") == []


def test_spellings_of_an_unknown_label_are_one_class(put) -> None:
    spellings = ("drusen", "Drusen", "DRUSEN ", "Dru\u0301sen", "laser  scar", "Laser scars")
    lesions, (annotations, report) = read(cvat(put, *spellings, "Drusen?"))
    assert lesions == ["DRUSEN"] * 4 + ["Laser scars"] * 2 + ["Drusen-"]
    assert [mark.details.get("label") for mark in annotations[0].marks][:4] == [
        "drusen",
        "Drusen",
        "DRUSEN ",
        spellings[3],
    ]
    assert set(report.lesions.values()) == {"DRUSEN", "Laser scars", "Drusen-"}
    notes = report.all_notes(ReadOptions())
    assert "The labels 'laser  scar' and 'Laser scars' are read as spellings of one class, 'Laser scars'." in notes
    assert read(cvat(put, "Drusen", "spot"), {"spot": "drusen"})[0] == ["drusen", "drusen"]
    assert read(cvat(put, "a", "A"), {"a": "x"})[0] == ["x", "x"]
    assert read(cvat(put, "Neovascularisation", "neovascularization"))[0] == ["Neovascularisation"] * 2


def test_a_class_of_the_user_is_a_known_one_however_it_is_written(put) -> None:
    assert read(cvat(put, "spot", "MA"), {"spot": "ma"})[0] == ["MA", "MA"]


@pytest.mark.parametrize("undefined", ["__undefined__", ""])
def test_a_choice_that_was_never_made_in_cvat_is_no_label(put, undefined: str) -> None:
    inner = '<attribute name="type">{}</attribute>'
    path = cvat(put, "lesion", inner=inner.format(undefined))
    lesions, (_, report) = read(path, attribute="type")
    assert lesions == []
    assert "it has no label" in report.left_out[0]
    assert read(path, {"": "EX"}, attribute="type")[0] == ["EX"]


@pytest.mark.parametrize(
    ("regions", "lesions"),
    [
        ([{"type": "", "name": "HE"}, {"name": "", "type": "MA"}], ["HE", "MA"]),
        ([{"class": "lesion", "type": "MA"}, {"class": "lesion", "type": "Drusen"}], ["MA", "Drusen"]),
        ([{"label": "", "diagnosis": "EX"}], ["EX"]),
        ([{"grade": "2", "finding": "MA"}, {"grade": "1", "finding": "Drusen"}], ["MA", "Drusen"]),
        ([{"lesion": "Drusen", "location": "macula"}, {"lesion": "", "location": "macula"}], ["Drusen"]),
        ([{"lesion": "Drusen", "name": "MA"}, {"lesion": "HE", "name": "x"}], ["Drusen", "HE"]),
        ([{"name": "x", "kind": {"MA": True, "HE": True}}], ["x"]),
    ],
)
def test_the_attribute_of_via_that_tells_lesions_is_better(put, regions: list[dict], lesions: list[str]) -> None:
    assert read(via(put, *regions))[0] == lesions


@pytest.mark.parametrize("order", [("anna", "bert", "carl"), ("carl", "bert", "anna")])
def test_people_who_spell_a_label_differently_drew_one_class(tmp_path: Path, order: tuple[str, ...]) -> None:
    spellings = {"anna": "hard Drusen", "bert": "Hard  drusen", "carl": "hard_drusen"}
    for person, label in spellings.items():
        marks = (Mark(label, Ellipse(20, 20, 5, 5)), Mark("MA", Ellipse(60, 20, 5, 5)))
        path = tmp_path / person / "a.xml"
        path.parent.mkdir()
        format_named("cvat" if person != "carl" else "native").write(
            path if person != "carl" else path.with_suffix(".json"), [Annotation("a.jpg", *SIZE, marks)]
        )
    options = ReadOptions(size=SIZE)
    drawings, report = read_drawings(find_drawings([str(tmp_path / person) for person in order]), options)
    assert [one.lesions for own in drawings.values() for one in own.values()] == [("Hard drusen", "MA")] * 3
    assert any("are read as spellings of one class, 'Hard drusen'" in note for note in report.all_notes(options))
    assert read_annotations(tmp_path, options).annotations[0].lesions == ("Hard drusen", "MA")


def test_a_region_of_coco_whose_category_is_not_there_has_the_class_of_its_id_or_of_no_label(put) -> None:
    image = {"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}
    ring = {"image_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]]}
    regions = [ring | {"category_id": 2}, ring | {"category_id": 7}, ring, ring | {"category_id": None}]
    path = put("c.json", {"images": [image], "annotations": regions, "categories": [{"id": 2, "name": "EX"}]})
    lesions, (_, report) = read(path)
    assert lesions == ["EX"]
    assert "category_id 7 is not the id of a category; add the category, or name the class by" in report.left_out[0]
    assert "category_id is missing; add it, or name the class by labels=…, such as '=MA'" in report.left_out[1]
    lesions, (_, report) = read(path, {"": "MA"})
    assert (lesions, report.left_out) == (["EX", "MA", "MA", "MA"], ())
    assert report.all_notes(ReadOptions({"": "MA"})) == []
    assert read(path, {"7": "HE", "": None})[0] == ["EX", "HE"]
    content = {
        "images": [image],
        "annotations": [ring | {"category_id": "EX"}],
        "categories": [{"id": 2, "name": "EX"}],
    }
    assert read(put("c.json", content))[0] == ["EX"]
