"""What is reviewed: the results of refining a photograph, read from their record, and what tells them from others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from coarsekit.errors import AnnotationError, CoarsekitError, ImageError, OutputError
from coarsekit.images import read_mask
from coarsekit.storage.digests import file_sha256, sha256_of
from coarsekit.types import Annotation, Mask
from zoo.output.records import drawn_in, finished_records, path_from

DIGESTS = {
    "photograph_sha256": "another photograph",
    "drawing_sha256": "another drawing",
    "weights_sha256": "another refiner, or other weights",
    "masks_sha256": "other masks",
}
"""What a decision depends on, and what is said of a decision on another."""


@dataclass(frozen=True)
class Result:
    """The results of one photograph. ``folder``: that of all results. ``path``: the record's file in it."""

    folder: Path
    path: Path
    record: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The path of the record below the folder, with ``/`` between folders; decisions name it so."""
        return self.path.relative_to(self.folder).as_posix()

    @property
    def marks(self) -> int:
        """How many marks there are."""
        return len(self.record["marks"])

    @cached_property
    def annotation(self) -> Annotation:
        """What was drawn.

        Raises `AnnotationError` when the record is of an older version, or was changed.
        """
        return drawn_in(self.record)

    @property
    def mask_files(self) -> dict[str, Path]:
        """The file of each mask by lesion class: beside the record, wherever the folder was moved to."""
        return {mask["lesion"]: self.path.with_name(Path(mask["file"]).name) for mask in self.record["masks"]}

    @cached_property
    def digests(self) -> dict[str, str]:
        """The digests of the fields of `DIGESTS`."""
        written = self.record["files"]
        masks = {lesion: written.get(file.name) for lesion, file in self.mask_files.items()}
        given = {name: str(self.record.get(name, "")) for name in DIGESTS if name != "masks_sha256"}
        return {**given, "masks_sha256": sha256_of(masks)}

    def masks(self) -> dict[str, Mask]:
        """The refined masks, (h, w) boolean, by lesion class.

        Raises:
            AnnotationError: When the record does not say what was drawn.
            ImageError: When a mask is missing, or of another size than the photograph.
            OutputError: When a mask was changed since it was refined.
        """
        size, found = (self.annotation.height, self.annotation.width), {}
        for lesion, file in self.mask_files.items():
            mask = read_mask(file)
            if file_sha256(file) != self.record["files"].get(file.name):
                raise OutputError(f"{file} was changed since it was refined; refine the photograph again, force=True")
            if mask.shape != size:
                raise ImageError(f"{file}: the mask has (h, w) {mask.shape}, its photograph {size}; refine it again")
            found[lesion] = mask
        lacking = [lesion for lesion in self.annotation.lesions if lesion not in found]
        if lacking:
            raise AnnotationError(f"{self.path}: the record names no mask of {lacking[0]}; refine the photograph again")
        return found


class Results(NamedTuple):
    """What `results_in` found: ``failures`` has of records that cannot be used the name and a sentence.

    ``notes``: a sentence on results that are left out because those of a later run stand in their place.
    """

    results: list[Result]
    failures: list[tuple[str, str]]
    notes: list[str]


def results_in(folder: Path) -> Results:
    """The results of all photographs in a folder.

    Raises `ParameterError` when there is none.
    """
    results, failures, superseded = [], [], list[str]()

    def leave_out(path: Path, later: Path) -> None:
        superseded.append(f"{path.relative_to(folder).as_posix()} by {path_from(later, folder)}")

    for path, record in finished_records(folder, leave_out):
        result = Result(folder, path, record)
        try:
            if len(result.annotation.marks) != len({row["mark"] for row in record["marks"]}):
                raise AnnotationError(f"{path}: the record has a mark twice; refine the photograph again")
            if len(result.mask_files) != len(record["masks"]):
                raise AnnotationError(f"{path}: the record has a class twice; refine the photograph again")
            _ = result.digests
        except CoarsekitError as error:
            failures.append((result.name, str(error)))
        except (AttributeError, KeyError, TypeError):
            failures.append((result.name, f"{path}: the record was changed; refine the photograph again"))
        else:
            results.append(result)
    return Results(results, failures, _notes_on(superseded))


def _notes_on(superseded: list[str]) -> list[str]:
    if not superseded:
        return []
    shown = ", ".join(superseded[:3]) + (", …" if len(superseded) > 3 else "")
    count = "1 result is" if len(superseded) == 1 else f"{len(superseded)} results are"
    return [f"{count} left out, superseded by a later run of refining: {shown}."]


def results_sha256(results: Sequence[Result]) -> str:
    """The digest of results: of all that decisions on them depend on."""
    return sha256_of({result.name: result.digests for result in results})
