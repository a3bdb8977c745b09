"""Marks as regions of Label Studio's, and predictions of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from coarsekit.annotations.brush_rle import pack
from coarsekit.annotations.details import own_details, tool_label
from coarsekit.annotations.labelstudio_answers import answers_about, result_of
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon


def kept_ids(annotation: Annotation) -> frozenset[str]:
    """The ids that marks keep as regions: two marks of one id, as of a region with two labels, would be one region."""
    counts = Counter(str(mark.details["id"]) for mark in annotation.marks if "id" in mark.details)
    return frozenset(key for key, count in counts.items() if count == 1)


def results_of(
    annotation: Annotation, mark: Mark, key: str, to_name: str = "image", kept: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """A mark as the tool has it.

    Args:
        annotation: What the mark is of; it gives the size of the photograph.
        mark: A mark in a shape that the format holds.
        key: The id of the region, where the mark has none that it keeps; lengthened where another mark has it.
        to_name: The name of the image in the labelling configuration.
        kept: What `kept_ids` gives for the annotation, to find it once for many marks; None finds it.

    Returns:
        The region, and the answers about it.
    """
    width, height, shape = annotation.width, annotation.height, mark.shape
    key = _id_of(mark, key, kept_ids(annotation) if kept is None else kept)
    value: dict[str, Any]
    if isinstance(shape, Ellipse):
        tag = "ellipse"
        value = {"x": shape.cx / width * 100, "y": shape.cy / height * 100, "rotation": shape.angle % 360}
        value |= {"radiusX": shape.rx / width * 100, "radiusY": shape.ry / height * 100}
    elif isinstance(shape, Polygon):
        tag, value = "polygon", {"points": [[x / width * 100, y / height * 100] for x, y in shape.rings[0]]}
        value["closed"] = True
    elif isinstance(shape, Point):
        tag, value = "keypoint", {"x": shape.x / width * 100, "y": shape.y / height * 100}
        value |= {} if shape.radius is None else {"width": shape.radius / width * 100}
    elif isinstance(shape, Line):
        tag, value = "vector", {"vertices": _vertices(shape, width, height, key), "closed": False}
    else:
        tag, value = "brush", {"format": "rle", "rle": list(pack(shape, (height, width)))}
    own = own_details(mark, "labelstudio")
    head = {"id": key, "type": f"{tag}labels", "from_name": own.get("from_name", tag), "to_name": to_name}
    more: dict[str, Any] = {field: own[field] for field in ("score", "meta", "parentID") if field in own}
    size = {"original_width": width, "original_height": height, "image_rotation": 0}
    region: dict[str, Any] = {**head, **size, **more}
    region["value"] = {**value, f"{tag}labels": [tool_label(mark, "labelstudio")]}
    about = {"id": key, "to_name": to_name}
    answers = {name: result_of(one) for name, one in answers_about(mark).items()}
    for answer in answers.values():
        if answer["type"] == "labels":  # a second tag, whose results are regions in the tool
            answer |= {**size, "value": {**value, **answer["value"]}}
    return [region, *({**about, "from_name": name, **answer} for name, answer in answers.items())]


def prediction_of(model_version: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A prediction of a model, with the mean score of its regions, where they have any; the tool sorts tasks by it.

    ``results``: regions and answers, as `results_of` gives them.
    """
    scores = [item["score"] for item in results if isinstance(item.get("score"), (int, float))]
    score = {"score": round(sum(scores) / len(scores), 4)} if scores else {}
    return {"model_version": model_version, "result": list(results), **score}


def _id_of(mark: Mark, key: str, kept: Collection[str]) -> str:
    if "id" in mark.details and str(mark.details["id"]) in kept:
        return str(mark.details["id"])
    while key in kept:
        key += "-"
    return key


def _vertices(line: Line, width: int, height: int, key: str) -> list[dict[str, Any]]:
    """The places of a line, each of which names the one before it."""
    places = [(x / width * 100, y / height * 100) for x, y in line.places]
    return [
        {
            "id": f"{key}-{index}",
            "x": x,
            "y": y,
            "isBezier": False,
            "prevPointId": f"{key}-{index - 1}" if index else None,
        }
        for index, (x, y) in enumerate(places)
    ]
