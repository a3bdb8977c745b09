"""Label Studio: JSON, full or MIN, with any number of photographs; places are in percent of the photograph.

An ellipse's ``x, y`` are its centre, although the documentation says top left; a rectangle's are its top left corner,
about which it is turned. Rotations are in degrees clockwise; that of the view (``image_rotation``) changes no place.
A brush is Label Studio's own packing of the photograph's RGBA pixels, of which the opaque ones count; a bitmask is a
PNG, of which the pixels that are not black count. A key point's ``width`` is its radius, in percent of the photograph's
width. A vector is a line, or, closed, a polygon; its curves count as straight. Where a task has several annotations
(one for each annotator) or several photographs (told apart by ``to_name``, and in a list by ``item_index``), each
becomes an annotation of its own.
Predictions are read where nobody annotated a task, or their model is asked for as the annotator. Answers about a region
are its attributes, and so are the labels of a second tag that tells no lesion; they are written again with their type.
Answers about the whole photograph, and relations, are kept in the provenance. MIN exports do not say of which region an
answer of a single text is: there it is not read.

Written files are tasks to import: their control tags are ``ellipse``, ``polygon``, ``brush``, ``keypoint`` and
``vector``, their image ``image``. Regions keep their ids, unless two of a photograph have the same.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.details import BESIDE, own_provenance, within
from coarsekit.annotations.documents import Document, LenientModel, Pixels, load
from coarsekit.annotations.exports_over_time import ORIGIN, UPDATED
from coarsekit.annotations.labelstudio_addresses import Picture, names_apart
from coarsekit.annotations.labelstudio_answers import TYPES, Answer, answer_in
from coarsekit.annotations.labelstudio_grouping import by_task
from coarsekit.annotations.labelstudio_pictures import by_picture, data_of, pictures_of
from coarsekit.annotations.labelstudio_regions import kept_ids, prediction_of, results_of
from coarsekit.annotations.labelstudio_shapes import shape_reader
from coarsekit.annotations.labelstudio_tasks import (
    Given,
    answers_of,
    drafts_of,
    is_drawn,
    labels_in,
    region_of,
    tasks_of,
)
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.annotations.reading import ReadOptions, ReadResult
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import AnnotationError
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Mark
from coarsekit.validation import validated

TITLE = "Label Studio (JSON)"
ONE_FILE_EACH = False
HOLDS = frozenset({"label", "id", "attributes", "radius"})
_OWN = ("score", "meta", "parentID", "from_name")
"""Fields of a region that are kept as they are."""
_CAPABILITIES = Capabilities("Label Studio", ellipses=True, circles=True, rasters=True)


class _Size(LenientModel):
    original_width: Pixels
    original_height: Pixels


class _Drawn(NamedTuple):
    """The results of one annotator on one photograph of a task, and the data that goes back with them."""

    place: int
    picture: Picture
    given: Given
    results: list[dict[str, Any]]
    data: dict[str, Any]


def recognise(document: Document) -> bool:
    """A list of tasks (or one) with data and annotations, or with the annotation's id as MIN exports have it.

    Tables of Label Studio's are recognised, too, so that they can be refused by name.
    """
    if _is_table(document):
        return True
    return any(_is_task(task) for task in tasks_of(document))


def _is_task(task: Any) -> bool:
    """Whether it is a task that says who annotated it; one that nobody annotated yet may not."""
    if not isinstance(task, dict):
        return False
    full = isinstance(task.get("data"), dict) and ("annotations" in task or "predictions" in task)
    return full or "annotation_id" in task or ("annotator" in task and "id" in task)


def _is_table(document: Document) -> bool:
    """Whether it is a CSV or TSV export; spreadsheets put other signs in the place of the comma."""
    head = document.content.partition("\n")[0] if document.kind == "text" else ""
    return {"id", "annotator", "annotation_id"} <= {name.strip(' "\r') for name in re.split(r"[,;\t]", head)}


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every annotation of every task; see `Format.read`.

    A task in which nothing was drawn has no size of its photograph: it is left out, unless ``options`` gives it.
    """
    document = load(source)
    path, recorder = document.path, Recorder(document.path, options)
    if _is_table(document):
        raise AnnotationError(
            f"{path}: a table of Label Studio, of which only JSON is read; export the project as JSON"
        )
    if not recognise(document):
        raise AnnotationError(f"{path}: not an export of Label Studio; expected tasks with data and annotations")
    drawn: list[_Drawn] = []
    untouched: list[tuple[str, str]] = []
    for place, task in enumerate(tasks_of(document)):
        with recorder.forgiving(f"task {place}"):
            pictures = pictures_of(task, lists=True)
            where = f"task {place} ({next(iter(pictures.values())).name})"
            answers = answers_of(task, where, recorder)
            untouched += [] if answers else [(where, f"nobody annotated it{drafts_of(task)}")]
            for given in answers:
                drawn += [
                    _Drawn(place, pictures[key], given, results, data_of(task, pictures, key))
                    for key, results in by_picture(given.results, pictures, where, recorder).items()
                ]
    names = names_apart([one.picture for one in drawn], recorder.options.images)
    annotations: list[Annotation] = []
    for one in drawn:
        name = names[one.picture.path]
        own = f"task {one.place} ({name})"
        with recorder.forgiving(own, name):
            recorder.photograph(one.picture.path, photograph_name(name))
            found = _annotations(name, one.results, one.given.annotator, own, recorder)
            annotations += [_of_task(each, one.data, one.given, one.picture.path) for each in found]
    for where, why in untouched:  # of a project that goes on nothing is lost, of a file of nothing else all is
        (recorder.note if annotations else recorder.leave_out)(where, why)
    return recorder.result(annotations)


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write one JSON file of tasks to import, with an annotation for each annotator of one; see `Format.write`.

    Two photographs that have one name are two tasks. What a model made, as the ``model_version`` of an annotation's
    provenance says, is written as a prediction.
    """
    tasks: list[dict[str, Any]] = []
    notes: list[str] = []
    for number, (name, own) in enumerate(by_task(annotations)):
        data = own_provenance(own[0], "labelstudio").get("data", {"image": name})
        task: dict[str, Any] = {"data": data, "annotations": []}
        for annotation in own:
            marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
            notes += made
            _add(task, annotation, marks, f"{number}-")
        tasks.append(task)
    write_text(path, json.dumps(tasks, ensure_ascii=False) + "\n")
    return notes


def _add(task: dict[str, Any], annotation: Annotation, marks: Sequence[Mark], prefix: str) -> None:
    """Put marks into a task; ``prefix``: of the ids of regions that have none."""
    kept, result = kept_ids(annotation), list[dict[str, Any]]()
    for place, mark in enumerate(marks):
        result += results_of(annotation, mark, f"{prefix}{place}", kept=kept)
    result += own_provenance(annotation, "labelstudio").get("results", ())
    if "model_version" in annotation.provenance:  # so that nobody takes a machine's mask for a person's
        model = str(annotation.provenance["model_version"])
        task.setdefault("predictions", []).append(prediction_of(model, result))
        return
    who = annotation.provenance.get("annotator")
    # Label Studio takes the number or the fields of a user, and no name of another tool's.
    task["annotations"].append({"result": result, **within("completed_by", None if isinstance(who, str) else who)})


def _of_task(annotation: Annotation, data: dict[str, Any], given: Given, address: str) -> Annotation:
    """The annotation with its date, the data of its task, such as the photograph's address, and its model if any."""
    own = {**own_provenance(annotation, "labelstudio"), "data": data}
    provenance = {**annotation.provenance, **within(UPDATED, given.updated), "labelstudio": own}
    provenance |= within(ORIGIN, address)
    if given.is_prediction:
        provenance["model_version"] = provenance["annotator"]
    return replace(annotation, provenance=provenance)


def _annotations(
    name: str, results: list[dict[str, Any]], annotator: Any, where: str, recorder: Recorder
) -> list[Annotation]:
    """The annotation of one photograph; none when its size is not known."""
    sizes: set[tuple[int, int]] = set()
    marks: list[Mark] = []
    answers, others = _sorted_out(results)
    for place, item in enumerate(results):
        if not is_drawn(item):
            continue
        with recorder.forgiving(f"{where}: result {place}"):
            shape_of = shape_reader(item)
            if shape_of is None:
                kind = item.get("type", "unknown")
                recorder.leave_out(f"{where}: result {place}", f"{kind} is not a region that is read")
                continue
            width, height = _size(item, name, recorder)
            sizes.add((width, height))
            shape = shape_of(item, width, height)
            about = answers.get(region_of(item), {})
            own: dict[str, Any] = {field: item[field] for field in _OWN if field in item}
            own |= within(TYPES, {question: answer.type for question, answer in about.items()})
            attributes = {question: answer.as_attribute for question, answer in about.items()}
            details = {"id": item.get("id"), "attributes": attributes, "labelstudio": own}
            tag = str(item.get("from_name", ""))
            told = recorder.attribute({tag: "", **{question: answer.label for question, answer in about.items()}})
            told = None if recorder.asks_for(tag) else told  # the labels of its own tag, which may be several
            if told is not None:
                details[BESIDE] = within("labelstudio", next(iter(labels_in(item)), ""))
            for label in (labels_in(item) or [""]) if told is None else [told]:
                marks += recorder.marks(label, shape, f"{where}: result {place}", details)
    if len(sizes) > 1:
        raise AnnotationError("its regions name different sizes of the photograph; export it again")
    for item in others:
        kind = item.get("type", "unknown")
        recorder.note(where, f"{kind} is of no region, and is kept in the provenance")
    known = next(iter(sizes), None) or recorder.options.size_of(name)
    if known is None:
        why = recorder.why_unknown(name, "its size is not known; give the folder of the images")
        recorder.leave_out_photograph(name, where, why if marks else f"nothing was drawn, and {why}")
        return []
    kept = [{field: value for field, value in item.items() if field not in _fields_of(item)} for item in others]
    provenance = {
        "made_by": "Label Studio",
        **within("annotator", annotator),
        **within("labelstudio", within("results", kept)),
    }
    return [Annotation(name, *known, tuple(marks), provenance)]


def _sorted_out(results: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Answer]], list[dict[str, Any]]]:
    """The answers about each region by the question's name, and the results that are neither drawn nor about one."""
    about: dict[str, dict[str, Answer]] = {region_of(item): {} for item in results if is_drawn(item)}
    others = []
    for item in results:
        if is_drawn(item):
            continue
        answer, region = answer_in(item), region_of(item)
        if answer is None or region not in about:
            others.append(item)
        elif answer.content not in (None, "", []):
            about[region][str(item.get("from_name", answer.type))] = answer
    return about, others


def _fields_of(item: dict[str, Any]) -> Collection[str]:
    value = item.get("value")
    return value if isinstance(value, dict) else ()


def _size(item: dict[str, Any], name: str, recorder: Recorder) -> tuple[int, int]:
    """(w, h) px of the photograph, as the region says or as its file has it: imported regions say nothing."""
    known = None if item.get("original_width") else recorder.options.size_of(name)
    if known is not None:
        return known
    size = validated(_Size, item, "", strict=None)
    return size.original_width, size.original_height
