"""An auto-annotation function of CVAT: it refines what was drawn on the frames of a task.

CVAT gives such a function a frame and its name alone, so that what was drawn comes from an export of the task. It is
used by ``cvat-cli task auto-annotate TASK --function-module zoo.integrations.cvat_function -p annotations=str:FILE``,
or by `cvat_sdk.auto_annotation.annotate_task` with what `create` gives.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coarsekit.annotations import cvat
from coarsekit.annotations.approximate import as_outline
from coarsekit.annotations.details import tool_label, tool_labels
from coarsekit.annotations.fitting import fitted
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.annotations.reading import ReadOptions
from coarsekit.annotations.rle import run_lengths
from coarsekit.errors import AnnotationError, ImageError, ParameterError
from coarsekit.images.given import as_image
from coarsekit.types import Annotation, Mark, Raster
from zoo.loading import from_pretrained, on_device
from zoo.output.marks_found import MASK, POLYGON, SHAPES
from zoo.output.notes import notes_on_answer
from zoo.refiner import Refiner

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


def _to_stderr(sentence: str) -> None:
    """Print a sentence where people see it and programs do not."""
    print(sentence, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class CvatFunction:
    """A detection function, as CVAT's SDK calls it: ``spec`` has the labels, and ``detect`` finds the masks of a frame.

    Args:
        refiner: What refines.
        annotations: What was drawn, as an export has it.
        shape: `MASK` or `POLYGON`.
        spec: A ``DetectionFunctionSpec`` of CVAT's SDK with the labels of the export.
        say: Called with a sentence for a frame that is left out, and for what was seen in the marks of one, such as
            that they contradict their label; on stderr without it.
    """

    refiner: Refiner
    annotations: list[Annotation]
    shape: str
    spec: Any
    say: Callable[[str], None] = _to_stderr

    def detect(self, context: Any, image: "Picture") -> list[Any]:
        """Refine what was drawn on a frame.

        Args:
            context: The ``DetectionFunctionContext``. Its ``frame_name`` finds the drawing; of a refiner that knows how
                far to trust its answers, those below ``conf_threshold`` are left out; and with ``conv_mask_to_poly``
                masks become polygons.
            image: The frame.

        Returns:
            A ``LabeledShapeRequest`` for each mark for which something was found; none for a frame that the export does
            not have, and for one that is left out: one that cannot be read, or of which the export has several drawings
            or one of other proportions.
        """
        try:
            return self._found(context, image)
        except (AnnotationError, ImageError) as error:  # another frame of the task can be refined all the same
            self.say(f"Left out: {error}")
            return []

    def _found(self, context: Any, image: "Picture") -> list[Any]:
        name = photograph_name(context.frame_name)  # as the reader of the export names it, folders and all
        drawn = [one for one in self.annotations if one.image == name and one.marks]
        if not drawn:
            return []
        if len(drawn) > 1:
            raise AnnotationError(
                f"the export has {len(drawn)} drawings of {name}; export the one task that is annotated"
            )
        pixels = as_image(image)
        annotation, _ = fitted(drawn[0], pixels.shape, name)
        ids = {label.name: label.id for label in self.spec.labels}
        least = context.conf_threshold
        shape = POLYGON if context.conv_mask_to_poly else self.shape
        found = []
        refined = self.refiner.refine_marks(pixels, annotation)
        for sentence in notes_on_answer(name, refined):
            self.say(sentence)
        for result in refined.marks:
            trusted = least is None or result.expected_iou is None or result.expected_iou >= least
            if result.mask is not None and trusted:
                mark: Mark = annotation.marks[result.mark]
                found.append(_request(ids[tool_label(mark, "cvat")], result.mask, shape))
        return found


def create(
    refiner: str | os.PathLike[str] = "lite",
    annotations: str | os.PathLike[str] = "",
    shape: str = MASK,
    device: str = "cpu",
) -> CvatFunction:
    """Make the function; CVAT's command line calls it with the parameters given by ``-p NAME=TYPE:VALUE``.

    Args:
        refiner: The name of a bundled refiner, a folder or a repository.
        annotations: An export of the task in the format CVAT for images 1.1: the XML file, unpacked.
        shape: `MASK` or `POLYGON`.
        device: ``cpu``, ``cuda``, ….

    Returns:
        An object with ``spec`` and ``detect``, which says on stderr what it leaves out and what it sees in the marks.

    Raises:
        ParameterError: When ``annotations`` is not given, ``shape`` is another, or CVAT's SDK is not installed.
        AnnotationError: When the export cannot be read, or has nothing that was drawn.
        RefinerError: As `zoo.from_pretrained`.
    """
    if not os.fspath(annotations):
        raise ParameterError("annotations=… is missing; give the XML file of an export as CVAT for images 1.1")
    if shape not in SHAPES:
        raise ParameterError(f"the parameter shape must be one of {', '.join(SHAPES)}, got {shape!r}")
    try:
        from cvat_sdk.auto_annotation import DetectionFunctionSpec, label_spec
    except ImportError:
        raise ParameterError("CVAT's SDK is not installed; install it with 'pip install coarsekit[cvat]'") from None
    drawn, report = cvat.read(Path(annotations), ReadOptions())
    labels = tool_labels(drawn, "cvat")
    if not labels:
        why = f": {report.left_out[0]}" if report.left_out else ""
        raise AnnotationError(f"{annotations}: nothing that was drawn could be read{why}; export the annotated task")
    spec = DetectionFunctionSpec(labels=[label_spec(label, place, type=shape) for place, label in enumerate(labels)])
    return CvatFunction(on_device(from_pretrained(refiner), device), drawn, shape, spec)


def _request(label: int, mask: Raster, shape: str) -> Any:
    """A mask as CVAT's SDK sends it."""
    from cvat_sdk import auto_annotation

    if shape == POLYGON:
        [ring] = as_outline(mask).rings
        return auto_annotation.polygon(label, [float(value) for place in ring for value in place])
    height, width = mask.crop.shape
    box = [mask.left, mask.top, mask.left + width - 1, mask.top + height - 1]
    return auto_annotation.mask(label, [float(value) for value in (*run_lengths(mask.crop.ravel()), *box)])
