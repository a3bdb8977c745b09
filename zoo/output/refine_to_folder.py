"""Refining a photograph, a folder of photographs or a dataset into a folder."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from coarsekit.annotations import annotation_files, read_drawn
from coarsekit.annotations.reading import ReadOptions
from coarsekit.datasets.base import Dataset
from coarsekit.errors import ParameterError
from coarsekit.scale import check_field_of_view
from coarsekit.simulation.styles import HUMAN, Style, as_style
from coarsekit.storage.files import given_path
from coarsekit.storage.outputs import at_work
from zoo.loading import from_pretrained
from zoo.output.drawn import Drawn, drawn_in_folder, those_there
from zoo.output.folder_run import FolderRun, Listener, RefineReport
from zoo.output.tool_files import (
    NO_TOOLS,
    ToolOptions,
    check_tool_files,
)
from zoo.refiner import Refiner, no_progress


def refine_to_folder(
    refiner: Refiner | str | os.PathLike[str],
    source: str | os.PathLike[str] | Dataset,
    annotation: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] = "refined",
    *,
    labels: Mapping[str, str | None] = MappingProxyType({}),
    label_attribute: str | None = None,
    annotator: str | None = None,
    strict: bool = False,
    points: bool = True,
    lines: bool = True,
    ignore_name: bool = False,
    field_of_view: float | None = None,
    split: str | None = None,
    style: str | os.PathLike[str] | Style = HUMAN,
    reduction: float = 1.0,
    seed: int = 0,
    force: bool = False,
    jobs: int = 1,
    for_tools: ToolOptions = NO_TOOLS,
    progress: Callable[[int, int], None] = no_progress,
    on_photograph: Callable[[str], None] = no_progress,
    on_left_out: Callable[[str], None] = no_progress,
    on_note: Callable[[str], None] = no_progress,
    on_failure: Callable[[str], None] = no_progress,
) -> RefineReport:
    """Refine one photograph, the photographs of a folder, or those of a dataset, and write the results to a folder.

    For a photograph ``p.png`` the folder gets a mask ``p_LESION.png`` for each lesion class, ``p_overlay.jpg`` with the
    outlines at full size, ``p_preview.jpg`` with close-ups, and the record ``p.json``. What was refined there before
    from the same pixels and marks, by the same weights and version, is kept; no other file is written over without
    ``force``, and an input never.

    Args:
        refiner: As `zoo.from_pretrained` loads it, or what it takes: a name, a folder or a repository.
        source: The file of a photograph; a folder of photographs; or a dataset with fine masks, around which ellipses
            are drawn first, as `coarsekit.annotate` does.
        annotation: What was drawn: a file in any format that `coarsekit.read_annotation` reads, or, for a folder of
            photographs, a folder of such files. A dataset takes none.
        out: The folder to write to; it is made where it is missing.
        labels: The lesion class by label of the annotation, before the names that are known; this and
        label_attribute: the attribute that holds the label,
        annotator: whose drawings to take, and
        strict: whether nothing may be left out,
        points: whether points, and
        lines: whether lines are taken, are as in `coarsekit.annotations.reading.ReadOptions`.
        ignore_name: Whether the only annotation of a file is taken for the one photograph, whatever it names.
        field_of_view: Diameter of the circle in which the camera shows the retina, px; None to find it on each
            photograph, see `coarsekit.scale.scale_of`.
        split: For a dataset: the split to refine; None for all photographs.
        style: For a dataset: how the ellipses are drawn: a style, its name, or its TOML file.
        reduction: For a dataset: components / ellipses, 1 or more.
        seed: For a dataset: the seed of the drawing.
        force: Whether to write over results of an earlier run from other content, or changed since.
        jobs: Photographs at a time, each in a process of its own on one thread; results are the same for any number.
        for_tools: Annotation formats to write the masks of all photographs in, a mask for each mark, beside the others.
        progress: Called with how many steps are finished and how many there are, first with 0 finished; a step is a
            photograph, or a mark where there is only one photograph.
        on_photograph: Called with a line for each of several photographs when it is done.
        on_left_out: Called with each sentence of ``left_out``, before anything is refined.
        on_note: Called with a sentence when another run is at work in the folder, and when results were kept.
        on_failure: Called with the sentence of each failure when it happens; of many photographs that are not found the
            last are named in one.

    Returns:
        Records, failures and what was left out. Of several photographs some can fail and the others go on.

    Raises:
        ParameterError: When the annotation is missing, or given for a dataset; for an unknown split, for a reduction
            or jobs below 1, for a field of view of no retina, and when one of several processes was ended by the
            system.
        AnnotationError: When the annotation cannot be read, or does not fit the one photograph; when several annotated
            a photograph, and a format for tools holds one annotation of each.
        ImageError: When the one photograph cannot be read.
        RefinerError: When there is no refiner of that name.
        OutputError: When an output is an input, two photographs would share a file, or, of one photograph, other files
            are in the way.

    Examples:
        >>> refiner = zoo.from_pretrained("shrink")
        >>> report = zoo.refine_to_folder(refiner, "PHOTOGRAPHS", "annotations.xml", "masks")
        >>> [record["image"] for record in report.records], report.failures
        (['image.png'], [])
    """
    using, folder = _checked(refiner, source, annotation, jobs, field_of_view), given_path(out, "out")
    check_tool_files(folder, for_tools, force)
    options = ReadOptions(
        labels, label_attribute=label_attribute, annotator=annotator, strict=strict, points=points, lines=lines
    )
    listener = Listener(progress, on_photograph, on_left_out, on_note, on_failure)
    images = None if isinstance(source, Dataset) else Path(source)
    if images is not None and images.is_file():
        images = images.parent
    run = FolderRun(using, folder, images, options, for_tools, force, jobs, field_of_view, listener)
    with at_work(folder, busy=on_note):
        if isinstance(source, Dataset):
            if annotation is not None:
                raise ParameterError(f"{source.name} is a dataset, which takes no annotation; leave it out")
            keys, kind = source.keys(split), as_style(style)
            photographs = [Drawn.of_dataset(source, key, reduction, kind, seed) for key in keys]
            run.refine_several(photographs, [path for key in keys for path in source.input_files(key)])
        elif annotation is None:
            name = os.fspath(source)
            raise ParameterError(f"{name} needs an annotation; give the file of what was drawn, annotation=…")
        elif (place := Path(source)).is_dir():
            drawings, read = drawn_in_folder(place, Path(annotation), options, folder)
            run.report_reading(read, [one.annotation for one in drawings])
            for name, sentence in read.photographs:
                run.fail(name, sentence)
            found = those_there(drawings, run.report.failures, on_failure)
            inputs = [Path(annotation), *annotation_files(annotation, folder), *(file for _, file in found)]
            run.refine_several([one.drawn(file, options.strict) for one, file in found], inputs)
        else:
            image, drawn, read = read_drawn(source, annotation, options, ignore_name)
            run.report_reading(read, [drawn])
            run.refine_photograph(place, image, drawn, [place, Path(annotation)])
        run.finish()
    return run.report


def _checked(
    refiner: Refiner | str | os.PathLike[str],
    source: str | os.PathLike[str] | Dataset,
    annotation: str | os.PathLike[str] | None,
    jobs: int,
    field_of_view: float | None,
) -> Refiner:
    """The refiner, once what a caller gives is seen to be usable."""
    if not isinstance(jobs, int) or jobs < 1:
        raise ParameterError(f"the parameter jobs must be 1 or more, got {jobs!r}")
    if not isinstance(source, Dataset):
        given_path(source, "source")
    if annotation is not None:
        given_path(annotation, "annotation")
    if field_of_view is not None:
        check_field_of_view(field_of_view)
    return refiner if isinstance(refiner, Refiner) else from_pretrained(refiner)
