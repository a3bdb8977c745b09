"""The files that refining one photograph leaves, and the record that says of what content they are.

The record is there from before the first file on, as unfinished, and names the files: so a run that was killed knows
its own leavings, and files of other people are never taken for them.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError, model_validator

from coarsekit.errors import ImageError, OutputError
from coarsekit.geometry import draw
from coarsekit.images import depth_guessed, read_image, read_mask, write_image
from coarsekit.marks import count_ways
from coarsekit.storage.digests import file_sha256
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import claim_outputs
from coarsekit.types import Annotation, Image, Mark
from coarsekit.visualize.sheets import overlay, preview
from zoo.marks.result import MarkResult, Refined
from zoo.output.content import DEPENDS_ON
from zoo.output.notes import seen_in
from zoo.output.records import mark_document, path_from
from zoo.refiner import Advance, Refiner, no_progress


class _Mask(BaseModel):
    lesion: str
    ellipses: int
    coarse_pixels: int
    refined_pixels: int


class _Mark(BaseModel, extra="allow"):
    mark: int


class _Record(BaseModel, extra="allow"):
    """What is read of an earlier record. ``files``: the digest of each file by name; None of an unfinished one."""

    image: str
    finished: bool
    files: dict[str, str | None]
    masks: list[_Mask] | None = None
    marks: list[_Mark] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "_Record":
        if self.finished and (self.masks is None or self.marks is None or None in self.files.values()):
            raise ValueError("a finished record has its masks, its marks, and a digest of each file")
        return self


@dataclass(frozen=True, slots=True)
class PhotographResult:
    """The files of one photograph in ``folder``, named by ``stem``: masks, overlay, preview, record.

    ``photograph``: the file that is refined, which the record names; None where no single file has it.
    """

    folder: Path
    stem: str
    lesions: tuple[str, ...]
    photograph: Path | None = None

    @property
    def masks(self) -> dict[str, Path]:
        """The file of each mask by lesion class."""
        return {lesion: self.folder / f"{self.stem}_{lesion}.png" for lesion in self.lesions}

    @property
    def pictures(self) -> dict[str, Path]:
        """The files of the two pictures."""
        return {what: self.folder / f"{self.stem}_{what}.jpg" for what in ("overlay", "preview")}

    @property
    def record(self) -> Path:
        """The file of the record."""
        return self.folder / f"{self.stem}.json"

    @property
    def files(self) -> list[Path]:
        """All files, the record last."""
        return [*self.masks.values(), *self.pictures.values(), self.record]

    def find(
        self, annotation: Annotation, content: Mapping[str, Any], force: bool
    ) -> tuple[dict[str, Any], list[str]] | None:
        """The record of an earlier run with the same content, if all its files are there; None if there is work to do.

        A file that can no longer be read is as good as none.

        Args:
            annotation: What was drawn.
            content: The digests that the results depend on, as `zoo.output.content.content_of` gives them.
            force: Whether results of other content may be written over, and files that were changed since, see
                `set_aside`.

        Returns:
            The record, and the names of files that somebody has changed since.

        Raises:
            OutputError: When files are in the way that may not be written over.
        """
        earlier = self._earlier()
        own = [self.record.name, *earlier["files"]] if earlier else []
        if foreign := [path for path in self.files if path.name not in own]:
            claim_outputs(foreign, force, own=lambda _: False)
        if earlier is None or not earlier["finished"]:
            return None
        same = {path: file_sha256(path) == earlier["files"].get(path.name) for path in self.files[:-1] if path.exists()}
        size = annotation.width, annotation.height
        there = [path for path, unchanged in same.items() if unchanged or _is_image(path, size)]
        changed = [path for path in there if not same[path]]
        other = [said for name, said in DEPENDS_ON.items() if earlier.get(name) != content[name] or not content[name]]
        if other and not force:
            raise OutputError(
                f"{self.record} is of {' and of '.join(other)}; give force=True to write over it, or another out=…"
            )
        if not other and not _is_of(earlier, annotation):
            changed = [self.record]
        elif not other and len(there) == len(self.files) - 1 and not (changed and force):
            return earlier, [path.name for path in changed]
        if changed and not force:
            raise OutputError(
                f"{changed[0]} was changed since it was refined; give force=True to write over it, or another out=…"
            )
        return None

    def set_aside(self) -> list[tuple[Path, Path]]:
        """Give files that somebody changed since they were refined another name; what each was, and is called."""
        earlier = self._earlier()
        if earlier is None or not earlier["finished"]:
            return []
        size, moved = (earlier.get("width", 0), earlier.get("height", 0)), []
        for name, digest in earlier["files"].items():
            path = self.folder / name
            if path.exists() and file_sha256(path) != digest and _is_image(path, size):
                names = (path.with_name(f"{path.stem}.changed{n}{path.suffix}") for n in ("", *range(2, 1000)))
                free = next(place for place in names if not place.exists())
                moved.append((path, path.replace(free)))
        return moved

    def write(
        self,
        refiner: Refiner,
        image: Image,
        annotation: Annotation,
        content: Mapping[str, Any],
        advance: Advance = no_progress,
    ) -> dict[str, Any]:
        """Refine the photograph, write its files, and return the record.

        Files of an earlier run that this one does not write, such as the mask of a class no longer drawn, are removed.
        """
        began = time.perf_counter()
        result = refiner.refine_marks(image, annotation, advance, content["scale"])
        refined = result.masks
        seconds = time.perf_counter() - began
        head = self._head(refiner, annotation, content)
        earlier = self._earlier()
        names = dict.fromkeys([*(earlier["files"] if earlier else ()), *(path.name for path in self.files[:-1])])
        write_text(self.record, json.dumps({**head, "finished": False, "files": names}) + "\n")
        for lesion, mask in refined.items():
            write_image(self.masks[lesion], mask)
        missed = [mark.mark for mark in result.marks if mark.mask is None]
        expected = {mark.mark: mark.expected_iou for mark in result.marks}
        sheet = preview(image, annotation, refined, missed=missed, expected=expected, title="refined")
        write_image(self.pictures["overlay"], overlay(image, annotation, refined, missed))
        write_image(self.pictures["preview"], sheet)
        written = self.files[:-1]
        for name in names.keys() - {path.name for path in written}:
            (self.folder / name).unlink(missing_ok=True)
        record = {
            **head,
            "seconds": round(seconds, 2),
            "depth_guessed": None if self.photograph is None else depth_guessed(self.photograph),
            "masks": [_count(lesion, annotation, result, self.masks[lesion]) for lesion in refined],
            "marks": [_row(annotation, mark) for mark in result.marks],
            **{what: str(path) for what, path in self.pictures.items()},
            "finished": True,
            "files": {path.name: file_sha256(path) for path in written},
        }
        write_text(self.record, json.dumps(record) + "\n")
        return record

    def renew(
        self, earlier: Mapping[str, Any], refiner: Refiner, annotation: Annotation, content: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The record of an earlier run with the same content, in which names, places and details are those of now.

        No digest depends on these: the names of photograph and refiner, what the annotation says of its marks beside
        their shapes, and where the files lie, which may have been moved since.
        """
        masks = [
            {
                **row,
                "refined_pixels": int(np.count_nonzero(read_mask(self.masks[row["lesion"]]))),  # it may be corrected
                "file": str(self.masks[row["lesion"]]),
            }
            for row in earlier["masks"]
        ]
        marks = [
            {"mark": row["mark"], **_named(mark), **_found(row), **mark_document(mark)}
            for row in earlier["marks"]
            for mark in [annotation.marks[row["mark"]]]
        ]
        places = {what: str(path) for what, path in self.pictures.items()}
        record = {**earlier, **self._head(refiner, annotation, content), "masks": masks, "marks": marks, **places}
        if record != earlier:
            write_text(self.record, json.dumps(record) + "\n")
        return record

    def _head(self, refiner: Refiner, annotation: Annotation, content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "image": annotation.image,
            "width": annotation.width,
            "height": annotation.height,
            "photograph": None if self.photograph is None else path_from(self.photograph, self.folder),
            "refiner": refiner.name,
            "trained_on": refiner.trained_on,
            **content,
            "provenance": dict(annotation.provenance),
        }

    def _earlier(self) -> dict[str, Any] | None:
        """The record of an earlier run; None where there is none, or the file is none."""
        try:
            record: dict[str, Any] = json.loads(self.record.read_text(encoding="utf-8"))
            _Record.model_validate(record)
        except (OSError, ValueError, RecursionError, ValidationError):
            return None
        inside = all(Path(name).name == name and name.startswith(f"{self.stem}_") for name in record["files"])
        return record if inside else None


def check_apart(results: Iterable[PhotographResult], inputs: Iterable[Path]) -> None:
    """Check before any work that no two photographs share a file, and that none is written over an input.

    Raises `OutputError` otherwise.
    """
    claim_outputs((path for result in results for path in result.files), force=True, inputs=inputs)


def _is_of(record: Mapping[str, Any], annotation: Annotation) -> bool:
    """Whether a finished record has each mark and each class of what was drawn once, in its order."""
    marks, lesions = [row["mark"] for row in record["marks"]], [row["lesion"] for row in record["masks"]]
    return marks == list(range(len(annotation.marks))) and sorted(lesions) == sorted(annotation.lesions)


def _is_image(path: Path, size: tuple[int, int]) -> bool:
    """Whether a file that was changed can be read: a mask as one of ``size`` (w, h), a picture as any."""
    try:
        return read_mask(path).shape == size[::-1] if path.suffix == ".png" else read_image(path).size > 0
    except ImageError:
        return False


def _row(annotation: Annotation, result: MarkResult) -> dict[str, Any]:
    """What was found for a mark, with what the annotation says of it."""
    mark = annotation.marks[result.mark]
    return {"mark": result.mark, **_named(mark), **result.row(), **mark_document(mark)}


def _named(mark: Mark) -> dict[str, Any]:
    return {name: mark.details[name] for name in ("id", "label") if name in mark.details}


def _found(row: Mapping[str, Any]) -> dict[str, Any]:
    """What was found for a mark, of its row in a record."""
    return {name: value for name, value in row.items() if name not in ("mark", "id", "label", "drawing", "details")}


def _count(lesion: str, annotation: Annotation, result: Refined, file: Path) -> dict[str, Any]:
    ellipses, mask = annotation.of(lesion), result.masks[lesion]
    return {
        "lesion": lesion,
        "ellipses": len(ellipses),
        "drawn_as": count_ways(annotation, lesion),
        **seen_in(result, lesion),
        "coarse_pixels": int(np.count_nonzero(draw(ellipses, mask.shape))),
        "refined_pixels": int(np.count_nonzero(mask)),
        "file": str(file),
    }
