"""What the demo does without its page: a painted photograph in, masks and what is said of them out."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.annotations.labels import known
from coarsekit.annotations.native import dumps
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.images import encode_png
from coarsekit.storage.files import write_texts
from coarsekit.storage.outputs import claim_outputs
from coarsekit.types import EX, HE, MA, SE, Annotation, Image, Mark, Mask
from coarsekit.visualize.sheets import overlay
from zoo.integrations.strokes import shapes_of
from zoo.output.notes import notes_on_answer
from zoo.refiner import Refiner

NAME = "photograph"
"""What files are called after."""
CLASSES = {MA: "microaneurysms", HE: "haemorrhages", EX: "hard exudates", SE: "soft exudates"}
"""What is offered; any other name may be given."""
_OPAQUE = 128
"""Paint that is more transparent is the rim of a line."""
_COLUMNS = ("mark", "lesion", "drawn_as", "refined_as", "found", "drawn_pixels", "refined_pixels", "expected_iou")


@dataclass(frozen=True, slots=True, eq=False)
class DemoAnswer:
    """What is shown of a refined drawing.

    ``picture``: (h, w, 3) uint8 RGB, with the outlines of what was drawn and of the masks. ``rows``: a dictionary for
    each mark. ``archive``: a ZIP of the masks, the table of marks and the drawing. ``notes``: sentences on what was
    seen in the marks, such as that they contradict their label.
    """

    picture: Image
    rows: list[dict[str, Any]]
    archive: bytes
    notes: list[str]


def painted(value: Mapping[str, Any] | None) -> tuple[Image, list[Mask]]:
    """The photograph and the paint on each layer of an image editor.

    Args:
        value: ``background``: (h, w), (h, w, 3) or (h, w, 4) uint8; ``layers``: each (h, w, 4) uint8, of the
            photograph's size or another copy's. None where there is nothing.

    Returns:
        (h, w, 3) uint8 RGB, and an (h, w) boolean mask for each layer.

    Raises:
        ImageError: When there is no photograph, or what is there is no such array.
    """
    given = value if isinstance(value, Mapping) else {}
    background = given.get("background")
    if background is None or not np.asarray(background).any():
        raise ImageError("there is no photograph; drop one on the page")
    pixels = _checked(background, "the photograph", (None, 3, 4))[..., :3]
    if not pixels.any():  # an editor without a photograph has a background that is opaque
        raise ImageError("there is no photograph; drop one on the page")
    image = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    size = image.shape[1], image.shape[0]
    layers = [_checked(each, "the drawing", (4,)) for each in given.get("layers") or () if each is not None]
    opaque = [(layer[..., 3] >= _OPAQUE).astype(np.uint8) for layer in layers]
    return np.ascontiguousarray(image), [cv2.resize(one, size, interpolation=cv2.INTER_NEAREST) > 0 for one in opaque]


def _checked(content: Any, what: str, channels: Sequence[int | None]) -> NDArray[np.uint8]:
    """An array (h, w, c) uint8 with one of ``channels``, of which None stands for (h, w).

    Raises `ImageError` when it is none.
    """
    pixels = np.asarray(content)
    found = None if pixels.ndim == 2 else pixels.shape[-1] if pixels.ndim == 3 else -1
    if pixels.dtype != np.uint8 or not pixels.size or found not in channels:
        shapes = ", ".join("(h, w)" if count is None else f"(h, w, {count})" for count in channels)
        raise ImageError(f"{what} is {pixels.shape} {pixels.dtype}; expected {shapes} uint8: drop the photograph again")
    return pixels[..., None] if pixels.ndim == 2 else pixels


def drawing_of(image: Image, layers: Sequence[Mask], lesion: str) -> Annotation:
    """What was painted, as an annotation.

    Args:
        image: (h, w, 3) uint8 RGB.
        layers: (h, w) boolean each.
        lesion: The class: one that is known, by any of its usual names, or any other.

    Returns:
        The annotation, with a mark for each line, dot or blot, see `zoo.integrations.strokes`.

    Raises:
        AnnotationError: When nothing was painted, or the class has no name that a file can have.
    """
    name = known(lesion) or lesion.strip()
    marks = tuple(Mark(name, shape) for layer in layers for shape in shapes_of(layer))
    if not marks:
        raise AnnotationError("nothing is drawn; draw around a lesion with the brush, or click on it")
    return Annotation(f"{NAME}.png", image.shape[1], image.shape[0], marks, {"made_by": "coarsekit demo"})


def refine_drawing(refiner: Refiner, image: Image, drawing: Annotation) -> DemoAnswer:
    """Refine a drawing.

    Args:
        refiner: What refines.
        image: (h, w, 3) uint8 RGB, of the drawing's size.
        drawing: What was drawn.

    Returns:
        What is shown, and the files to download.

    Raises:
        AnnotationError: When the drawing is of another size.
    """
    refined = refiner.refine_marks(image, drawing)
    rows = [{name: row.get(name) for name in _COLUMNS} for row in (one.row() for one in refined.marks)]
    table = StringIO(newline="")
    writer = csv.DictWriter(table, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for lesion, mask in refined.masks.items():
            archive.writestr(f"{NAME}_{lesion}.png", encode_png(mask))
        archive.writestr(f"{NAME}_marks.csv", table.getvalue())
        archive.writestr(f"{NAME}_drawing.json", dumps(drawing))
    notes = notes_on_answer("the photograph", refined)
    return DemoAnswer(overlay(image, drawing, refined.masks), rows, content.getvalue(), notes)


def write_space(folder: Path, refiner: str, gradio_version: str, version: str, force: bool = False) -> list[Path]:
    """Write the files of a Space of the Hugging Face Hub that shows the page.

    Args:
        folder: The folder to write to.
        refiner: The name of a bundled refiner, or a repository on the Hub.
        gradio_version: The version of Gradio that the Space is to install.
        version: That of this package, likewise.
        force: Whether to write over files that are there.

    Returns:
        The files.

    Raises:
        OutputError: When files are in the way.
    """
    texts = {
        folder / "app.py": _APP.format(refiner=refiner),
        folder / "requirements.txt": f"coarsekit[demo]=={version}\n",
        folder / "README.md": _README.format(version=gradio_version, refiner=refiner),
    }
    claim_outputs(texts, force, own=lambda _: False)
    write_texts(texts)
    return list(texts)


_APP = '''"""Draw around the lesions on a fundus photograph, and get their pixel masks."""

from zoo.integrations.demo_page import launch
from zoo.loading import from_pretrained

launch(from_pretrained({refiner!r}), host="0.0.0.0", port=7860)
'''
_README = """---
title: Refine fundus lesions
emoji: 👁️
colorFrom: red
colorTo: yellow
sdk: gradio
sdk_version: {version}
python_version: "3.11"
app_file: app.py
license: apache-2.0
---

Draw around the lesions on a fundus photograph, and {refiner} turns the drawing into pixel masks. For research, not for
diagnosis. Photographs that are dropped here are sent to this Space.
"""
