"""The photographs of a COCO file, with their regions; see `coarsekit.annotations.coco`."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict

from coarsekit.annotations.coco_regions import Id, Region, RegionFields, Runs, as_id
from coarsekit.annotations.documents import Document, LenientModel, SaidPixels
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.annotations.reading import ReadOptions
from coarsekit.annotations.recorder import Recorder
from coarsekit.annotations.rle import MOST_PIXELS
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.validation import validated

_RENAMED = re.compile(r"(.+)_([A-Za-z]{3,4})\.rf\.[0-9A-Za-z]+\.[A-Za-z]+")
"""What Roboflow makes of ``NAME.jpg``."""


class _Image(LenientModel):
    model_config = ConfigDict(extra="allow")

    id: Id
    file_name: str
    width: SaidPixels = None
    height: SaidPixels = None


class _Category(LenientModel):
    model_config = ConfigDict(extra="allow")

    id: Id
    name: str


class _File(LenientModel):
    images: list[Any]
    annotations: list[Any] = []
    categories: list[Any] = []


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph of a file: its id and name as there, its size in px, its regions, and what else is said."""

    place: int
    id: Any
    file_name: str
    width: int
    height: int
    regions: list[Region]
    extra: dict[str, Any]


def read_photographs(
    document: Document, categories: Collection[str] | None = None, recorder: Recorder | None = None
) -> list[Photograph]:
    """The photographs of a file with their regions, in its order; the regions are not drawn yet.

    Args:
        document: The file.
        categories: Only regions of these; None for all.
        recorder: Leaves out images and regions that cannot be used; None raises for the first.

    Raises:
        AnnotationError: When the file is not COCO, a region belongs to an image or a category that it lacks, or the
            size of a photograph is neither in it nor known from the recorder's options.
    """
    path = document.path
    asked, recorder = recorder, recorder or Recorder(path, ReadOptions(strict=True))
    file = validated(_File, document.content, str(path), strict=None)
    labels: dict[str, list[str]] = {}
    for place, content in enumerate(file.categories):
        with recorder.forgiving(f"categories.{place}"):
            category = validated(_Category, content, "", strict=None, within=f"categories.{place}")
            own_labels = labels.setdefault(category.id, [])
            own_labels += [category.name] if category.name not in own_labels else []
    by_name = {name: [name] for own in labels.values() for name in own}  # some scripts write it in the place of the id
    found: dict[str, Photograph] = {}
    ids = _images_by_id(file.images)
    for place, content in enumerate(file.images):
        fields = content if isinstance(content, dict) else {}
        with recorder.forgiving(f"images.{place}", str(fields.get("file_name", f"images.{place}"))):
            image = validated(_Image, content, "", strict=None, within=f"images.{place}")
            if len(same := ids[image.id]) > 1:
                names = " and ".join(dict.fromkeys(name for name, *_ in same))
                raise AnnotationError(
                    f"id {image.id} is that of {len(same)} images, {names}, whose regions cannot be told apart; give "
                    "each its own"
                )
            if image.id in found:  # two files that were put together
                continue
            width, height = _size(image, recorder.options)
            extra = dict(image.model_extra or {})
            found[image.id] = Photograph(place, as_id(fields["id"]), image.file_name, width, height, [], extra)
    for place, content in enumerate(file.annotations):
        with recorder.forgiving(f"annotations.{place}"):
            region = validated(RegionFields, content, "", strict=None, within=f"annotations.{place}")
            named = labels.get(region.category_id or "") or by_name.get(region.category_id or "", [])
            if categories is not None and not set(named) & set(categories):
                continue
            if region.image_id not in found:
                if region.image_id in ids:  # of a photograph that is left out, as is said
                    continue
                raise AnnotationError(f"image_id {region.image_id} is not the id of an image; add the image")
            if not named:
                named = [_without_category(region.category_id, f"annotations.{place}", asked)]
            if len(named) > 1:
                raise AnnotationError(
                    f"category_id {region.category_id} is the id of {len(named)} categories, {' and '.join(named)}; "
                    "give each its own"
                )
            own, runs = found[region.image_id], region.segmentation
            if isinstance(runs, Runs) and runs.size != [own.height, own.width]:
                raise AnnotationError(f"segmentation.size must be [{own.height}, {own.width}], got {runs.size}")
            own.regions.append(Region(place, named[0], own.width, own.height, region))
    return list(found.values())


def _without_category(given: str | None, place: str, recorder: Recorder | None) -> str:
    """The label of a region whose category is not in the file: its id where the user says what that is, else none.

    Raises `AnnotationError` where the user says nothing of it; without a recorder nobody could.
    """
    if recorder is not None:
        for label in (given or "", ""):
            if recorder.table.told(label) is not None:
                return label
    advice = f", or name the class by labels=…, such as {(given or '') + '=MA'!r}" if recorder is not None else ""
    if given is None:
        raise AnnotationError(f"{place}.category_id is missing; add it{advice}")
    raise AnnotationError(f"category_id {given} is not the id of a category; add the category{advice}")


def _images_by_id(images: Sequence[object]) -> dict[str, dict[tuple[str, ...], None]]:
    """What different images there are under each id, by name and size."""
    found: dict[str, dict[tuple[str, ...], None]] = {}
    for content in images:
        fields = content if isinstance(content, dict) else {}
        what = tuple(str(as_id(fields.get(name))) for name in ("file_name", "width", "height"))
        found.setdefault(str(as_id(fields.get("id"))), {})[what] = None
    return found


def originals(photographs: Sequence[Photograph], recorder: Recorder) -> dict[int, str]:
    """The names that photographs had before Roboflow renamed them, by their places; they are noted.

    Those that the folder has under their new names keep these, and so do copies of one photograph, since they may be
    turned or cut.
    """
    found = {}
    for photograph in photographs:
        renamed = _RENAMED.fullmatch(photograph.file_name.rpartition("/")[2])
        if renamed and not _is_there(photograph.file_name, recorder.options):
            said = photograph.extra.get("extra")
            name = said.get("name") if isinstance(said, dict) else None
            found[photograph.place] = name if isinstance(name, str) and name.strip() else f"{renamed[1]}.{renamed[2]}"
    counts = Counter(found.values())
    found = {place: name for place, name in found.items() if counts[name] == 1}
    for photograph in photographs:
        if photograph.place in found:
            recorder.note(
                f"{photograph.file_name} is {found[photograph.place]}", "Roboflow renamed it, and its own name is taken"
            )
    return found


def _is_there(file_name: str, options: ReadOptions) -> bool:
    """Whether the folder of the photographs has a file of that name."""
    with suppress(AnnotationError, ImageError):
        return options.photographs is not None and options.photographs.find(photograph_name(file_name)).is_file()
    return False


def _size(image: _Image, options: ReadOptions) -> tuple[int, int]:
    """(w, h) px of a photograph, as the file says, else as its own file has it: some scripts leave the sizes out."""
    if image.width is None or image.height is None:
        known = options.size_of(photograph_name(image.file_name))
        if known is None:
            raise AnnotationError(
                f"width and height are missing; add them, or give the folder with {image.file_name} as images=…"
            )
        return known
    if image.width * image.height > MOST_PIXELS:
        raise AnnotationError(
            f"{image.file_name!r} is said to be {image.width} × {image.height} px, which no camera takes; "
            "correct its size"
        )
    return image.width, image.height
