"""The Retinopathy Online Challenge's microaneurysms: one XML for all photographs; read only.

Each ``annotation`` has a ``mark``, the x, y of its centre and a ``radius`` in px, a ``lesion`` and a ``probability``.
Positions are indices of pixels, so half a pixel is added. A radius of 0 is one click, and becomes the pixel that was
clicked on. The file has no sizes: they are read from the folder of the images, or given.
"""

from pathlib import Path
from xml.etree.ElementTree import Element

from coarsekit.annotations.documents import Document, finite_number, load
from coarsekit.annotations.reading import ReadOptions, ReadResult
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import AnnotationError
from coarsekit.types import Annotation, Ellipse, Mark

TITLE = "Retinopathy Online Challenge (XML, read only)"
ONE_FILE_EACH = False
HOLDS: frozenset[str] = frozenset()


def recognise(document: Document) -> bool:
    """XML with annotations for each image."""
    return document.kind == "xml" and document.content.find("annotations-per-image") is not None


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every photograph of a file; see `Format.read`.

    Raises `AnnotationError` also when the size of no photograph is known.
    """
    document = load(source)
    path, recorder = document.path, Recorder(document.path, options)
    if not recognise(document):
        raise AnnotationError(f"{path}: not of the Retinopathy Online Challenge; expected annotations-per-image")
    annotations = []
    for place, image in enumerate(document.content.findall("annotations-per-image")):
        with recorder.forgiving(f"image {place}", image.get("imagename", "")):
            name = recorder.photograph(image.get("imagename", ""))
            size = recorder.size_of(name)
            if size is None:
                continue
            marks: list[Mark] = []
            for number, element in enumerate(image.findall("annotation")):
                where = f"{name}: annotation {number}"
                with recorder.forgiving(where):
                    details = {"attributes": {"probability": (element.findtext("probability") or "").strip()}}
                    marks += recorder.marks(
                        (element.findtext("lesion") or "").strip(), _circle(element), where, details
                    )
            annotations.append(Annotation(name, *size, tuple(marks), {"made_by": "ROC"}))
    return recorder.result(annotations)


def _circle(element: Element) -> Ellipse:
    mark = element.find("mark")
    if mark is None:
        raise AnnotationError("mark is missing; copy the file again")
    radius = max(finite_number(mark.findtext("radius"), "radius"), 0.5)
    return Ellipse(finite_number(mark.get("x"), "x") + 0.5, finite_number(mark.get("y"), "y") + 0.5, radius, radius)
