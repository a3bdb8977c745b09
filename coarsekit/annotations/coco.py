"""COCO instances: JSON with any number of photographs; regions are boxes, polygons or run lengths.

A ``segmentation`` is a list of rings ``[x, y, x, y, …]`` or ``[[x, y], [x, y], …]`` whose union is the region, or run
lengths of the whole photograph, column by column, as a list or compressed to a string. Without one, ``bbox`` (x, y, w,
h) is the region, turned about its middle by the degrees clockwise that CVAT writes as ``attributes.rotation``; but
where there are ``keypoints`` (x, y, visibility, …), these are points, without those of visibility 0. Masks are written
compressed, and each point as the only key point of a region. The size of a photograph that the file does not say is
read from the folder of the photographs, or given. A photograph that Roboflow renamed (``A_jpg.rf.….jpg``) has the name
that it had before, unless the folder has it under the new one, or several are copies of one.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.coco_photographs import originals, read_photographs
from coarsekit.annotations.coco_regions import as_id
from coarsekit.annotations.details import (
    BESIDE,
    LABELS,
    attributes_of,
    definitions_of,
    own_details,
    own_provenance,
    tool_label,
    tool_labels,
    within,
)
from coarsekit.annotations.documents import Document, load
from coarsekit.annotations.reading import ReadOptions, ReadResult
from coarsekit.annotations.recorder import Recorder
from coarsekit.annotations.rle import compress, photograph_runs
from coarsekit.annotations.tool_frame import own_ids, own_text
from coarsekit.geometry import extent
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Mark, Point, Polygon, Raster, Shape

TITLE = "COCO (JSON)"
ONE_FILE_EACH = False
HOLDS = frozenset({"label", "labels", "id", "attributes"})
_CAPABILITIES = Capabilities("COCO", rings=True, rasters=True, lines=False)


def recognise(document: Document) -> bool:
    """A JSON object with a list of images, and annotations or categories."""
    return document.has("images") and (document.has("annotations") or document.has("categories"))


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every photograph of a file, those without regions too; see `Format.read`."""
    document = load(source)
    recorder = Recorder(document.path, options)
    annotations = []
    photographs = read_photographs(document, recorder=recorder)
    renamed = originals(photographs, recorder)
    categories = [category for category in document.content.get("categories", ()) if isinstance(category, dict)]
    told = any(category.keys() - {"id", "name"} for category in categories)
    definitions = [{name: value for name, value in category.items() if name != "id"} for category in categories if told]
    for photograph in photographs:
        marks: list[Mark] = []
        for region in photograph.regions:
            place = f"annotations.{region.place}"
            with recorder.forgiving(place):
                extra = {name: value for name, value in region.source.extra.items() if name not in ("id", "area")}
                attributes = extra.pop("attributes", None)
                attributes = attributes if isinstance(attributes, dict) else {}
                label = recorder.attribute(attributes)
                details = {"id": as_id(region.source.extra.get("id")), "attributes": attributes, "coco": extra}
                if label is not None:
                    details[BESIDE] = {"coco": region.label}
                if flat := region.flat_rings:
                    recorder.note(place, f"{flat} of its rings has no area, and is passed over")
                for shape in region.shapes():
                    marks += recorder.marks(region.label if label is None else label, shape, place, details)
        with recorder.forgiving(f"images.{photograph.place}", photograph.file_name):
            name = recorder.photograph(renamed.get(photograph.place, photograph.file_name))
            own = {**photograph.extra, "id": photograph.id, "file_name": photograph.file_name}
            provenance = {"made_by": "COCO", **within(LABELS, definitions), "coco": own}
            annotations.append(Annotation(name, photograph.width, photograph.height, tuple(marks), provenance))
    return recorder.result(annotations)


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write one JSON file; COCO has no ellipses, so they are approximated or an error; see `Format.write`."""
    definitions = definitions_of(annotations)
    names = list(dict.fromkeys([*definitions, *tool_labels(annotations, "coco")]))
    ids = [mark.details.get("id") for annotation in annotations for mark in annotation.marks]
    kept = len(set(map(str, ids))) == len(ids) and all(type(each) is int for each in ids)
    notes: list[str] = []
    photographs: list[dict[str, object]] = []
    regions: list[dict[str, Any]] = []
    for image_id, annotation in zip(own_ids(annotations, "coco", first=1), annotations, strict=True):
        marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
        notes += made
        size = {"width": annotation.width, "height": annotation.height}
        head = {"id": image_id, "file_name": own_text(annotation, "coco", "file_name"), **size}
        photographs.append({**own_provenance(annotation, "coco"), **head})
        for mark in marks:
            key = mark.details["id"] if kept else len(regions) + 1
            head = {"id": key, "image_id": image_id, "category_id": names.index(tool_label(mark, "coco")) + 1}
            more = {**own_details(mark, "coco"), **within("attributes", attributes_of(mark))}
            regions.append({**more, **head, **_fields(mark.shape, annotation), "iscrowd": 0})
    categories = [{**definitions.get(name, {}), "id": place, "name": name} for place, name in enumerate(names, start=1)]
    for place in {region["category_id"] for region in regions if "num_keypoints" in region}:
        categories[place - 1] |= {"keypoints": ["point"], "skeleton": []}
    write_text(path, json.dumps({"images": photographs, "annotations": regions, "categories": categories}) + "\n")
    return notes


def _fields(shape: Shape, annotation: Annotation) -> dict[str, Any]:
    """What a region says of its shape."""
    if isinstance(shape, Point):
        seen = {"keypoints": [shape.x, shape.y, 2], "num_keypoints": 1}
        return {"segmentation": [], "area": 0, "bbox": [shape.x, shape.y, 0, 0], **seen}
    x0, y0, x1, y1 = extent(shape)
    segmentation, area = _segmentation(shape, annotation)
    return {"segmentation": segmentation, "area": area, "bbox": [x0, y0, x1 - x0, y1 - y0]}


def _segmentation(shape: Shape, annotation: Annotation) -> tuple[object, float]:
    if isinstance(shape, Polygon):
        rings = [[number for corner in ring for number in corner] for ring in shape.rings]
        return rings, sum(_area(ring) for ring in shape.rings)
    if not isinstance(shape, Raster):
        raise TypeError(f"COCO has polygons and masks, got {type(shape).__name__}")
    runs = photograph_runs(shape.crop.T, shape.left, shape.top, (annotation.width, annotation.height))
    return {"size": [annotation.height, annotation.width], "counts": compress(runs)}, int(shape.crop.sum())


def _area(ring: Sequence[tuple[float, float]]) -> float:
    corners = [*ring, ring[0]]
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(corners))) / 2
