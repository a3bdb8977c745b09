"""What a refiner answers to Label Studio: a brush for each region that was drawn, as a prediction of a task."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4
from xml.etree.ElementTree import Element

from coarsekit.annotations import labelstudio, labelstudio_regions
from coarsekit.annotations.details import own_details, tool_label
from coarsekit.annotations.documents import Document, LenientModel
from coarsekit.annotations.fitting import fitted
from coarsekit.annotations.reading import ReadOptions
from coarsekit.annotations.recorder import Recorder
from coarsekit.annotations.tool_frame import in_tool_frame
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.types import Annotation, Image, Mark
from coarsekit.validation import validated
from zoo.integrations.labelstudio_controls import BrushControl, TaskView, choose_control, read_config, view_of
from zoo.integrations.labelstudio_photographs import TaskPhotographs, short_address
from zoo.integrations.labelstudio_shown import Shown, drawn_on
from zoo.marks.result import Refined
from zoo.output.marks_found import refined_annotation
from zoo.output.notes import notes_on_answer
from zoo.output.tool_files import made_by
from zoo.refiner import Refiner, no_progress

_REQUEST = Path("the request")
"""What sentences call the file that there is none of."""


class _Answer(LenientModel):
    result: list[dict[str, Any]] | None = None
    was_cancelled: bool | None = False


class _Task(LenientModel):
    id: int | str | None = None
    data: dict[str, Any]
    annotations: list[_Answer] | None = None


class _Context(LenientModel):
    result: list[dict[str, Any]] | None = None


class _Params(LenientModel):
    context: _Context | None = None


class _Request(LenientModel):
    tasks: list[Any]
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

    def predict(self, request: object, say: Callable[[str], None] = no_progress) -> list[dict[str, Any]]:
        """Refine what the annotator just drew, or else what the annotations of the tasks have.

        Args:
            request: What the tool sends: ``tasks``, ``label_config`` and ``params``, of which ``context`` has the
                regions that were just drawn on the only task.
            say: Called with a sentence for what is left out, and for what was guessed.

        Returns:
            A prediction for each task, with a brush for each region for which something was found, and, of a refiner
            that knows how far to trust its answers, with scores; without regions where nothing was drawn, and where the
            task cannot be refined, for the reason in its ``error``.

        Raises:
            AnnotationError: When the request is malformed, a region that was just drawn cannot be read, or none of
                several tasks can be refined.
            ImageError: When the photograph of the only task is not found, or cannot be read.
        """
        asked = validated(_Request, request, "the request", strict=None)
        config = read_config(asked.label_config or "")
        context = asked.params.context if asked.params else None
        if context is None or context.result is None:
            return self._each(asked.tasks, config, say)
        if len(asked.tasks) != 1:
            raise AnnotationError(f"the request: a context is of one task, got {len(asked.tasks)} tasks")
        return [self._just_drawn(_task(asked.tasks[0], 0), context.result, config, say)]

    def _each(self, tasks: Sequence[Any], config: Element | None, say: Callable[[str], None]) -> list[dict[str, Any]]:
        """The predictions of tasks; one that cannot be refined costs no other."""
        predictions, failures = [], []
        for place, content in enumerate(tasks):
            try:
                predictions.append(self._annotated(_task(content, place), config, say))
            except (AnnotationError, ImageError) as error:
                if len(tasks) == 1:
                    raise
                failures.append(f"{_named(content, place)}: {_brief(str(error))}")
                empty = labelstudio_regions.prediction_of(self.model_version, [])
                predictions.append({**empty, "error": failures[-1]})  # a field that the tool passes over
        if failures and len(failures) == len(tasks):
            raise AnnotationError(f"none of the {len(tasks)} tasks can be refined: {failures[0]}")
        for sentence in failures:
            say(f"Left out: {sentence}")
        return predictions

    def _just_drawn(
        self, task: _Task, regions: list[dict[str, Any]], config: Element | None, say: Callable[[str], None]
    ) -> dict[str, Any]:
        # What the annotator marks as outside of the object is no lesion.
        regions = [region for region in regions if region.get("is_positive") is None or region["is_positive"]]
        work = _Work(self, task.data, view_of(config, task.data), say, strict=True)
        results = work.results([regions] if regions else [])
        # They stand beside the regions that they were made of, under ids of their own.
        ids = {str(item["id"]): uuid4().hex[:10] for item in results}
        return labelstudio_regions.prediction_of(
            self.model_version, [{**item, "id": ids[str(item["id"])]} for item in results]
        )

    def _annotated(self, task: _Task, config: Element | None, say: Callable[[str], None]) -> dict[str, Any]:
        answers = [one.result for one in task.annotations or () if one.result and not one.was_cancelled]
        named = "a task" if task.id is None else f"task {task.id}"
        work = _Work(self, task.data, view_of(config, task.data), lambda text: say(f"{named}: {text}"), strict=False)
        return labelstudio_regions.prediction_of(self.model_version, work.results(answers))

    def refined(self, image: Image, annotation: Annotation) -> Refined:
        """Refine what was drawn on a photograph; requests at the same time wait for each other.

        Args:
            image: (h, w, 3) uint8 RGB.
            annotation: What was drawn, on a photograph of this size.

        Returns:
            As `Refiner.refine_marks`.
        """
        with self._lock:
            return self.refiner.refine_marks(image, annotation)


class _Work:
    """What is done for one task: its photographs are read once, and one that cannot be refined costs no other."""

    def __init__(
        self,
        refiner: LabelStudioRefiner,
        data: Mapping[str, Any],
        view: TaskView,
        say: Callable[[str], None],
        strict: bool,
    ) -> None:
        self._refiner, self._data, self._view, self._say = refiner, data, view, say
        self._options = replace(refiner.options, strict=strict)
        self._images: dict[str, Image] = {}

    def results(self, answers: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """The results for what was drawn on the photographs of the task, by each of several annotators.

        Raises `AnnotationError` or `ImageError` where nothing of it can be refined; of a strict work, for the first.
        """
        results, failures, done = [], [], 0
        for group, (shown, items) in enumerate(self._groups(answers)):
            try:
                results += self._on(shown, items, f"{group}-")
                done += 1
            except (AnnotationError, ImageError) as error:
                failures.append(error)
        if failures and (self._options.strict or not done):
            raise failures[0]
        for sentence in dict.fromkeys(map(str, failures)):
            self._say(_brief(f"Left out: {sentence}"))
        return results

    def _groups(self, answers: Sequence[list[dict[str, Any]]]) -> list[tuple[Shown, list[dict[str, Any]]]]:
        """What was drawn, by photograph; raises `AnnotationError` where all of it is on none for certain."""
        groups: list[tuple[Shown, list[dict[str, Any]]]] = []
        reports = []
        for answer in answers:
            recorder = Recorder(_REQUEST, self._options)
            groups += drawn_on(self._data, answer, self._view, recorder).items()
            reports.append(recorder.result([]).report)
        left_out = [sentence for report in reports for sentence in report.left_out]
        if left_out and not groups:
            raise AnnotationError(left_out[0])
        for sentence in (*(note for report in reports for note in report.notes), *left_out):
            self._say(_brief(f"Left out: {sentence}" if sentence in left_out else sentence))
        return groups

    def _on(self, shown: Shown, items: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
        """The results for what was drawn on one photograph."""
        if shown.address not in self._images:
            self._images[shown.address] = self._refiner.photographs.read(shown.address)
        image = self._images[shown.address]
        # Regions that were imported do not know the size of the photograph.
        options = replace(self._options, size=(image.shape[1], image.shape[0]))
        name = short_address(shown.address, shown.to_name or "image")
        task = {"data": {"image": name}, "annotations": [{"result": items}]}
        found = labelstudio.read(Document(_REQUEST, "json", [task]), options)
        for sentence in found.report.left_out:
            self._say(_brief(f"Left out: {sentence}"))
        drawn = [annotation for annotation in found.annotations if annotation.marks]
        return [result for one in drawn for result in self._answer(image, one, shown, prefix)]

    def _answer(self, image: Image, annotation: Annotation, shown: Shown, prefix: str) -> list[dict[str, Any]]:
        annotation, _ = fitted(annotation, image.shape, annotation.image)
        refined = self._refiner.refined(image, annotation)
        for sentence in notes_on_answer(annotation.image, refined):
            self._say(sentence)
        trust = {one.mark: round(one.expected_iou, 4) for one in refined.marks if one.expected_iou is not None}
        version = self._refiner.model_version
        found, _ = refined_annotation(annotation, refined.masks, version, expected_ious=trust)
        found = in_tool_frame(found, "labelstudio")
        results = []
        for place, mark in enumerate(found.marks):
            control = choose_control(self._view, shown.to_name, tool_label(mark, "labelstudio"))
            made = labelstudio_regions.results_of(
                found, _drawn_with(mark, control), f"{prefix}{place}", control.to_name
            )
            page = {} if shown.item_index is None else {"item_index": shown.item_index}
            results += [{**item, **page} for item in made]
        return results


def _task(content: Any, place: int) -> _Task:
    """A task of the request; each is checked alone, so that one that is malformed costs no other."""
    return validated(_Task, content, "the request", strict=None, within=f"tasks.{place}")


def _brief(sentence: str) -> str:
    """A sentence about a task that is named before it: each is read as the first of a file, which says nothing here."""
    return re.sub(
        r"\btask 0 \(([^()]*)\)", r"\1", sentence.replace(f"{_REQUEST}: ", "", 1).replace("the task: ", "", 1)
    )


def _named(content: Any, place: int) -> str:
    """What sentences call a task: by the number that the tool shows, where it has one."""
    own = content.get("id") if isinstance(content, dict) else None
    return f"task {own}" if isinstance(own, int) else f"task {place + 1} of the request"


def _drawn_with(mark: Mark, control: BrushControl) -> Mark:
    own = {**own_details(mark, "labelstudio"), "from_name": control.name}
    return replace(mark, details={**mark.details, "labelstudio": own})
