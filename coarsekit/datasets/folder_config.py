"""``coarsekit.toml``: what a folder of photographs beside masks must say of itself, or a SOURCE for it.

::

    name = "our-clinic"                            # all fields but masks may be left out; default: the folder's name
    title = "Our clinic, 2024"
    citation = "…"
    images = "photos"                              # folder of the photographs; default "images"
    suffixes = [".jpg", ".png"]                    # of the photographs; default: any image
    licence = {name = "CC-BY-4.0", url = "https://…", redistribution = true}   # default: unknown, not to be passed on

    [masks]                                        # one of three: a mask file for each class …
    MA = "masks/{stem}_MA.png"
    "drusen" = "masks/drusen/{stem}.tif"

    [label_map]                                    # … or one file whose values are classes …
    file = "labels/{stem}.png"
    values = {1 = "MA", 2 = "HE"}

    [coco]                                         # … or COCO instances
    file = "annotations/{split}.json"
    classes = {microaneurysm = "MA"}               # default: the category names

    [splits]                                       # default: a folder in ``images`` for each split, or none: "all"
    train = "train.txt"                            # a list file: one photograph a line; " #" starts a comment

    [labels]                                       # of what people drew there, see coarsekit.annotations.folder_labels
    "bright spots" = "EX"

``every_class = true`` says that a photograph without a mask file of every class is damaged, ``false`` that a class it
does not show has no file; ``threshold = 127`` that masks have soft edges and count above that value (masks of 0 and 1
as they are). In patterns ``{stem}`` is the photograph's name without its suffix, ``{split}`` its split. A SOURCE says
the same after a question mark, with ``{lesion}`` in one pattern for all classes:
``folder:PATH?images=photos&masks=masks/{stem}_{lesion}.png&lesions=MA,HE``.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from unicodedata import normalize
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from coarsekit.annotations.folder_labels import FILE, FolderLabels
from coarsekit.datasets import READERS
from coarsekit.errors import AnnotationError, SourceError
from coarsekit.types import lesion_name
from coarsekit.validation import load_toml, validated

_OPTIONS = ("name", "images", "masks", "lesions", "threshold", "every_class", "title", "citation")


_NAME = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
_LONGEST_NAME = 64


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or len(text) > _LONGEST_NAME or text in READERS:
        raise ValueError(
            f"letters and digits with single '-', '_' or '.' between them, {_LONGEST_NAME} at most, and none of "
            f"{', '.join(READERS)}"
        )
    return text


def name_of_folder(root: Path) -> str:
    """A dataset's name from that of its folder; one that is a reader's gets ``folder-`` before it."""
    plain = normalize("NFKD", root.resolve().name).encode("ascii", "ignore").decode()
    name = "-".join(re.findall(r"[A-Za-z0-9]+(?:[._][A-Za-z0-9]+)*", plain))[:_LONGEST_NAME].rstrip("._-")
    return f"folder-{name}" if name in READERS else name or "folder"


def _inside(text: str) -> str:
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts or "\0" in text:
        raise ValueError("a path inside the folder, without '..'")
    return text


def _pattern(text: str) -> str:
    unknown = re.search(r"\{(?!stem\}|split\})[^}]*\}?", text)
    if unknown:
        raise ValueError(f"{{stem}} and {{split}} only, and {unknown.group()} stands for nothing")
    return _inside(text)


def _lesion(name: str) -> str:
    try:
        return lesion_name(name)
    except AnnotationError as error:
        raise ValueError(str(error)) from None


Name = Annotated[str, AfterValidator(_name)]
Inside = Annotated[str, AfterValidator(_inside)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Lesion = Annotated[str, AfterValidator(_lesion)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Terms(_Strict):
    """The licence of a folder's data."""

    name: str
    url: str = ""
    redistribution: bool = False


class LabelMap(_Strict):
    """One file a photograph whose values are classes; 0 is background."""

    file: Pattern
    values: dict[Annotated[str, Field(pattern=r"^[0-9]{1,5}$")], Lesion] = Field(min_length=1)

    @property
    def lesions(self) -> dict[int, str]:
        """Lesion class by value."""
        return {int(value): lesion for value, lesion in self.values.items()}


class Coco(_Strict):
    """COCO instances: one file, or one a split."""

    file: Pattern
    classes: dict[str, Lesion] | None = None


class FolderConfig(FolderLabels):
    """The fields of ``coarsekit.toml``."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Name | None = None
    title: str = ""
    citation: str = ""
    images: Inside = "images"
    suffixes: list[str] | None = Field(None, min_length=1)
    licence: Terms | None = None
    threshold: float = Field(0, ge=0)
    every_class: bool | None = None
    masks: dict[Lesion, Pattern] | None = Field(None, min_length=1)
    label_map: LabelMap | None = None
    coco: Coco | None = None
    splits: dict[Annotated[str, AfterValidator(_lesion)], Inside] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one_kind(self) -> "FolderConfig":
        given = [name for name in ("masks", "label_map", "coco") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"one of [masks], [label_map] and [coco] is expected, got {' and '.join(given) or 'none'}")
        return self


def read_folder_config(root: Path) -> FolderConfig:
    """What the ``coarsekit.toml`` in ``root`` says.

    Raises `SourceError` when it is missing, not TOML, or mis-typed; the sentence names the field.
    """
    path = root / FILE
    missing = (
        "write one with a table [masks] (MA = 'masks/{stem}_MA.png'), or say it in the SOURCE: "
        "'folder:PATH?masks=masks/{stem}_{lesion}.png&lesions=MA,HE'"
    )
    return validated(FolderConfig, load_toml(path, SourceError, missing), str(path), error=SourceError)


def config_of_options(options: str) -> FolderConfig:
    """What ``name=value&name=value`` after a SOURCE's question mark says.

    Raises `SourceError` for an unknown name or a value that does not fit.
    """
    given: dict[str, Any] = {}
    for field in options.split("&"):
        name, equals, value = field.partition("=")
        if name not in _OPTIONS or not equals:
            raise SourceError(f"{field!r} is not an option of a folder; expected one of {'=, '.join(_OPTIONS)}=")
        given[name] = unquote(value)
    lesions = [lesion for lesion in given.pop("lesions", "").split(",") if lesion]
    pattern = given.pop("masks", "")
    if not lesions or "{lesion}" not in pattern:
        raise SourceError("a folder's options need masks= with {stem} and {lesion} in it, and lesions=MA,HE,…")
    given["masks"] = {lesion: pattern.replace("{lesion}", lesion) for lesion in lesions}
    if "every_class" in given:
        given["every_class"] = given["every_class"].lower() in ("1", "true", "yes")
    if "threshold" in given:
        try:
            given["threshold"] = float(given["threshold"])
        except ValueError:
            raise SourceError(f"threshold must be a number, got {given['threshold']!r}") from None
    return validated(FolderConfig, given, "the options of the SOURCE", error=SourceError)
