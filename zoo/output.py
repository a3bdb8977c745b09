"""What refining leaves on disk: for each photograph its masks, two pictures, and the record of what was done."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from coarsekit.annotations import annotation_files, check_marks, native, read_annotations, read_drawn
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.datasets.base import Dataset
from coarsekit.errors import AnnotationError, ImageError, ParameterError
from coarsekit.geometry import draw
from coarsekit.images import read_image, write_image
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import HUMAN, Style
from coarsekit.storage.files import refuse_overwrite, write_text
from coarsekit.types import Annotation, Image, Mask, check_drawn_on
from coarsekit.visualize.sheets import overlay, preview
from zoo.refiner import Advance, Refiner, no_progress


@dataclass(frozen=True, slots=True)
class RefineReport:
    """What `refine_to_folder` did.

    ``records``: of each photograph that was refined, what its JSON file has, too. ``failures``: of each that could not
    be refined, its file name and a sentence. ``left_out``: a sentence for everything drawn that is not a coarse mark.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def refine_to_folder(
    refiner: Refiner,
    source: str | os.PathLike[str] | Dataset,
    annotation: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] = "refined",
    *,
    labels: Mapping[str, str] = MappingProxyType({}),
    split: str | None = None,
    style: Style = HUMAN,
    reduction: float = 1.0,
    seed: int = 0,
    force: bool = False,
    progress: Callable[[int, int], None] = no_progress,
    on_left_out: Callable[[str], None] = no_progress,
    on_failure: Callable[[str], None] = no_progress,
) -> RefineReport:
    """Refine one photograph, the photographs of a folder, or those of a dataset, and write the results to a folder.

    For a photograph ``p.png`` the folder gets a mask ``p_LESION.png`` for each lesion class, ``p_overlay.jpg`` with the
    outlines at full size, ``p_preview.jpg`` with close-ups, and the record ``p.json``, last. A photograph that the same
    refiner refined there from the same annotation is not refined again.

    Args:
        refiner: As `zoo.from_pretrained` loads it.
        source: The file of a photograph; a folder of photographs; or a dataset with fine masks, around which ellipses
            are drawn first, as `coarsekit.annotate` does.
        annotation: What was drawn: a file in any format that `coarsekit.read_annotation` reads, or, for a folder of
            photographs, a folder of such files. A dataset takes none.
        out: The folder to write to; it is made where it is missing.
        labels: The lesion class by label of the annotation; a label without one is a lesion class itself.
        split: For a dataset: the split to refine; None for all photographs.
        style: For a dataset: how the ellipses are drawn.
        reduction: For a dataset: components / ellipses, 1 or more.
        seed: For a dataset: the seed of the drawing.
        force: Whether to write over what another refiner or annotation left in the folder.
        progress: Called with how many steps are finished and how many there are, first with 0 finished; a step is a
            photograph, or a mark where there is only one photograph.
        on_left_out: Called with each sentence of ``left_out``, before anything is refined.
        on_failure: Called with the sentence of each failure when it happens.

    Returns:
        Records, failures and what was left out. Only of a folder of photographs can some fail and the others go on.

    Raises:
        ParameterError: When the annotation is missing, or given for a dataset; for an unknown split, and for a
            reduction below 1.
        AnnotationError: When the annotation cannot be read, or does not fit the one photograph.
        ImageError: When the one photograph cannot be read.
        OutputError: When other results are in the folder and `force` is not set.
    """
    report, folder = RefineReport(), Path(out)

    def leave_out(sentences: Iterable[str]) -> None:
        report.left_out.extend(sentences)
        for sentence in sentences:
            on_left_out(sentence)

    if isinstance(source, Dataset):
        if annotation is not None:
            raise ParameterError(f"{source.name} is a dataset, which takes no annotation; leave it out")
        keys = source.keys(split)
        progress(0, len(keys))
        for done, key in enumerate(keys, start=1):
            fundus = source.read(key)
            drawn = annotate(fundus, reduction, style, seed, source.name)
            report.records.append(_refine(refiner, folder, force, key, fundus.image, drawn))
            progress(done, len(keys))
    elif annotation is None:
        raise ParameterError(f"{os.fspath(source)} needs an annotation; give the file of what was drawn, annotation=…")
    elif (place := Path(source)).is_dir():
        drawings, left_out = _read_folder(place, Path(annotation), labels)
        leave_out(left_out)
        progress(0, len(drawings))
        for done, (file, drawn) in enumerate(drawings, start=1):
            try:
                image = read_image(place / drawn.image)
                check_drawn_on(check_marks(drawn, file), image.shape)
                report.records.append(_refine(refiner, folder, force, Path(drawn.image).stem, image, drawn))
            except (AnnotationError, ImageError) as error:
                report.failures.append((drawn.image, str(error)))
                on_failure(str(error))
            progress(done, len(drawings))
    else:
        image, drawn, read = read_drawn(source, annotation, labels)
        leave_out(read.left_out)
        total, done = len(drawn.marks), 0
        progress(0, total)

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            progress(done, total)

        report.records.append(_refine(refiner, folder, force, place.stem, image, drawn, advance))
    return report


def _read_folder(
    photographs: Path, path: Path, labels: Mapping[str, str]
) -> tuple[list[tuple[Path, Annotation]], tuple[str, ...]]:
    """The annotation of every photograph with the file that has it, and a sentence for everything left out."""
    options, report = ReadOptions(labels, photographs), ReadReport()
    drawings: list[tuple[Path, Annotation]] = []
    for file in annotation_files(path):
        annotations, own = read_annotations(file, options)
        drawings += [(file, one) for one in annotations]
        report += own
    if not drawings:
        raise AnnotationError(f"{path}: no photograph in it; export the annotation again")
    # Outputs are named by the stem, so two photographs of one stem would write over one another.
    twice = [stem for stem, times in Counter(Path(one.image).stem for _, one in drawings).items() if times > 1]
    if twice:
        raise AnnotationError(f"{path}: {twice[0]} is annotated more than once; keep one annotation of it")
    return drawings, report.left_out


def _refine(
    refiner: Refiner,
    folder: Path,
    force: bool,
    stem: str,
    image: Image,
    annotation: Annotation,
    advance: Advance = no_progress,
) -> dict[str, Any]:
    """Refine one photograph, write its files, named by ``stem``, and return the record.

    The record is written last: where one of the same refiner and annotation is there already, nothing is left to do.
    """
    masks = {lesion: folder / f"{stem}_{lesion}.png" for lesion in annotation.lesions}
    pictures = {"overlay": folder / f"{stem}_overlay.jpg", "preview": folder / f"{stem}_preview.jpg"}
    line = folder / f"{stem}.json"
    drawn = sha256(native.dumps(annotation).encode()).hexdigest()
    done = _done(line, refiner, drawn)
    if done is not None and not force and all(p.exists() for p in (*masks.values(), *pictures.values())):
        return done
    refuse_overwrite([*masks.values(), *pictures.values(), line], force)
    began = time.perf_counter()
    refined = refiner.refine(image, annotation, advance)
    seconds = time.perf_counter() - began
    for lesion, mask in refined.items():
        write_image(masks[lesion], mask)
    write_image(pictures["overlay"], overlay(image, annotation, refined))
    write_image(pictures["preview"], preview(image, annotation, refined))
    record = {
        "image": annotation.image,
        "width": annotation.width,
        "height": annotation.height,
        "refiner": refiner.name,
        "trained_on": refiner.trained_on,
        "weights_sha256": refiner.weights_sha256,
        "annotation_sha256": drawn,
        "seconds": round(seconds, 2),
        "masks": [_count(lesion, annotation, mask, masks[lesion]) for lesion, mask in refined.items()],
        **{what: str(path) for what, path in pictures.items()},
    }
    write_text(line, json.dumps(record) + "\n")
    return record


def _done(line: Path, refiner: Refiner, drawn: str) -> dict[str, Any] | None:
    """The record of an earlier run that did the same; None where there is none."""
    try:
        record = json.loads(line.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = {"refiner": refiner.name, "weights_sha256": refiner.weights_sha256, "annotation_sha256": drawn}
    return record if isinstance(record, dict) and record.items() >= same.items() else None


def _count(lesion: str, annotation: Annotation, mask: Mask, file: Path) -> dict[str, Any]:
    ellipses = annotation.of(lesion)
    return {
        "lesion": lesion,
        "ellipses": len(ellipses),
        "coarse_pixels": int(np.count_nonzero(draw(ellipses, mask.shape))),
        "refined_pixels": int(np.count_nonzero(mask)),
        "file": str(file),
    }
