"""Refining a photograph, a folder of photographs or a dataset into a folder."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from coarsekit.annotations import annotation_files, check_marks, read_annotations, read_drawn
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.datasets.base import Dataset
from coarsekit.errors import AnnotationError, CoarsekitError, OutputError, ParameterError
from coarsekit.images import read_image
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import HUMAN, Style
from coarsekit.storage.outputs import at_work
from coarsekit.types import Annotation, Image, check_drawn_on
from zoo.output.photograph_result import PhotographResult, check_apart, content_of
from zoo.refiner import Advance, Refiner, no_progress


@dataclass(frozen=True, slots=True)
class RefineReport:
    """What `refine_to_folder` did.

    ``records``: of each photograph that was refined, what its JSON file has, too. ``kept``: the names of those that an
    earlier run had refined from the same content. ``failures``: of each that could not be refined, its name and a
    sentence. ``left_out``: a sentence for everything drawn that is not a coarse mark.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
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
    on_note: Callable[[str], None] = no_progress,
    on_failure: Callable[[str], None] = no_progress,
) -> RefineReport:
    """Refine one photograph, the photographs of a folder, or those of a dataset, and write the results to a folder.

    For a photograph ``p.png`` the folder gets a mask ``p_LESION.png`` for each lesion class, ``p_overlay.jpg`` with the
    outlines at full size, ``p_preview.jpg`` with close-ups, and the record ``p.json``. What was refined there before
    from the same pixels and marks, by the same weights and version, is kept; no other file is written over without
    ``force``, and an input never.

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
        force: Whether to write over results of an earlier run from other content, or changed since.
        progress: Called with how many steps are finished and how many there are, first with 0 finished; a step is a
            photograph, or a mark where there is only one photograph.
        on_left_out: Called with each sentence of ``left_out``, before anything is refined.
        on_note: Called with a sentence when another run is at work in the folder, and when results were kept.
        on_failure: Called with the sentence of each failure when it happens.

    Returns:
        Records, failures and what was left out. Of several photographs some can fail and the others go on.

    Raises:
        ParameterError: When the annotation is missing, or given for a dataset; for an unknown split, and for a
            reduction below 1.
        AnnotationError: When the annotation cannot be read, or does not fit the one photograph.
        ImageError: When the one photograph cannot be read.
        OutputError: When an output is an input, two photographs would share a file, or, of one photograph, other files
            are in the way.
    """
    report, folder = RefineReport(), Path(out)

    def leave_out(sentences: Iterable[str]) -> None:
        report.left_out.extend(sentences)
        for sentence in sentences:
            on_left_out(sentence)

    def fail(name: str, sentence: str) -> None:
        report.failures.append((name, sentence))
        on_failure(sentence)

    with at_work(folder, busy=on_note):
        if isinstance(source, Dataset):
            if annotation is not None:
                raise ParameterError(f"{source.name} is a dataset, which takes no annotation; leave it out")
            keys = source.keys(split)
            photographs = [_Drawn.of_dataset(source, key, reduction, style, seed) for key in keys]
            inputs = [path for key in keys for path in source.input_files(key)]
            _refine_several(refiner, folder, photographs, inputs, force, report, progress, fail)
        elif annotation is None:
            name = os.fspath(source)
            raise ParameterError(f"{name} needs an annotation; give the file of what was drawn, annotation=…")
        elif (place := Path(source)).is_dir():
            drawings, left_out = _read_folder(place, Path(annotation), labels)
            leave_out(left_out)
            photographs = [_Drawn.of_folder(place, drawn, file) for file, drawn in drawings]
            inputs = [Path(annotation), *(place / drawn.image for _, drawn in drawings)]
            _refine_several(refiner, folder, photographs, inputs, force, report, progress, fail)
        else:
            image, drawn, read = read_drawn(source, annotation, labels)
            leave_out(read.left_out)
            one = _Drawn(place.stem, drawn.image, drawn.lesions, lambda: (image, drawn))
            check_apart([one.result(folder)], [place, Path(annotation)])
            total, done = len(drawn.marks), 0
            progress(0, total)

            def advance(steps: int) -> None:
                nonlocal done
                done += steps
                progress(done, total)

            _refine(refiner, folder, one, force, report, advance)
    if report.kept:
        on_note(f"{len(report.kept)} of {len(report.records)} were refined there before from the same, and are kept.")
    return report


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A photograph to refine: the name of its files, its own, the classes that may be drawn, and how to read it."""

    stem: str
    name: str
    lesions: tuple[str, ...]
    read: Callable[[], tuple[Image, Annotation]]

    def result(self, folder: Path) -> PhotographResult:
        """The files that it may get in a folder."""
        return PhotographResult(folder, self.stem, self.lesions)

    @classmethod
    def of_dataset(cls, dataset: Dataset, key: str, reduction: float, style: Style, seed: int) -> "_Drawn":
        def read() -> tuple[Image, Annotation]:
            fundus = dataset.read(key)
            return fundus.image, annotate(fundus, reduction, style, seed, dataset.name)

        return cls(key, key, dataset.lesions, read)

    @classmethod
    def of_folder(cls, folder: Path, drawn: Annotation, file: Path) -> "_Drawn":
        def read() -> tuple[Image, Annotation]:
            image = read_image(folder / drawn.image)
            check_drawn_on(check_marks(drawn, file), image.shape)
            return image, drawn

        return cls(Path(drawn.image).stem, drawn.image, drawn.lesions, read)


def _refine_several(
    refiner: Refiner,
    folder: Path,
    photographs: Sequence[_Drawn],
    inputs: Sequence[Path],
    force: bool,
    report: RefineReport,
    progress: Callable[[int, int], None],
    fail: Callable[[str, str], None],
) -> None:
    """Refine photographs one by one; of those that cannot be refined, a sentence is reported, and the others go on."""
    possible = []
    for photograph in photographs:
        try:
            check_apart([photograph.result(folder)], ())
            possible.append(photograph)
        except OutputError as error:
            fail(photograph.name, str(error))
    check_apart([photograph.result(folder) for photograph in possible], inputs)
    progress(0, len(possible))
    for done, photograph in enumerate(possible, start=1):
        try:
            _refine(refiner, folder, photograph, force, report)
        except CoarsekitError as error:
            fail(photograph.name, str(error))
        except OSError as error:
            fail(photograph.name, f"{photograph.name}: {error.filename or folder}: {error.strerror or error}")
        progress(done, len(possible))


def _refine(
    refiner: Refiner,
    folder: Path,
    photograph: _Drawn,
    force: bool,
    report: RefineReport,
    advance: Advance = no_progress,
) -> None:
    """Refine one photograph, unless an earlier run did so from the same content."""
    image, annotation = photograph.read()
    result = PhotographResult(folder, photograph.stem, annotation.lesions)
    content = content_of(refiner, image, annotation)
    record = result.find(content, force)
    if record is not None:
        report.kept.append(photograph.name)
    report.records.append(record or result.write(refiner, image, annotation, content, advance))


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
