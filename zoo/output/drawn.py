"""What there is to refine: photographs and what was drawn on them, of a dataset or a folder, found before any work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coarsekit.annotations import annotation_files, read_all
from coarsekit.annotations.annotators import annotated_once, annotator_of, folders_of
from coarsekit.annotations.fitting import fitted
from coarsekit.annotations.photograph_files import PhotographFiles
from coarsekit.annotations.photograph_names import stem_of
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.datasets.base import Dataset
from coarsekit.errors import AnnotationError
from coarsekit.images import read_image
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import Style
from coarsekit.types import Annotation, Image
from zoo.output.photograph_result import PhotographResult

_SAID = 3
"""Of this many photographs that are not found a sentence is said each; an export may name hundreds."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A photograph to refine: the name of its files, its own, the classes that may be drawn, and how to read it.

    ``read``: gives what is seen only once it is opened, too. ``file``: the photograph's; None where no single file has
    it.
    """

    stem: str
    name: str
    lesions: tuple[str, ...]
    read: Callable[[], tuple[Image, Annotation, ReadReport]]
    file: Path | None = None

    def result(self, folder: Path) -> PhotographResult:
        """The files that it may get in a folder."""
        place = folder / self.stem
        return PhotographResult(place.parent, place.name, self.lesions, self.file)

    @classmethod
    def of_dataset(cls, dataset: Dataset, key: str, reduction: float, style: Style, seed: int) -> "Drawn":
        def read() -> tuple[Image, Annotation, ReadReport]:
            fundus = dataset.read(key)
            return fundus.image, annotate(fundus, reduction, style, seed, dataset.name), ReadReport()

        return cls(key, key, dataset.lesions, read, next(iter(dataset.input_files(key)), None))


@dataclass(frozen=True, slots=True)
class InFolder:
    """What was drawn on a photograph of a folder.

    ``file``: the photograph's; None where it is not found. ``reason``: why not. ``stem``: the name of its outputs.
    """

    annotation: Annotation
    file: Path | None
    reason: str
    stem: str

    @property
    def lesions(self) -> tuple[str, ...]:
        return self.annotation.lesions

    def drawn(self, file: Path, strict: bool) -> Drawn:
        """The photograph to refine, which is in ``file``."""

        def read() -> tuple[Image, Annotation, ReadReport]:
            image = read_image(file)
            return image, *fitted(self.annotation, image.shape, self.annotation.image, strict)

        return Drawn(self.stem, self.annotation.image, self.lesions, read, file)


def drawn_in_folder(
    photographs: Path, path: Path, options: ReadOptions, out: Path
) -> tuple[list[InFolder], ReadReport]:
    """What was drawn on each photograph of a folder, and the report of reading it."""
    root, options = path if path.is_dir() else None, replace(options, images=photographs)
    found, report = read_all(annotation_files(path, apart=out), options, root)
    files = PhotographFiles(options.photographs, [annotation for _, annotation in found])
    found, twice = annotated_once(found, files.photograph_of)
    if twice and options.strict:
        raise AnnotationError(f"{path}: {twice[0][1]}")
    report += ReadReport(photographs=tuple(twice))
    annotations = [annotation for _, annotation in found]
    if not annotations and not report.photographs:
        why = f"nothing in it could be read: {report.left_out[0]}" if report.left_out else "no photograph in it"
        raise AnnotationError(f"{path}: {why}; export the annotation again")
    drawings, elsewhere, apart = [], [], set[str]()
    for annotation, annotator in zip(annotations, folders_of(annotations, files.photograph_of), strict=True):
        file = files.file_of(annotation)
        name = annotation.image if file is None else file.relative_to(photographs).as_posix()
        if name != annotation.image:
            elsewhere.append(f"{annotation.image} as {name}")
        if annotator and file is not None:
            apart.add(annotator_of(annotation))
        stem = stem_of(f"{annotator}/{name}" if annotator else name)
        drawings.append(InFolder(annotation, file, files.reason_of(annotation), stem))
    notes = []
    if elsewhere:
        more = ", …" if len(elsewhere) > 3 else ""
        count = "1 photograph was" if len(elsewhere) == 1 else f"{len(elsewhere)} photographs were"
        name = "another name" if len(elsewhere) == 1 else "other names"
        notes.append(f"{count} found under {name}: {', '.join(elsewhere[:3])}{more}.")
    if apart:
        who = ", ".join(sorted(apart))
        notes.append(
            f"Several annotated the same photographs, of which each gets a folder: {who}; annotator=… chooses one."
        )
    return drawings, report + ReadReport(notes=tuple(notes))


def those_there(
    drawings: Sequence[InFolder], failures: list[tuple[str, str]], on_failure: Callable[[str], None]
) -> list[tuple[InFolder, Path]]:
    """The drawings whose photograph is there, with its file; the others fail, and of many not each is said."""
    missing = [(one.annotation.image, one.reason) for one in drawings if one.file is None]
    failures.extend(missing)
    for _, sentence in missing[:_SAID]:
        on_failure(sentence)
    if others := [name for name, _ in missing[_SAID:]]:
        more = ", …" if len(others) > 3 else ""
        photographs = "1 more photograph is" if len(others) == 1 else f"{len(others)} more photographs are"
        on_failure(f"{photographs} not found either: {', '.join(others[:3])}{more}")
    return [(one, one.file) for one in drawings if one.file is not None]


def without_shared_files(photographs: Sequence[Drawn], folder: Path) -> tuple[list[Drawn], list[tuple[str, str]]]:
    """The photographs whose results share no file in a folder; and of each other its name and a sentence."""
    owners: dict[Path, list[str]] = {}
    for photograph in photographs:
        for file in photograph.result(folder).files:
            owners.setdefault(file, []).append(photograph.name)
    apart, sharing = [], []
    for photograph in photographs:
        clash = next((file for file in photograph.result(folder).files if len(owners[file]) > 1), None)
        if clash is None:
            apart.append(photograph)
        else:
            names = " and ".join(owners[clash])
            said = f"{photograph.name}: {clash} would be written for {names}; rename one of them"
            sharing.append((photograph.name, said))
    return apart, sharing
