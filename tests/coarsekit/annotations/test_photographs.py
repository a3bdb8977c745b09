"""Photographs by names that are not quite theirs: found where just one is meant, and never another one's."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from coarsekit.annotations import annotation_files, read_all, read_annotations, read_drawn
from coarsekit.annotations.convert import convert, write_annotations
from coarsekit.annotations.photograph_names import choose, plainly_other, stem_of
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.images import write_image
from coarsekit.images.opening import is_mask
from coarsekit.types import Annotation, Ellipse, Mark

GREY = np.full((80, 100, 3), 90, np.uint8)
SIZE = (GREY.shape[1], GREY.shape[0])


def drawn(image: str, x: float = 50) -> Annotation:
    return Annotation(image, *SIZE, (Mark("HE", Ellipse(x, 40, 9, 9)),))


def photographs(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(folder / name, GREY)


@pytest.mark.parametrize(
    ("one", "other", "plain"),
    [
        ("left/001.jpg", "right/001.jpg", True),
        ("OD/001.jpg", "os/001.tif", True),
        ("left/001.jpg", "os/001.jpg", False),
        ("17_left.jpg", "17_right.jpg", True),
        ("2023-05-01/OD.jpg", "scans/2023-05-02/OD.jpg", True),
        ("IDRiD_01.jpg", "IDRiD_02.jpg", True),
        ("anna/001.jpg", "ben/001.jpg", False),
        ("001.jpg", "left/001.png", False),
        ("3f2a1b9c-001.jpg", "001.jpg", False),
        ("cells/a.jpg", "bells/a.jpg", False),
        ("links/mueller.jpg", "rechts/mueller.jpg", True),
        ("mueller_links.jpg", "mueller_OD.jpg", True),
        ("OD/dupont.jpg", "OG/dupont.jpg", True),
        ("dupont_gauche.jpg", "dupont_droite.jpg", True),
        ("izquierdo/a.jpg", "derecho/a.jpg", True),
        ("a_OI.jpg", "a_direito.jpg", True),
        ("rossi_sinistro.jpg", "rossi_destro.jpg", True),
        ("0012L.jpg", "0012R.jpg", True),
        ("患者1左眼.jpg", "患者1右眼.jpg", True),
        ("left/001.jpg", "左/001.jpg", False),
        ("mueller/left/001.jpg", "schmidt/right/001.jpg", True),
        ("colour/a.jpg", "redfree/a.jpg", True),
        ("color/a.jpg", "colour/a.jpg", False),
        ("left/a.jpg", "colour/a.jpg", False),
        ("Linksbein.jpg", "Rechtsbein.jpg", False),
    ],
)
def test_photographs_whose_names_differ_in_a_number_the_eye_or_the_light_are_others(
    one: str, other: str, plain: bool
) -> None:
    assert plainly_other(one, other) == plainly_other(other, one) == plain


def test_a_file_of_several_photographs_has_no_drawing_of_the_other_eye() -> None:
    several = [drawn("left/001.jpg"), drawn("left/002.jpg")]
    assert choose(several, "p/right/001.jpg") == []
    assert choose(several, "p/left/001.tif") == several[:1]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("A.jpg", "A.tif"),
        ("frame_000001", "frame_000001.png"),
        ("IMG_1.JPG", "IMG_1.jpeg"),
        ("images/A.jpg", "A.png"),
        ("images/A.jpg", "images/a.PNG"),
    ],
)
def test_a_photograph_is_found_by_its_path_but_for_the_suffix(tmp_path: Path, name: str, file: str) -> None:
    photographs(tmp_path, file, "masks/A.png")
    assert PhotographFolder(tmp_path).find(name) == tmp_path / file


def test_a_photograph_of_another_suffix_in_another_folder_or_of_two_suffixes_is_not_guessed(tmp_path: Path) -> None:
    photographs(tmp_path, "masks/A.png", "B.png", "B.tif")
    (tmp_path / "C").write_text("no image")
    for name, said in (
        ("A.jpg", "no such file; check"),
        ("B.jpg", "2 could be meant"),
        ("C.jpg", "no such file; check"),
    ):
        with pytest.raises(ImageError, match=said):
            PhotographFolder(tmp_path).find(name)


@pytest.mark.parametrize("palette", ["1", "L", "P", "RGB"])
@pytest.mark.parametrize("name", ["masks/A.png", "A.png", "refined/refined_labelmap/A.png"])
def test_a_mask_is_no_photograph_whatever_it_is_called(tmp_path: Path, palette: str, name: str) -> None:
    values = np.zeros((*GREY.shape[:2], 3), np.uint8)
    values[9:20, 9:30] = 255
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(values).convert(palette).save(tmp_path / name)
    assert is_mask(tmp_path / name)
    if name == "A.png" or palette == "RGB":  # the very file, or perhaps a drawn photograph of few colours
        assert PhotographFolder(tmp_path).find("A.png") == tmp_path / name
    else:
        with pytest.raises(ImageError, match=r"A\.png is a mask, no photograph; put the photograph there"):
            PhotographFolder(tmp_path).find("A.png")
    write_image(tmp_path / "A.jpg", np.random.default_rng(0).integers(0, 255, GREY.shape, np.uint8))
    kept = (name, palette) == ("A.png", "RGB")
    assert PhotographFolder(tmp_path).find("A.png") == tmp_path / (name if kept else "A.jpg")


def test_what_has_few_values_is_a_mask_and_what_is_even_or_unreadable_is_none(tmp_path: Path) -> None:
    black, noise = np.zeros(SIZE, np.uint8), np.random.default_rng(0).integers(0, 255, SIZE, np.uint8)
    for name, values in (("black", black), ("noise", noise), ("even", black + 90), ("black colours", GREY * 0)):
        Pillow.fromarray(values).save(tmp_path / f"{name}.png")
    (tmp_path / "text.png").write_text("no image")
    names = ("black", "noise", "even", "black colours", "text", "none")
    assert [name for name in names if is_mask(tmp_path / f"{name}.png")] == ["black"]


@pytest.mark.parametrize("name", ["coco", "cvat", "via"])
def test_each_folder_has_photographs_of_its_own_by_the_same_names(tmp_path: Path, name: str) -> None:
    files = {"coco": "a.json", "cvat": "a.xml", "via": "a.csv"}
    photographs(tmp_path, "left.png", "p1/left.png", "p2/left.png")
    for folder in ("p1", "p2"):
        write_annotations(
            [drawn("left.png")], tmp_path / folder / files[name], to=name, images=tmp_path / folder, approximate=True
        )
    options = ReadOptions(images=tmp_path)
    found, report = read_all(annotation_files(tmp_path), options, tmp_path)
    assert [one.image for _, one in found] == ["p1/left.png", "p2/left.png"]
    assert report.notes == ()
    [alone] = read_all([tmp_path / "p2" / files[name]], options)[0]
    assert alone[1].image == "p2/left.png"
    made = convert(tmp_path, tmp_path / "all.json", to="coco", images=tmp_path, approximate=True)
    assert made.photographs == 2


def test_a_drawing_in_a_folder_is_of_the_photograph_beside_it_and_of_no_other(tmp_path: Path) -> None:
    photographs(tmp_path, "A.png", "sub/A.png")
    write_annotations([drawn("A.png")], tmp_path / "sub" / "a.xml", to="cvat")
    assert read_drawn(tmp_path / "sub" / "A.png", tmp_path / "sub" / "a.xml")[1].marks
    with pytest.raises(AnnotationError, match=r"it is of sub/A\.png, not of .*A\.png; give that photograph"):
        read_drawn(tmp_path / "A.png", tmp_path / "sub" / "a.xml")


def test_a_link_to_a_drawing_is_of_the_photograph_beside_the_link(tmp_path: Path) -> None:
    photographs(tmp_path / "p", "A.png", "sub/A.png")
    write_annotations([drawn("A.png")], tmp_path / "kept" / "a.xml", to="cvat")
    (tmp_path / "p" / "sub" / "a.xml").symlink_to(tmp_path / "kept" / "a.xml")
    [(_, one)] = read_all(annotation_files(tmp_path / "p"), ReadOptions(images=tmp_path / "p"), tmp_path / "p")[0]
    assert one.image == "sub/A.png"


def test_the_drawing_of_a_photograph_is_found_in_a_folder_of_files(tmp_path: Path) -> None:
    photographs(tmp_path, "A.png", "B.png")
    for name, x in (("A", 30), ("B", 60)):
        write_annotations([drawn(f"{name}.png", x)], tmp_path / "drawn" / f"{name}.json")
    [mark] = read_drawn(tmp_path / "B.png", tmp_path / "drawn")[1].marks
    assert mark.shape.cx == 60
    assert len(read_annotations(tmp_path / "drawn").annotations) == 2


def test_nobody_is_chosen_where_nobody_is_named_and_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder, x in (("anna", 30), ("ben", 60)):
        write_annotations([drawn("A.png", x)], tmp_path / folder / "a.xml", to="cvat")
    with pytest.raises(AnnotationError, match=r"no annotation by 'anna'; nobody is named in the files"):
        read_all(annotation_files(tmp_path), ReadOptions(annotator="anna"), tmp_path)
    said: list[str] = []
    with pytest.raises(AnnotationError, match="what was left out is named above"):
        convert(tmp_path, tmp_path / "all.json", to="coco", approximate=True, on_left_out=said.append)
    assert "anna/a.xml, " in said[0]
    assert "ben/a.xml)" in said[0]


@pytest.mark.parametrize("other", ["EYE_SCAN 1.JPG", "0a1b2c3d-eye_scan_1.jpg"])
def test_a_drawing_of_the_same_photograph_under_another_name_is_named(tmp_path: Path, other: str) -> None:
    photographs(tmp_path / "p1", "eye_scan 1.jpg")
    export = tmp_path / "annotations.json"
    drawings = [drawn("eye_scan 1.jpg"), drawn(other, 60), drawn("p2/eye_scan 1.jpg")]
    write_annotations(drawings, export, to="coco", approximate=True)
    photograph = tmp_path / "p1" / "eye_scan 1.jpg"
    _, annotation, report = read_drawn(photograph, export)
    assert annotation.image == "eye_scan 1.jpg"
    assert f"{export}: eye_scan 1.jpg is taken, and not what was drawn under the name {other}." in report.notes
    photographs(tmp_path / "p1", other)
    assert not any("is taken" in note for note in read_drawn(photograph, export)[2].notes)


def test_a_drawing_that_names_another_folder_is_refused_where_that_is_there_and_said_where_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photographs(tmp_path, "p/mueller/001.png", "p/schmidt/001.png")
    one, both = tmp_path / "one.xml", tmp_path / "both.xml"
    write_annotations([drawn("mueller/001.png")], one, to="cvat")
    write_annotations([drawn("mueller/001.png"), drawn("schmidt/001.png", 60)], both, to="cvat")
    monkeypatch.chdir(tmp_path / "p/schmidt")
    with pytest.raises(AnnotationError, match=r"it is of mueller/001\.png, not of schmidt/001\.png; give that"):
        read_drawn("001.png", one)
    [mark] = read_drawn("001.png", both)[1].marks
    assert mark.shape.cx == 60
    (tmp_path / "p/mueller/001.png").unlink()
    _, annotation, report = read_drawn("001.png", one)
    assert annotation.marks
    assert report.notes == (
        f"{one}: drawn on a photograph called mueller/001.png, which schmidt/001.png is taken for.",
    )
    assert read_drawn("001.png", one, ignore_name=True)[2].notes == ()


def test_names_of_several_folders_are_said_where_none_is_the_photograph_s(tmp_path: Path) -> None:
    photographs(tmp_path, "schmidt/001.png")
    write_annotations([drawn("mueller/001.png"), drawn("huber/001.png")], tmp_path / "a.xml", to="cvat")
    with pytest.raises(AnnotationError, match=r"2 annotations of 001\.png \(mueller/001\.png and huber/001\.png\)"):
        read_drawn(tmp_path / "schmidt/001.png", tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("name", "files", "said"),
    [
        ("mueller/left.png", ("schmidt/left.png", "mueller/right.png"), "lies in another folder than the annotation"),
        ("mueller/od/left.png", ("schmidt/od/left.png", "mueller/x.png"), "lies in another folder than the annotation"),
        ("links/a.png", ("rechts/a.png",), "rechts/a.png is of another number, eye or light"),
        ("mueller/left.png", ("mueller/2024/left.png",), ""),
        ("task/left.png", ("photos/left.png",), ""),
        ("photos/left.png", ("left.png", "photos/right.png"), ""),
    ],
)
def test_a_photograph_in_another_folder_is_none_where_its_own_folder_is_there(
    tmp_path: Path, name: str, files: tuple[str, ...], said: str
) -> None:
    photographs(tmp_path, *files)
    if said:
        with pytest.raises(ImageError, match=f"no such file, and .*{said}"):
            PhotographFolder(tmp_path).find(name)
    else:
        assert PhotographFolder(tmp_path).find(name) == tmp_path / files[0]


def test_names_without_a_suffix_of_an_image_keep_what_follows_their_dots() -> None:
    names = ("1.2.840.113.1", "1.2.840.113.2", "p/2024.01.05 mueller", "a.JPG", "frame_1")
    assert [stem_of(name) for name in names] == [*names[:3], "a", "frame_1"]


def test_only_the_first_few_names_without_a_file_get_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "left_00.png").write_bytes(b"")
    folder = PhotographFolder(tmp_path)
    said = []
    for number in range(40):
        with pytest.raises(ImageError, match="no such file; check the path") as error:
            folder.beside("a").find(f"lift_{number:02}.png")
        said.append("did you mean 'left_00.png'?" in str(error.value))
    assert said[0]
    assert sum(said) < len(said)
    assert said == sorted(said, reverse=True)
