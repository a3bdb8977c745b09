"""What was drawn on a photograph, and whether it fits: its name, its proportions, and where the marks lie."""

import os
from dataclasses import replace
from pathlib import Path

from coarsekit.annotations.annotators import names_of
from coarsekit.annotations.photograph_names import (
    choose,
    folders_differ,
    photograph_name,
    plainly_other,
    same_photograph,
)
from coarsekit.annotations.reading import ReadReport
from coarsekit.annotations.tool_frame import scaled_to
from coarsekit.errors import AnnotationError, did_you_mean
from coarsekit.geometry import covers_any, extent
from coarsekit.marks import CLICK, ways_drawn
from coarsekit.types import KINDS, Annotation, check_drawn_on, sized


def fitted(
    annotation: Annotation, shape: tuple[int, ...], name: str, strict: bool = False
) -> tuple[Annotation, ReadReport]:
    """The annotation in the pixels of its photograph, without the marks that have none of these.

    Args:
        annotation: What was drawn, perhaps on a smaller or larger copy.
        shape: (h, w, …) of the photograph, px.
        name: What sentences call the photograph.
        strict: Whether to raise for the first mark without a pixel.

    Returns:
        The annotation, which remembers the size of the copy, see `coarsekit.annotations.tool_frame`; and the report:
        the scale, and what was left out.

    Raises:
        AnnotationError: When the copy has other proportions, and when no mark has a pixel.
    """
    height, width = shape[:2]
    report = ReadReport()
    if (annotation.height, annotation.width) != (height, width):
        scale = width / annotation.width
        # Both sides of the copy are whole numbers, so that its proportions are off by half a pixel of each.
        if abs(annotation.height * scale - height) > max(scale * (1 + annotation.height / annotation.width) / 2, 1.0):
            check_drawn_on(annotation, shape, name)
        sentence = (
            f"{name}: drawn on a copy of {annotation.width} × {annotation.height} px, and scaled by {scale:.4g} to "
            f"its {width} × {height} px."
        )
        report += ReadReport(notes=(sentence,))
        annotation = scaled_to(annotation, width, height)
    outside = _without_pixels(annotation)
    if not outside:
        return annotation, report
    if strict or len(outside) == len(annotation.marks):
        raise AnnotationError(f"{name}: {next(iter(outside.values()))}")
    marks = tuple(mark for place, mark in enumerate(annotation.marks) if place not in outside)
    sentences = list(outside.values())
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return replace(annotation, marks=marks), report + ReadReport(left_out=(f"{name}: {sentences[0]}{more}",))


def check_marks(annotation: Annotation, path: str | os.PathLike[str]) -> Annotation:
    """The annotation itself, once every mark is seen to have pixels of its photograph; ``path`` is where it was read.

    Raises `AnnotationError` for the first mark that has none.
    """
    for sentence in _without_pixels(annotation).values():
        raise AnnotationError(f"{path}: {sentence}")
    return annotation


def _without_pixels(annotation: Annotation) -> dict[int, str]:
    """By the place of each mark that has no pixel of its photograph, a sentence that names it.

    It lies wholly outside, or between the middles of pixels. A click has a size of its own.
    """
    width, height = annotation.width, annotation.height
    places: dict[str, int] = {}
    found = {}
    for index, (mark, way) in enumerate(zip(annotation.marks, ways_drawn(annotation), strict=True)):
        kind = KINDS[type(mark.shape)]
        place = places[kind] = places.get(kind, -1) + 1
        x0, y0, x1, y1 = extent(mark.shape)
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            found[index] = (
                f"{kind}.{place} lies wholly outside the photograph of {width} × {height} px "
                f"(its centre is {(x0 + x1) / 2:g}, {(y0 + y1) / 2:g}); remove or move it"
            )
        elif way != CLICK and not covers_any(sized(mark.shape, width), (height, width)):
            found[index] = (
                f"{kind}.{place} covers no pixel of the photograph of {width} × {height} px "
                f"(it is {x1 - x0:.3g} × {y1 - y0:.3g} px around {(x0 + x1) / 2:g}, {(y0 + y1) / 2:g}); "
                "remove it or draw it larger"
            )
    return found


def check_name(annotation: Annotation, photograph: Path, path: str | os.PathLike[str]) -> list[str]:
    """A note where an annotation names a photograph by another name, or in another folder.

    A folder that is called otherwise may be another patient's, or what a tool made of the folder here.

    Raises `AnnotationError` where it plainly is of another: of one that is there, too, or that has another number or is
    of the other eye.
    """
    whole = absolute(photograph)
    places = [folder / annotation.image for folder in list(whole.parents)[: annotation.image.count("/") + 1]]
    there = [place for place in places if place.is_file()]
    own = same_photograph(annotation.image, photograph.name) and all(place.samefile(photograph) for place in there)
    if plainly_other(annotation.image, str(whole)) or (there and not own):
        raise AnnotationError(
            f"{path}: it is of {annotation.image}, not of {_shown(photograph) if there else photograph.name}; give "
            "that photograph, or ignore_name=True to take it all the same"
        )
    elsewhere = not there and folders_differ(annotation.image, str(whole))
    if own and not elsewhere:
        return []
    taken = _shown(photograph) if elsewhere else photograph.name
    return [f"{path}: drawn on a photograph called {annotation.image}, which {taken} is taken for."]


def _shown(photograph: Path) -> Path:
    """A photograph as it was given, with its folder at least."""
    whole = absolute(photograph)
    return Path(whole.parent.name, whole.name) if photograph.parent == Path() else photograph


def absolute(photograph: Path) -> Path:
    """The path of a photograph with all its folders, so that these tell it apart wherever a command is run."""
    return Path(os.path.normpath(photograph.absolute()))  # a link keeps its name


def the_one_of(
    annotations: list[Annotation],
    path: str | os.PathLike[str],
    photograph: str | None,
    report: ReadReport | None = None,
) -> Annotation:
    """Of the annotations that were read of ``path`` that of a photograph, or the only one; ``report``: of the reading.

    Raises `AnnotationError` where there is none, or several are.
    """
    if len(annotations) == 1:
        return annotations[0]
    if not annotations:
        why = (
            f"nothing in it could be read: {report.left_out[0]}" if report and report.left_out else "has no photograph"
        )
        raise AnnotationError(f"{path}: {why}; export the annotation again")
    if photograph is None:
        raise AnnotationError(f"{path}: has {len(annotations)} photographs; say which by its file name")
    name = photograph_name(photograph).rpartition("/")[2]
    own = choose(annotations, photograph)
    if len(own) > 1:
        who = sorted({who for one in own for who in names_of(one)[:1]})
        how = f"choose one of the annotators {', '.join(who)} by annotator=…" if who else "keep one of them in the file"
        names = list(dict.fromkeys(one.image for one in own))
        of = f"{name} ({' and '.join(names)})" if len(names) > 1 else name
        raise AnnotationError(f"{path}: has {len(own)} annotations of {of}; {how}")
    if not own:
        known = [annotation.image for annotation in annotations]
        shown = ", ".join(known[:3]) + (", …" if len(known) > 3 else "")
        raise AnnotationError(f"{path}: has no annotation of {name}, but of {shown}{did_you_mean(name, known)}")
    return own[0]
