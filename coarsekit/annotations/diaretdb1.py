"""DIARETDB1's ground truth: XML, one file for each photograph and expert; read only.

A ``marking`` is a circle, an ellipse or a polygon with a confidence level and a type. Radii and the ``angle``, which is
in degrees counter-clockwise on the screen, belong to the x and y axes by their ``direction``. Positions are indices of
pixels, so half a pixel is added. A radius of 0 is one click, and becomes the pixel that was clicked on.

The types are labels as any other tool's. The expert is the annotator; the confidence levels are in the provenance, in
the order of the marks. Files that do not name their photograph are known by their own names
(``diaretdb1_image001_01_plain.xml``), and all photographs are 1500 × 1152 px.
"""

import re
from pathlib import Path
from xml.etree.ElementTree import Element

from coarsekit.annotations.documents import Document, error_context, finite_number, load
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.annotations.reading import ReadOptions, ReadResult
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import AnnotationError
from coarsekit.types import Annotation, Ellipse, Mark, Polygon, Shape

TITLE = "DIARETDB1 (XML, read only)"
ONE_FILE_EACH = True
HOLDS: frozenset[str] = frozenset()
SIZE = (1500, 1152)


def recognise(document: Document) -> bool:
    """XML with a list of markings."""
    return document.kind == "xml" and document.content.find("markinglist") is not None


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read the one photograph of a file, as one expert marked it; see `Format.read`."""
    document = load(source)
    path, recorder = document.path, Recorder(document.path, options)
    if not recognise(document):
        raise AnnotationError(f"{path}: not a ground truth of DIARETDB1; expected XML with a markinglist")
    marks: list[Mark] = []
    confidence: list[str] = []
    for place, marking in enumerate(document.content.findall("markinglist/marking")):
        with recorder.forgiving(f"marking {place}"):
            shape = _shape(marking)
            label = _text(marking, "markingtype")
            if isinstance(shape, str):
                recorder.leave_out(f"marking {place} ({label})", shape)
                continue
            own = recorder.marks(label, shape, f"marking {place}")
            marks += own
            confidence += [(marking.findtext("confidencelevel") or "").strip()] * len(own)
    stem = re.sub(r"(_\d\d)?(_plain)?$", "", path.stem)
    expert = re.search(r"_(\d\d)(_plain)?$", path.stem)
    named = next((text for tag in ("imgname", "imagename") if (text := document.content.findtext(f".//{tag}"))), None)
    with error_context(str(path)):
        name = photograph_name(named.strip() if named else f"{stem}.png")
    provenance = {"made_by": "DIARETDB1", "expert": expert and expert[1], "confidence": confidence}
    return recorder.result([Annotation(name, *(recorder.options.size_of(name) or SIZE), tuple(marks), provenance)])


def _shape(marking: Element) -> Shape | str:
    """The region of a marking, or why it has none."""
    region = next((child for child in marking if child.tag.endswith("region")), None)
    if region is None:
        return "it has no region"
    if region.tag == "polygonregion":
        corners = [_place(element) for element in region.findall("coords2d")]
        return Polygon((tuple(corners),)) if len(corners) > 2 else "its polygon has fewer than three corners"
    centre = region.find("centroid/coords2d")
    if region.tag not in ("circleregion", "ellipseregion") or centre is None:
        raise AnnotationError(f"{region.tag} with a centroid is expected to be a circleregion or an ellipseregion")
    (cx, cy), radii = _place(centre), [finite_number(radius.text, "radius") for radius in region.findall("radius")]
    if region.tag == "circleregion":
        if not radii:
            raise AnnotationError("radius is missing; copy the file again")
        return Ellipse(cx, cy, max(radii[0], 0.5), max(radii[0], 0.5))
    by_axis = {e.get("direction"): finite_number(e.text, "radius") for e in region.findall("radius")}
    if set(by_axis) != {"x", "y"}:
        raise AnnotationError("an ellipseregion needs a radius of direction x and one of direction y")
    angle = finite_number(_text(region, "angle"), "angle")
    return Ellipse(cx, cy, max(by_axis["x"], 0.5), max(by_axis["y"], 0.5), -angle % 180)


def _place(element: Element) -> tuple[float, float]:
    parts = (element.text or "").split(",")
    if len(parts) != 2:
        raise AnnotationError(f"coords2d must be x,y, got {(element.text or '')[:40]!r}")
    return finite_number(parts[0], "coords2d") + 0.5, finite_number(parts[1], "coords2d") + 0.5


def _text(element: Element, tag: str) -> str:
    text = (element.findtext(tag) or "").strip()
    if not text:
        raise AnnotationError(f"{tag} is missing; copy the file again")
    return text
