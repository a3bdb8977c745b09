"""Ten photographs from CVAT and back into each tool: nothing that was said is lost, and the pixels are the masks."""

import json
from pathlib import Path
from xml.etree import ElementTree as Tree

import numpy as np
import pytest
from PIL import Image as Pillow
from pycocotools.coco import COCO

import zoo
from coarsekit.annotations import annotation_files, read_all
from coarsekit.annotations.reading import ReadOptions
from coarsekit.geometry import draw
from coarsekit.images import read_mask
from coarsekit.types import Mask
from zoo.output.tool_files import ToolOptions

WIDTH, HEIGHT, COUNT = 200, 150, 10
LABELS = {"Microaneurysm": "#fa3253", "Hemorrhage": "#33ddff", "Optic cup": "#b83df5"}
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>7</id><name>eyes</name><labels>
{labels}</labels></task></meta>
{images}</annotations>
"""
LABEL = """<label><name>{name}</name><color>{color}</color><type>any</type><attributes><attribute><name>sure</name>
<mutable>False</mutable><input_type>checkbox</input_type><default_value>true</default_value><values></values></attribute>
</attributes></label>
"""
IMAGE = """<image id="{place}" name="visit {visit}/eye_{place}.png" width="{width}" height="{height}">
<ellipse label="Microaneurysm" source="manual" occluded="0" cx="{x}" cy="40.5" rx="12.5" ry="8" rotation="{turn}"
 group_id="{place}" z_order="0"><attribute name="sure">false</attribute></ellipse>
<ellipse label="Hemorrhage" source="manual" occluded="0" cx="120" cy="90" rx="25" ry="14" rotation="35" z_order="0">
<attribute name="sure">true</attribute></ellipse>
<polyline label="Hemorrhage" source="manual" occluded="0" points="20,110;45,118;70,112" z_order="0">
<attribute name="sure">true</attribute></polyline>
<tag label="Optic cup" source="manual"><attribute name="sure">true</attribute></tag>
</image>
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of all formats at once."""
    work = tmp_path_factory.mktemp("day")
    rng = np.random.default_rng(0)
    images = ""
    for place in range(COUNT):
        photograph = work / "photographs" / f"visit {place % 2}" / f"eye_{place}.png"
        photograph.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(60, 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        pixels[35:46, 30 + 10 * place : 44 + 10 * place] //= 3
        pixels[84:96, 105:140] //= 3
        Pillow.fromarray(pixels).save(photograph)
        numbers = {"place": place, "visit": place % 2, "width": WIDTH, "height": HEIGHT}
        images += IMAGE.format(**numbers, x=37 + 10 * place, turn=10 * place)
    labels = "".join(LABEL.format(name=name, color=color) for name, color in LABELS.items())
    (work / "export.xml").write_text(HEAD.format(labels=labels, images=images))
    formats = ("cvat", "labelstudio", "coco", "via", "labelme", "labelmap", "csv")
    refiner = zoo.from_pretrained("otsu")
    report = zoo.refine_to_folder(
        refiner, work / "photographs", work / "export.xml", work / "out", for_tools=ToolOptions(formats)
    )
    assert (len(report.records), report.failures) == (COUNT, [])
    return work / "out"


def masks(out: Path, name: str) -> dict[str, Mask]:
    stem = out / name.removesuffix(".png")
    return {lesion: read_mask(f"{stem}_{lesion}.png") for lesion in ("MA", "HE")}


def decoded(mask: Tree.Element) -> Mask:
    """A mask of CVAT: runs row by row of its box, beginning with the pixels outside."""
    runs = [int(run) for run in mask.attrib["rle"].split(",")]
    left, top, width, height = (int(float(mask.attrib[name])) for name in ("left", "top", "width", "height"))
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    whole = np.zeros((HEIGHT, WIDTH), bool)
    whole[top : top + height, left : left + width] = flat.reshape(height, width)
    return whole


def test_cvat_gets_its_own_structure_with_every_attribute_and_colour(out: Path) -> None:
    root = Tree.parse(out / "refined_cvat.xml").getroot()
    assert (root.tag, root.findtext("version")) == ("annotations", "1.1")
    found = {label.findtext("name"): label for label in root.iter("label")}
    assert {name: label.findtext("color") for name, label in found.items()} == LABELS
    assert all(label.findtext("attributes/attribute/name") == "sure" for label in found.values())
    assert len(root.findall("image")) == COUNT
    for place, image in enumerate(sorted(root.findall("image"), key=lambda one: int(one.attrib["name"][-5]))):
        assert image.attrib["name"] == f"visit {place % 2}/eye_{place}.png"
        assert (image.attrib["width"], image.attrib["height"]) == (str(WIDTH), str(HEIGHT))
        shapes = [shape for shape in image if shape.tag != "tag"]
        assert [tag.attrib["label"] for tag in image.findall("tag")] == ["Optic cup"]
        assert image.findtext("tag/attribute[@name='sure']") == "true"
        assert {shape.tag for shape in shapes} == {"mask"}
        assert {shape.attrib["source"] for shape in shapes} == {"auto"}
        assert [shape.attrib["label"] for shape in shapes] == ["Microaneurysm", "Hemorrhage", "Hemorrhage"]
        assert [shape.findtext("attribute[@name='sure']") for shape in shapes] == ["false", "true", "true"]
        assert shapes[0].attrib.get("group_id", "0") == str(place)
        own = masks(out, image.attrib["name"])
        for label, lesion in (("Microaneurysm", "MA"), ("Hemorrhage", "HE")):
            together = np.any([decoded(shape) for shape in shapes if shape.attrib["label"] == label], axis=0)
            assert np.array_equal(together, own[lesion])
        assert own["MA"].any()


def test_label_studio_gets_predictions_for_its_own_configuration(out: Path) -> None:
    tasks = json.loads((out / "refined_labelstudio.json").read_text())
    config = Tree.parse(out / "refined_labelstudio_config.xml").getroot()
    brushes = {control.attrib["name"]: control for control in config.iter("BrushLabels")}
    picture = config.find(".//Image")
    assert picture is not None
    assert len(tasks) == COUNT
    for task in tasks:
        assert picture.attrib["value"].removeprefix("$") in task["data"]
        assert not task["annotations"]
        [prediction] = task["predictions"]
        assert prediction["model_version"].startswith("otsu")
        for region in prediction["result"]:
            if region["type"] != "brushlabels":
                continue
            control = brushes[region["from_name"]]
            assert (region["to_name"], control.attrib["toName"]) == (picture.attrib["name"],) * 2
            known = {label.attrib["value"] for label in control.iter("Label")}
            assert set(region["value"]["brushlabels"]) <= known


@pytest.mark.parametrize("name", ["labelstudio", "coco", "via", "labelme"])
def test_every_tool_reads_just_the_pixels_of_the_masks(out: Path, name: str) -> None:
    [place] = [path for path in out.glob(f"refined_{name}*") if "config" not in path.name]
    options = ReadOptions(images=out.parent / "photographs")
    found, _ = read_all(annotation_files(place), options, place if place.is_dir() else None)
    annotations = [annotation for _, annotation in found]
    assert len(annotations) == COUNT
    for annotation in annotations:
        for lesion, mask in masks(out, annotation.image).items():
            assert np.array_equal(draw(annotation.of(lesion), (HEIGHT, WIDTH)), mask)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_pycocotools_finds_equal_areas(out: Path) -> None:
    coco = COCO(str(out / "refined_coco.json"))
    assert len(coco.dataset["images"]) == COUNT
    regions = coco.dataset["annotations"]
    assert len(regions) == 3 * COUNT
    assert all(region["area"] == coco.annToMask(region).sum() for region in regions)
