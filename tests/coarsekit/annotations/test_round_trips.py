"""Every writable format gives back what was written: shapes, classes, names and sizes."""

import json
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import coarsekit.annotations
from coarsekit.annotations import FORMATS, format_named, read_annotations, recognise, writable_formats
from coarsekit.annotations.details import not_held
from coarsekit.annotations.documents import load
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw, is_flat, places_of, reach_of
from coarsekit.types import KINDS, Annotation, Ellipse, Line, Mark, Point, Polygon, Raster, Shape, sized

WIDTH, HEIGHT = 200, 150
HOLDS = {
    "native": {"ellipse", "polygon", "rings", "raster", "raster outside", "point", "click", "line", "stroke"},
    "cvat": {"ellipse", "polygon", "raster", "point", "line"},
    "labelstudio": {"ellipse", "polygon", "raster", "point", "click", "line"},
    "via": {"ellipse", "polygon", "point", "line"},
    "labelme": {"circle", "polygon", "raster", "point", "line"},
    "coco": {"polygon", "rings", "raster", "point"},
}
"""What each format holds as it is; a test below says that there is no other writable one."""

places = st.floats(-60, 260)
ellipses = st.builds(Ellipse, places, places, st.floats(0.5, 90), st.floats(0.5, 90), st.floats(-720, 720))
circles = st.builds(lambda x, y, r: Ellipse(x, y, r, r), places, places, st.floats(0.5, 90))
rings = st.lists(st.tuples(places, places), min_size=3, max_size=7)
crops = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32), st.sampled_from([0.3, 0.8, 1.0]))


def raster(left: int, top: int, crop: tuple[int, int, int, float]) -> Raster:
    height, width, seed, density = crop
    pixels = np.random.default_rng(seed).random((height, width)) < density
    pixels[0, 0] = True
    return Raster(left, top, pixels)


SHAPES = {
    "ellipse": ellipses,
    "circle": circles,
    "polygon": st.builds(lambda ring: Polygon((ring,)), rings),
    "rings": st.builds(Polygon, st.lists(rings, min_size=2, max_size=3)),
    "raster": st.builds(raster, st.integers(0, WIDTH - 9), st.integers(0, HEIGHT - 9), crops),
    "point": st.builds(Point, places, places),
    "click": st.builds(Point, places, places, st.floats(0.5, 90)),
    "line": st.builds(Line, st.lists(st.tuples(places, places), min_size=2, max_size=7)),
    "stroke": st.builds(Line, st.lists(st.tuples(places, places), min_size=2, max_size=7), st.floats(0.5, 40)),
    "raster outside": st.builds(raster, st.integers(-20, 300), st.integers(-20, 300), crops),
}
lesions = st.sampled_from(["MA", "laser scars", "Drüsen & Co.", "a 'quoted', one"])


def annotations(kinds: set[str]) -> st.SearchStrategy[Annotation]:
    shapes = st.one_of([SHAPES[kind] for kind in sorted(kinds)]).filter(lambda shape: not is_flat(shape))
    marks = st.lists(st.builds(Mark, lesions, shapes), min_size=1, max_size=8).map(tuple)
    # Files list photographs under their names; the native one lists shapes by kind.
    ordered = marks.map(lambda each: tuple(sorted(each, key=lambda mark: list(KINDS).index(type(mark.shape)))))
    return st.builds(Annotation, st.sampled_from(["p.jpg", "left eye é.png"]), st.just(WIDTH), st.just(HEIGHT), ordered)


def assert_same(before: Shape, after: Shape) -> None:
    assert type(before) is type(after)
    if isinstance(before, Ellipse):
        for name in ("cx", "cy", "rx", "ry"):
            assert getattr(after, name) == pytest.approx(getattr(before, name), abs=0.01)
        if before.rx != before.ry:
            turned = (after.angle - before.angle + 90) % 180 - 90
            assert abs(turned) < 0.01
    elif isinstance(before, Polygon):
        assert [len(ring) for ring in before.rings] == [len(ring) for ring in after.rings]
        for one, other in zip(before.rings, after.rings, strict=True):
            assert np.allclose(one, other, atol=1e-6)
    elif isinstance(before, Point):
        assert (after.x, after.y) == pytest.approx((before.x, before.y), abs=1e-6)
        assert after.radius == (before.radius and pytest.approx(before.radius))
    elif isinstance(before, Line):
        assert np.allclose(before.places, after.places, atol=1e-6)
        assert before.width == after.width
    else:
        assert before == after


def assert_drawn_alike(before: Shape, after: Shape) -> None:
    differing = np.argwhere(draw([before], (HEIGHT, WIDTH)) != draw([after], (HEIGHT, WIDTH)))
    if isinstance(before, Ellipse) and len(differing):
        inner, outer = (
            draw([Ellipse(before.cx, before.cy, before.rx + by, before.ry + by, before.angle)], (HEIGHT, WIDTH))
            for by in (-0.02, 0.02)
        )
        rim = outer & ~inner
        assert all(rim[y, x] for y, x in differing)
    elif isinstance(before, Polygon):
        edges = [edge for ring in before.rings for edge in zip(ring, ring[1:] + ring[:1], strict=True)]
        assert all(min(distance(place[::-1] + 0.5, edge) for edge in edges) < 1e-6 for place in differing)
    elif isinstance(before, (Point, Line)):
        places = [*places_of(before), places_of(before)[-1]]
        for place in differing:
            near = min(distance(place[::-1] + 0.5, edge) for edge in pairwise(places))
            assert abs(near - reach_of(before)) < 1e-6
    else:
        assert not len(differing)


def distance(point: np.ndarray, edge: tuple[tuple[float, float], tuple[float, float]]) -> float:
    start, along = np.array(edge[0]), np.array(edge[1]) - edge[0]
    share = np.clip((point - start) @ along / max(along @ along, 1e-300), 0, 1)
    return float(np.hypot(*(point - start - share * along)))


def test_the_formats_that_can_be_written_are_these() -> None:
    assert writable_formats() == tuple(sorted(HOLDS))
    assert set(FORMATS) - set(HOLDS) == {"diaretdb1", "roc", "via3"}


@pytest.mark.parametrize("name", sorted(HOLDS))
def test_what_was_written_comes_back(name: str) -> None:
    target = format_named(name)

    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(annotations(HOLDS[name]))
    def round_trip(annotation: Annotation) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "annotation.json"
            assert target.write(path, [annotation]) == []
            document = load(path)
            assert recognise(document) == name
            assert [other for other in FORMATS if format_named(other).recognise(document)] == [name]
            [back] = target.read(document, ReadOptions(size=(WIDTH, HEIGHT))).annotations
        assert (back.image, back.width, back.height) == (annotation.image, WIDTH, HEIGHT)
        assert [mark.lesion for mark in back.marks] == [mark.lesion for mark in annotation.marks]
        for before, after in zip(annotation.marks, back.marks, strict=True):
            assert_same(before.shape, after.shape)
            assert_drawn_alike(before.shape, after.shape)

    round_trip()


@pytest.mark.parametrize("name", sorted(HOLDS))
def test_several_photographs_keep_their_marks(name: str, tmp_path) -> None:
    marks = [Mark("MA", Ellipse(50, 40, 9, 9)), Mark("EX", Polygon((((1, 1), (9, 1), (5, 8)),)))]
    written = [Annotation(f"{key}.jpg", WIDTH, HEIGHT, tuple(marks[: key + 1])) for key in range(2)]
    target = format_named(name)
    out = tmp_path / ("folder" if target.ONE_FILE_EACH else "file.json")
    assert bool(target.write(out, written, approximate=True)) == (name == "coco")
    files = sorted(out.iterdir()) if out.is_dir() else [out]
    back = [a for file in files for a in read_annotations(file, ReadOptions(size=(WIDTH, HEIGHT))).annotations]
    assert [(a.image, a.lesions, len(a.marks)) for a in back] == [("0.jpg", ("MA",), 1), ("1.jpg", ("MA", "EX"), 2)]


TRICKY = {
    "an ellipse": Ellipse(90.25, 70.5, 40, 22, 33),
    "several rings": Polygon((((10, 10), (60, 12), (40, 60)), ((50, 20), (90, 20), (90, 70), (50, 70)))),
    "a mask": Raster(20, 30, np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]], bool)),
    "a line": Line(((20, 30), (60, 40), (90, 120))),
    "a point": Point(60.5, 70),
    "a mask over the edge": Raster(WIDTH - 2, 30, np.ones((3, 4), bool)),
}


@pytest.mark.parametrize("shape", TRICKY.values(), ids=TRICKY)
@pytest.mark.parametrize("name", sorted(HOLDS))
def test_what_a_format_cannot_hold_is_an_error_or_a_named_approximation(name: str, shape: Shape, tmp_path) -> None:
    annotation = Annotation("p.jpg", WIDTH, HEIGHT, (Mark("HE", shape),))
    target, path = format_named(name), tmp_path / "p.json"
    refusal = ""
    try:
        notes = target.write(path, [annotation])
    except AnnotationError as error:
        refusal, notes = str(error), target.write(path, [annotation], approximate=True)
    assert not refusal or (refusal.startswith("p.jpg: ") and "approximate=True" in refusal)
    assert [note.startswith("p.jpg: 1 × ") for note in notes] == [True] * bool(refusal)
    [back] = target.read(path, ReadOptions(size=(WIDTH, HEIGHT))).annotations
    assert back.lesions == ("HE",)
    before, after = (draw(each.of("HE"), (HEIGHT, WIDTH)) for each in (annotation, back))
    strayed = np.count_nonzero(before != after)
    assert strayed <= (0.01 * np.count_nonzero(before) if isinstance(shape, Ellipse) else 0)
    assert np.count_nonzero(before) == pytest.approx(np.count_nonzero(after), rel=0.005)


@pytest.mark.parametrize("name", ["cvat", "coco", "labelme", "labelstudio"])
def test_a_mask_outside_the_photograph_is_never_written(name: str, tmp_path) -> None:
    annotation = Annotation("p.jpg", WIDTH, HEIGHT, (Mark("HE", Raster(WIDTH + 5, 3, np.ones((2, 2), bool))),))
    with pytest.raises(AnnotationError, match=r"p\.jpg: mark 0 \(HE\) lies outside"):
        format_named(name).write(tmp_path / "p.json", [annotation], approximate=True)


@pytest.mark.parametrize("name", sorted(HOLDS))
def test_sizes_that_a_format_cannot_hold_are_named(name: str) -> None:
    marks = (Mark("MA", Point(5, 6, 2)), Mark("MA", Point(5, 6, 3)), Mark("HE", Line(((1, 2), (5, 6)), 4)))
    target, held = format_named(name), {"click": "radius", "stroke": "width"}
    lost = not_held([Annotation("p.jpg", WIDTH, HEIGHT, marks)], target.TITLE, target.HOLDS)
    said = {"radius": "the radii of 2 regions", "width": "the widths of 1 region"}
    expected = {said[size] for kind, size in held.items() if kind not in HOLDS[name]}
    assert {sentence.partition("cannot hold ")[2] for sentence in lost} == expected


def test_a_line_that_coco_cannot_hold_gets_the_pixels_of_its_stroke(tmp_path) -> None:
    line = Line(((20, 30), (60, 40), (90, 120)))
    annotation, path = Annotation("p.jpg", WIDTH, HEIGHT, (Mark("HE", line),)), tmp_path / "p.json"
    notes = format_named("coco").write(path, [annotation], approximate=True)
    assert notes == ["p.jpg: 1 × its pixels on the photograph for a line"]
    [back] = read_annotations(path).annotations
    assert np.array_equal(draw(back.of("HE"), (HEIGHT, WIDTH)), draw([sized(line, WIDTH)], (HEIGHT, WIDTH)))


def test_key_points_of_coco_are_points_unless_they_stand_beside_a_segmentation(tmp_path) -> None:
    person = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 50, "bbox": [2, 3, 6, 8]}
    places = {"keypoints": [2, 3, 2, 0, 0, 0, 8, 11, 1], "num_keypoints": 2}
    ring = [[2, 3, 8, 3, 8, 11]]
    content = {
        "images": [{"id": 1, "file_name": "p.jpg", "width": WIDTH, "height": HEIGHT}],
        "annotations": [
            person | places,
            person | places | {"id": 2, "segmentation": []},
            person | places | {"id": 3, "segmentation": ring},
            person | {"id": 4, "keypoints": [0, 0, 0], "num_keypoints": 0},
            person | {"id": 5, "keypoints": [1, 2], "num_keypoints": 1},
        ],
        "categories": [{"id": 1, "name": "MA", "keypoints": ["a", "b", "c"], "skeleton": []}],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content))
    [annotation], report = read_annotations(path)
    polygon = Polygon((((2, 3), (8, 3), (8, 11)),))
    assert [mark.shape for mark in annotation.marks] == [*[Point(2, 3), Point(8, 11)] * 2, polygon]
    assert annotation.marks[-1].details["coco"]["keypoints"] == places["keypoints"]
    assert [text.partition("annotations.")[2] for text in report.left_out] == [
        "3: none of its keypoints is visible",
        "4: keypoints must hold x, y and visibility in turn; correct them",
    ]


CVAT_ATTRIBUTE = """<annotations><version>1.1</version>
<meta><task><labels>
<label><name>lesion</name><attributes><attribute><name>grade</name></attribute></attributes></label>
</labels></task></meta>
<image name="p.jpg" width="200" height="150">
<polygon label="lesion" points="1,1;9,1;5,8"><attribute name="grade">red</attribute></polygon>
<polygon label="lesion" points="11,1;19,1;15,8"><attribute name="grade">HE</attribute></polygon>
</image></annotations>"""
COCO_ATTRIBUTE = {
    "images": [{"id": 1, "file_name": "p.jpg", "width": WIDTH, "height": HEIGHT}],
    "annotations": [
        {"id": place, "image_id": 1, "category_id": 1, "bbox": [place, 1, 9, 9], "attributes": {"grade": grade}}
        for place, grade in enumerate(("red", "HE"), start=1)
    ],
    "categories": [{"id": 1, "name": "lesion"}],
}


@pytest.mark.parametrize("through_native", [False, True])
@pytest.mark.parametrize(("name", "other"), [("cvat", "coco"), ("coco", "cvat")])
def test_the_label_beside_the_attribute_that_holds_the_class_goes_back(name, other, through_native, tmp_path) -> None:
    source, back, elsewhere = (tmp_path / each for each in ("a.json", "b.json", "c.json"))
    source.write_text(CVAT_ATTRIBUTE if name == "cvat" else json.dumps(COCO_ATTRIBUTE))
    told = ReadOptions({"red": "MA"}, label_attribute="Grade")
    read = read_annotations(source, told).annotations
    if through_native:
        format_named("native").write(tmp_path / "native.json", read)
        read, report = read_annotations(tmp_path / "native.json")
        assert report.all_notes(ReadOptions()) == []
    assert read[0].lesions == ("MA", "HE")
    format_named(name).write(back, read)
    [annotation] = read_annotations(back).annotations
    assert [mark.lesion for mark in annotation.marks] == ["lesion", "lesion"]
    assert [mark.details["attributes"] for mark in annotation.marks] == [{"grade": "red"}, {"grade": "HE"}]
    assert read_annotations(back, told).annotations[0].lesions == ("MA", "HE")
    # In a tool that does not have the label it is the class.
    format_named(other).write(elsewhere, read)
    assert read_annotations(elsewhere).annotations[0].lesions == ("MA", "HE")
    if name == "cvat":
        assert back.read_text().count("<name>") == 2, "a label that the task does not have"


@pytest.mark.parametrize("name", ["labelme", "labelstudio"])
def test_in_labelme_and_label_studio_too(name: str, tmp_path) -> None:
    told = ReadOptions(label_attribute="Grade")
    corners = [[2.0, 3.0], [18.0, 3.0], [10.0, 30.0]]
    if name == "labelme":
        shape = {"label": "lesion", "points": corners, "shape_type": "polygon", "grade": "HE"}
        content: object = {"shapes": [shape], "imagePath": "p.jpg", "imageWidth": WIDTH, "imageHeight": HEIGHT}
    else:
        size = {"original_width": WIDTH, "original_height": HEIGHT}
        shape = {"id": "r", "type": "polygonlabels", "value": {"points": corners, "polygonlabels": ["lesion"]}}
        answer = {"id": "r", "type": "choices", "from_name": "grade", "value": {"choices": ["HE"]}}
        results = [{**size, "from_name": "polygon", "to_name": "image", **shape}, answer]
        content = [{"data": {"image": "p.jpg"}, "annotations": [{"result": results}]}]
    (tmp_path / "a.json").write_text(json.dumps(content))
    read = read_annotations(tmp_path / "a.json", told).annotations
    assert read[0].lesions == ("HE",)
    format_named(name).write(tmp_path / "b.json", read)
    assert read_annotations(tmp_path / "b.json").annotations[0].lesions == ("lesion",)
    assert read_annotations(tmp_path / "b.json", told).annotations[0].lesions == ("HE",)


def test_via_writes_a_table_too(tmp_path) -> None:
    marks = (Mark("MA", Ellipse(50.5, 40, 9, 7, 12)), Mark("a, 'b'", Polygon((((1, 1), (9, 1), (5, 8.25)),))))
    annotation = Annotation("p, q.jpg", WIDTH, HEIGHT, marks)
    via = format_named("via")
    via.write(tmp_path / "via.csv", [annotation, Annotation("empty.jpg", WIDTH, HEIGHT)])
    back, empty = read_annotations(tmp_path / "via.csv", ReadOptions(size=(WIDTH, HEIGHT))).annotations
    assert (empty.image, empty.marks) == ("empty.jpg", ())
    assert (back.image, back.lesions) == ("p, q.jpg", annotation.lesions)
    for before, after in zip(marks, back.marks, strict=True):
        assert_same(before.shape, after.shape)


def test_no_format_is_forgotten_in_the_list() -> None:
    files = {
        path.stem
        for path in Path(coarsekit.annotations.__file__).parent.glob("*.py")
        if "\nTITLE = " in path.read_text()
    }
    assert files == set(FORMATS)
