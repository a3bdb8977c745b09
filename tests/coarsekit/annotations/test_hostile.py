"""Files that are damaged, hostile or of another kind: each is one sentence, never a traceback."""

import copy
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coarsekit.annotations import FORMATS, format_named, native, read_annotation, read_annotations
from coarsekit.annotations.documents import Document
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.geometry import draw
from coarsekit.types import Annotation, Ellipse, Mark, Polygon, Raster

SIZE = (200, 150)
NUMBERS = [-1, 0, 3, 2.5, 1e308, 10**400, float("nan"), float("inf"), True]
TEXTS = ["", "x", "../../etc/passwd", "a/b", "9" * 30, "🙂", "\x00"]
JUNK = st.sampled_from([None, *NUMBERS, *TEXTS, [], [[]], [1], [1, 2, 3, 4, 5], {}, {"a": 1}])
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 9))


def written(name: str) -> Annotation:
    curves = [Ellipse(50, 40, 9, 9), Ellipse(60, 40, 12, 9, 20)]
    others = [Polygon((((1, 1), (9, 1), (5, 8)),)), Raster(3, 4, np.ones((2, 3), bool))]
    return Annotation("p.jpg", *SIZE, tuple(Mark("MA", shape) for shape in (*curves, *others)))


def every_place(content: object, path: tuple = ()) -> list[tuple]:
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [path, *(place for key, item in items for place in every_place(item, (*path, key)))]


def damaged(content: object, place: tuple, junk: object) -> object:
    if not place:
        return junk
    content = copy.deepcopy(content)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    return content


def read_or_refuse(name: str, document: Document) -> None:
    sentence = str(document.path)
    try:
        for annotation in format_named(name).read(document, ReadOptions(size=SIZE)).annotations:
            # What was read can be drawn and written.
            assert draw((mark.shape for mark in annotation.marks), SIZE).shape == SIZE
            assert native.dumps(annotation)
    except AnnotationError as error:
        sentence = str(error)
    assert sentence.startswith(str(document.path)), sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ["native", "labelstudio", "via", "labelme", "coco"])
def test_any_damage_to_json_is_read_or_refused_with_one_sentence(name: str, tmp_path) -> None:
    path = tmp_path / "a.json"
    format_named(name).write(path, [written(name)], approximate=True)
    content = json.loads(path.read_text())
    found = every_place(content)
    # Of the many equal numbers in lists a few will do.
    places = [place for place in found if not (place and isinstance(place[-1], int) and place[-1] > 2)]

    @settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(places), JUNK)
    def damage(place: tuple, junk: object) -> None:
        read_or_refuse(name, Document(path, "json", damaged(content, place, junk)))

    damage()


@pytest.mark.parametrize("name", ["cvat", "diaretdb1"])
def test_any_damage_to_xml_is_read_or_refused_with_one_sentence(name: str, tmp_path) -> None:
    from defusedxml import ElementTree

    path = tmp_path / "a.xml"
    if name == "cvat":
        format_named(name).write(path, [written(name)])
    else:
        path.write_text(
            "<imgannotooldata><markinglist><marking><ellipseregion><centroid><coords2d>3,4</coords2d></centroid>"
            '<radius direction="x">3</radius><radius direction="y">2</radius><angle>3</angle></ellipseregion>'
            "<markingtype>Disc</markingtype></marking><marking><polygonregion><coords2d>1,2</coords2d></polygonregion>"
            "<markingtype>Disc</markingtype></marking></markinglist></imgannotooldata>"
        )
    texts = ["", "x", "nan", "1e999", "-1", "0", "1,2", "1;2", "../x", "9" * 400, "a/b", "1.5"]

    @settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 1000), st.integers(0, 1000), st.sampled_from(texts), st.sampled_from("atxd"))
    def damage(place: int, field: int, text: str, kind: str) -> None:
        root = ElementTree.fromstring(path.read_text())
        elements = list(root.iter())
        element = elements[place % len(elements)]
        fields = sorted(element.attrib)
        if kind == "a" and fields:
            element.set(fields[field % len(fields)], text)
        elif kind == "d" and fields:
            del element.attrib[fields[field % len(fields)]]
        elif kind == "t":
            element.text = text
        else:
            element.clear()
        read_or_refuse(name, Document(path, "xml", root))

    damage()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("content", [[], {}, [1], {"a": [None]}, [[]], "text", [{}], {"annotations": 3, "images": 4}])
def test_every_format_refuses_other_json(name: str, content: object, tmp_path) -> None:
    with pytest.raises(AnnotationError):
        format_named(name).read(Document(tmp_path / "x.json", "json", content))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_that_a_file_is_missing(name: str, tmp_path) -> None:
    with pytest.raises(AnnotationError, match="no such file"):
        format_named(name).read(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><annotations>&l8;</annotations>', "not XML"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations>&x;</annotations>', "not XML"),
        ("<annotations><version>1.1</version>", "not XML"),
        ("<html></html>", "not an annotation in a format that is known"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": ' + "9" * 10_000 + "}", "not JSON"),
        ("", "is empty"),
        ("a,b\n1,2\n", "not an annotation in a format that is known"),
        ({"hello": "world"}, "not an annotation in a format that is known"),
        (b"\xff\xd8\xff\xe0 JFIF", "cannot be read"),
        (b"\x00\x01", "holds bytes that are no text"),
    ],
)
def test_files_of_no_known_format_are_refused(refused, content: object, said: str) -> None:
    assert said in refused("a.txt", content)


HOSTILE = "../../../etc/cron.d/x.jpg"
NAMED = {
    "native": {"image": {"name": HOSTILE, "width": 9, "height": 9}, "ellipses": []},
    "native, absolute": {"image": {"name": "/etc/x.jpg", "width": 9, "height": 9}, "ellipses": []},
    "native, a drive": {"image": {"name": "C:\\x.jpg", "width": 9, "height": 9}, "ellipses": []},
    "cvat": f'<annotations><version>1.1</version><image name="{HOSTILE}" width="9" height="9"/></annotations>',
    "labelstudio": [{"data": {"image": HOSTILE}, "annotations": [{"result": []}]}],
    "labelstudio, local files": [{"data": {"image": "/data/local-files/?d=../x.jpg"}, "annotations": [{"result": []}]}],
    "via": {"k": {"filename": HOSTILE, "regions": []}},
    "via, windows": {"k": {"filename": "..\\x.jpg", "regions": []}},
    "labelme": {"shapes": [], "imagePath": HOSTILE, "imageWidth": 9, "imageHeight": 9},
    "coco": {"images": [{"id": 1, "file_name": HOSTILE, "width": 9, "height": 9}], "annotations": []},
    "diaretdb1": f"<a><imgname>{HOSTILE}</imgname><markinglist/></a>",
}


@pytest.mark.parametrize("name", NAMED)
def test_names_that_climb_out_of_their_folder_stay_below_it_or_are_refused(put, refused, name: str) -> None:
    content = NAMED[name]
    if name.startswith("native"):
        assert "expected the file name of a photograph" in refused("a.json", content)
        return
    [annotation] = read_annotations(put("a.json", content), ReadOptions(size=(9, 9))).annotations
    assert annotation.image in ("x.jpg", "etc/cron.d/x.jpg")


def test_a_mask_that_claims_a_universe_is_refused_before_memory_is_asked_for(refused) -> None:
    huge = 10**9
    mask = f'<mask label="MA" left="0" top="0" width="{huge}" height="{huge}" rle="{huge**2}"/>'
    said = refused(
        "a.xml", f'<annotations><version>1.1</version><image name="p" width="9" height="9">{mask}</image></annotations>'
    )
    assert "more than any photograph has" in said
    huge = 10**6
    image = {"id": 1, "file_name": "p.jpg", "width": huge, "height": huge}
    region = {"image_id": 1, "category_id": 1, "segmentation": {"size": [huge, huge], "counts": [0, huge**2]}}
    file = {"images": [image], "annotations": [region], "categories": [{"id": 1, "name": "MA"}]}
    assert "which no camera takes" in refused("a.json", file)


def test_unknown_formats_are_named(tmp_path) -> None:
    with pytest.raises(ParameterError, match="did you mean 'cvat'"):
        format_named("cvta")


def test_one_photograph_is_chosen_by_its_name(tmp_path) -> None:
    path = tmp_path / "a.xml"
    photographs = [Annotation(f"{key}.jpg", *SIZE) for key in "abcd"]
    format_named("cvat").write(path, [*photographs, photographs[0]])
    assert len(read_annotations(path).annotations) == 5
    assert read_annotation(path, "folder/b.jpg").image == "b.jpg"
    for photograph, said in [
        (None, "say which"),
        ("a.jpg", "2 annotations of a.jpg"),
        ("bb.jpg", "did you mean 'b.jpg'"),
    ]:
        with pytest.raises(AnnotationError, match=said):
            read_annotation(path, photograph)


def test_a_mark_outside_its_photograph_is_named_by_kind_and_place(tmp_path) -> None:
    marks = [Mark("MA", Ellipse(9, 9, 2, 2)), Mark("MA", Polygon((((300, 1), (310, 1), (305, 8)),)))]
    path = Path(tmp_path) / "a.json"
    format_named("native").write(path, [Annotation("p.jpg", *SIZE, tuple(marks))])
    with pytest.raises(AnnotationError, match=r"polygons\.0 lies wholly outside .* \(its centre is 305, 4\.5\)"):
        read_annotation(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_xml_says_itself_how_it_is_encoded(put, encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<annotations><version>1.1</version>'
    text += '<image name="Auge für.jpg" width="9" height="9"/></annotations>\n'
    [annotation] = read_annotations(put("a.xml", text.encode(encoding))).annotations
    assert annotation.image == "Auge für.jpg"


@pytest.mark.parametrize(
    ("declared", "encoding"), [("utf-8", "utf-16"), ("iso-8859-1", "utf-16"), ("utf-16", "utf-8-sig")]
)
def test_xml_that_an_editor_saved_is_read_by_the_mark_in_front(put, declared: str, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<annotations><version>1.1</version>'
    text += '<image name="Auge für.jpg" width="9" height="9"/></annotations>\n'
    [annotation] = read_annotations(put("a.xml", text.encode(encoding))).annotations
    assert annotation.image == "Auge für.jpg"


def test_xml_in_utf_16_may_define_no_entities(put) -> None:
    text = '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>'
    with pytest.raises(AnnotationError, match="not XML that can be read"):
        read_annotations(put("a.xml", text.encode("utf-16")))


def test_writing_is_whole_or_not_at_all() -> None:
    with TemporaryDirectory() as folder:
        ellipse = Mark("MA", Ellipse(9, 9, 4, 2))
        both = [Annotation("a.jpg", *SIZE), Annotation("b.jpg", *SIZE, (ellipse,))]
        with pytest.raises(AnnotationError, match="LabelMe cannot hold"):
            format_named("labelme").write(Path(folder) / "out", both)
        assert list(Path(folder).iterdir()) == []
        with pytest.raises(AnnotationError, match="two photographs"):
            format_named("native").write(Path(folder) / "out", [both[0], Annotation("a.png", *SIZE)])
        with pytest.raises(AnnotationError, match="name a folder"):
            format_named("native").write(Path(folder) / "out.json", both)
