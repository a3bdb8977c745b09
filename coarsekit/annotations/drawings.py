"""What several annotators drew on the same photographs: found and read, by annotator."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from coarsekit.annotations import read_all
from coarsekit.annotations.annotators import annotated_once, annotator_of
from coarsekit.annotations.documents import SUFFIXES
from coarsekit.annotations.labels import Labels, completed
from coarsekit.annotations.photograph_files import PhotographFiles
from coarsekit.annotations.photograph_names import stem_of
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.annotations.spellings import spelt_as_one
from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.types import Annotation

Drawings: TypeAlias = dict[str, dict[str, Annotation]]
"""By annotator, and by photograph: its file name without the suffix, or its path where some share a file name."""


def find_drawings(annotators: Sequence[str]) -> list[tuple[str, Path]]:
    """The annotation files of each annotator, who is named by a file or by a folder with files anywhere in it.

    Raises `ParameterError` when an annotator is named twice or has no annotation file.
    """
    for annotator, times in Counter(annotators).items():
        if times > 1:
            raise ParameterError(f"{annotator} is named twice; name the drawings of each annotator once")
    found = []
    for annotator in annotators:
        place = Path(annotator)
        paths = [place] if place.is_file() else sorted(place.rglob("*.*"))
        own = [path for path in paths if path.suffix.lower() in (*SUFFIXES, ".zip")]
        if not own:
            raise ParameterError(
                f"{annotator}: no annotation ({', '.join(SUFFIXES)}) in it; expected one annotator's drawings, "
                "a folder or a file"
            )
        found += [(annotator, path) for path in own]
    return found


def read_drawings(
    files: Sequence[tuple[str, Path]], options: ReadOptions, advance: Callable[[int], None] = lambda _: None
) -> tuple[Drawings, ReadReport]:
    """Read the annotators and files of `find_drawings`; ``advance``: called with 1 for each file.

    Where the photographs are given, drawings are of one that lie on one file, however its name is spelt. Where one of
    the annotators has drawings of several people on a photograph, each of these is an annotator. Spellings of a label
    are one class for all. A photograph on which an annotator drew twice is left out of that annotator's, and named.

    Raises `AnnotationError` where nothing can be read, and, where the options are strict, when an annotator drew on a
    photograph twice.
    """
    read: dict[str, list[tuple[Path, Annotation]]] = {}
    report = ReadReport()
    for annotator in dict.fromkeys(name for name, _ in files):
        own_files = [path for name, path in files if name == annotator]
        read[annotator], own = read_all(own_files, options, advance=advance, given=Path(annotator))
        report += own
    table = Labels(completed(options.labels, report.folder_labels))
    together, report = spelt_as_one([one for found in read.values() for one in found], report, table)
    spelt = iter(together)
    read = {annotator: [next(spelt) for _ in found] for annotator, found in read.items()}
    of = PhotographFiles(options.photographs, [one for found in read.values() for _, one in found])
    apart: dict[str, list[tuple[Path, Annotation]]] = {}
    for annotator, found in read.items():
        people: dict[Hashable, set[str]] = {}
        for _, one in found:
            people.setdefault(of.photograph_of(one), set()).add(annotator_of(one))
        several = any(len(each) > 1 for each in people.values())
        if not several:
            apart[annotator] = []
        for file, one in found:
            person = annotator_of(one) if several else ""
            apart.setdefault(f"{annotator} ({person})" if person else annotator, []).append((file, one))
    once: dict[str, list[Annotation]] = {}
    for annotator, found in apart.items():
        kept, twice = annotated_once(found, of.photograph_of, "name each folder as an annotator")
        sentences = tuple(f"{annotator}: {sentence}" for _, sentence in twice)
        if sentences and options.strict:
            raise AnnotationError(sentences[0])
        report += ReadReport(left_out=sentences, photographs=tuple(twice), whole=sentences)
        once[annotator] = [one for _, one in kept]
    return _by_photograph(once, of, options.images), report


class Shared(NamedTuple):
    """Photographs that two or more annotated.

    ``files``: by the key that the drawings have. ``left_out``: a sentence for each kind of other photographs that
    somebody annotated, but for those of the only annotator who has any alone.
    """

    files: dict[str, Path]
    left_out: list[str]


def annotated_by_several(folder: Path, drawings: Drawings) -> Shared:
    """The photographs of a folder that two or more annotated.

    Raises `ParameterError` when one annotator is alone, or two annotated none of the photographs that are there.
    """
    if len(drawings) < 2:
        raise ParameterError("one annotator alone agrees with nobody; name a second one")
    of = PhotographFiles(PhotographFolder(folder), [one for own in drawings.values() for one in own.values()])
    found, missing, reasons = dict[str, Path](), dict[str, None](), []
    for own in drawings.values():
        for key, one in own.items():
            if file := of.file_of(one):
                found[key] = file
            else:
                missing[one.image] = None
                reasons.append(of.reason_of(one))
    times = Counter(key for own in drawings.values() for key in own if key in found)
    alone = {who: [key for key in own if times[key] == 1] for who, own in drawings.items()}
    lone = [f"{found[key].relative_to(folder).as_posix()} by {who}" for who, keys in alone.items() for key in keys]
    left_out = []
    if missing:
        count = "1 photograph is" if len(missing) == 1 else f"{len(missing)} photographs are"
        left_out.append(f"{count} not found ({_shown(missing)}): {reasons[0]}")
    if sum(map(bool, alone.values())) > 1:
        left_out.append(f"{len(lone)} photographs were annotated by one alone ({_shown(lone)})")
    shared = {key: found[key] for key in sorted(times) if times[key] > 1}
    if not shared:
        why = f" ({left_out[0]})" if left_out else ""
        raise ParameterError(
            f"{folder}: no photograph in it that two annotated{why}; check that the annotators belong together"
        )
    return Shared(shared, left_out)


def _shown(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:3]) + (", …" if len(every) > 3 else "")


def _by_photograph(read: Mapping[str, Sequence[Annotation]], of: PhotographFiles, folder: Path | None) -> Drawings:
    """The drawings by photograph: by its file name alone, as folders may differ, unless some share it.

    Names that stand for files which are not known are of one photograph where an annotator has no two alike.
    """
    names = {}
    for one in (one for annotations in read.values() for one in annotations):
        file = of.file_of(one) if folder else None
        names[one.image] = one.image if folder is None or file is None else file.relative_to(folder).as_posix()
    each = [{names[one.image] for one in annotations} for annotations in read.values()]
    keys = _keys(each if folder is None else [set(names.values())])
    return {annotator: {keys[names[one.image]]: one for one in own} for annotator, own in read.items()}


def _keys(groups: Sequence[set[str]]) -> dict[str, str]:
    """For each path its file name without the suffix; where another of a group has that, too, more of the path."""
    forms: tuple[Callable[[str], str], ...] = (lambda name: Path(stem_of(name)).name, stem_of, str)
    keys: dict[str, str] = {}
    for place, form in enumerate(forms):
        counts = [Counter(key for name in group for key in {each(name) for each in forms[place:]}) for group in groups]
        for name in {name for group in groups for name in group} - keys.keys():
            if form is str or all(count[form(name)] < 2 for count in counts):
                keys[name] = form(name)
    return keys
