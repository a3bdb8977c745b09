"""What a refiner answers to Label Studio: a brush for each region that was drawn, as a prediction of a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from coarsekit.annotations import labelstudio
from coarsekit.annotations.details import own_details, own_provenance, tool_label
from coarsekit.annotations.documents import Document, LenientModel
from coarsekit.annotations.fitting import fitted
from coarsekit.annotations.labelstudio_tasks import pictures_of
from coarsekit.annotations.reading import ReadOptions
from coarsekit.annotations.tool_frame import in_tool_frame
from coarsekit.errors import AnnotationError
from coarsekit.types import Annotation, Image, Mark
from coarsekit.validation import validated
from zoo.integrations.labelstudio_controls import BrushControl, brush_controls, choose_control
from zoo.integrations.labelstudio_photographs import TaskPhotographs, without_data_urls
from zoo.output.marks_found import refined_annotation
from zoo.output.tool_files import made_by
from zoo.refiner import Refiner

_REQUEST = Path("the request")
"""What sentences call the file that there is none of."""


class _Answer(LenientModel):
    result: list[dict[str, Any]] | None = None
    was_cancelled: bool | None = False


class _Task(LenientModel):
    data: dict[str, Any]
    annotations: list[_Answer] | None = None


class _Context(LenientModel):
    result: list[dict[str, Any]] | None = None


class _Params(LenientModel):
    context: _Context | None = None


class _Request(LenientModel):
    tasks: list[_Task]
    label_config: str | None = None
    params: _Params | None = None


@dataclass(frozen=True)
class LabelStudioRefiner:
    """Answers requests of Label Studio for predictions.

    Args:
        refiner: What refines; one photograph at a time.
        photographs: Where the photographs of tasks are.
        options: How labels are read; see `ReadOptions`.
    """

    refiner: Refiner
    photographs: TaskPhotographs
    options: ReadOptions = field(default_factory=ReadOptions)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @property
    def model_version(self) -> str:
        """The refiner and its weights, as the tool shows them."""
        return made_by(self.refiner)

    def predict(self, request: object) -> list[dict[str, Any]]:
        """Refine what the annotator just drew, or else what the annotations of the tasks have.

        Args:
            request: What the tool sends: ``tasks``, ``label_config`` and ``params``, of which ``context`` has the
                regions that were just drawn on the only task.

        Returns:
            A prediction for each task, with a brush for each region for which something was found, and, of a refiner
            that knows how far to trust its answers, with scores; without regions where nothing was drawn.

        Raises:
            AnnotationError: When the request is malformed, or a region that was just drawn cannot be read.
            ImageError: When a photograph is not found, or cannot be read.
        """
        asked = validated(_Request, request, "the request", strict=None)
        controls = brush_controls(asked.label_config or "")
        context = asked.params.context if asked.params else None
        if context is None or context.result is None:
            return [self._task(task, controls) for task in asked.tasks]
        if len(asked.tasks) != 1:
            raise AnnotationError(f"the request: a context is of one task, got {len(asked.tasks)} tasks")
        return [self._just_drawn(asked.tasks[0], context.result, controls)]

    def _just_drawn(
        self, task: _Task, regions: list[dict[str, Any]], controls: Sequence[BrushControl]
    ) -> dict[str, Any]:
        # What the annotator marks as outside of the object is no lesion.
        regions = [region for region in regions if region.get("is_positive", True)]
        results = self._refined(task.data, [regions], controls, strict=True) if regions else []
        # They stand beside the regions that they were made of, under ids of their own.
        ids = {str(item["id"]): uuid4().hex[:10] for item in results}
        return labelstudio.prediction_of(self.model_version, [{**item, "id": ids[str(item["id"])]} for item in results])

    def _task(self, task: _Task, controls: Sequence[BrushControl]) -> dict[str, Any]:
        answers = [one.result for one in task.annotations or () if one.result and not one.was_cancelled]
        results = self._refined(task.data, answers, controls, strict=False) if answers else []
        return labelstudio.prediction_of(self.model_version, results)

    def _refined(
        self,
        data: Mapping[str, Any],
        answers: Sequence[list[dict[str, Any]]],
        controls: Sequence[BrushControl],
        strict: bool,
    ) -> list[dict[str, Any]]:
        """The results for what was drawn on the photographs of a task."""
        named, urls = without_data_urls(data)
        pictures = pictures_of({"data": named})
        images: dict[str, Image] = {}
        size = None
        if len(pictures) == 1:  # regions that were imported do not know its size
            [own] = pictures
            images[own] = self.photographs.read(urls.get(str(named[own]), str(named[own])))
            size = images[own].shape[1], images[own].shape[0]
        document = {"data": named, "annotations": [{"result": answer} for answer in answers]}
        options = replace(self.options, size=size, strict=strict)
        found = labelstudio.read(Document(_REQUEST, "json", [document]), options)
        results = []
        for place, annotation in enumerate(found.annotations):
            if not annotation.marks:
                continue
            shown = self._shown(annotation, named, list(pictures))
            if shown not in images:
                images[shown] = self.photographs.read(urls.get(str(named[shown]), str(named[shown])))
            results += self._answer(images[shown], annotation, shown, controls, f"{place}-")
        return results

    @staticmethod
    def _shown(annotation: Annotation, data: Mapping[str, Any], fields: Sequence[str]) -> str:
        """The field of a task's data that has the photograph of an annotation."""
        address = own_provenance(annotation, "labelstudio")["data"].get("image")
        return next((field for field in fields if data[field] == address), fields[0])

    def _answer(
        self, image: Image, annotation: Annotation, shown: str, controls: Sequence[BrushControl], prefix: str
    ) -> list[dict[str, Any]]:
        """The results for what was drawn on one photograph."""
        annotation, _ = fitted(annotation, image.shape, annotation.image)
        with self._lock:
            refined = self.refiner.refine_marks(image, annotation)
        trust = {one.mark: round(one.expected_iou, 4) for one in refined.marks if one.expected_iou is not None}
        found, _ = refined_annotation(annotation, refined.masks, self.model_version, expected_ious=trust)
        found = in_tool_frame(found, "labelstudio")
        results = []
        for place, mark in enumerate(found.marks):
            control = choose_control(controls, shown, tool_label(mark, "labelstudio"))
            results += labelstudio.results_of(found, _drawn_with(mark, control), f"{prefix}{place}", control.to_name)
        return results


def _drawn_with(mark: Mark, control: BrushControl) -> Mark:
    own = {**own_details(mark, "labelstudio"), "from_name": control.name}
    return replace(mark, details={**mark.details, "labelstudio": own})
