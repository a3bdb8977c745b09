"""Photographs by the names that annotation files give them: names as they are kept, and what two names tell."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from coarsekit.annotations.eyes import said_in, told, untold
from coarsekit.errors import AnnotationError
from coarsekit.images import PHOTOGRAPHS
from coarsekit.images.names import folded, folded_stem
from coarsekit.types import Annotation

_LONGEST = 200
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of an uploaded file."""

_BRACKETS = {ord("["): "%5B", ord("]"): "%5D"}
"""They would make an address malformed."""


def climbs(text: str) -> bool:
    """Whether a name has a part that leads out of its folder."""
    return ".." in re.split(r"[/\\]", text)


def photograph_name(text: str) -> str:
    """The path of a photograph below the folder of photographs, with ``/`` between folders.

    Of the path of a web address the part after the host is kept, of a path that begins by climbing the part after that,
    and only the file name of one that is absolute: these say where the photograph lay for the tool.

    Raises `AnnotationError` when there is none, or it could not name a file.
    """
    path = text
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        path = unquote(urlsplit(text.translate(_BRACKETS)).path).lstrip("/")
    parts = [part for part in re.split(r"[/\\]", path) if part not in ("", ".")]
    while len(parts) > 1 and parts[0] == "..":
        parts = parts[1:]
    if ".." in parts or re.match(r"[/\\]|[A-Za-z]:", path):
        parts = parts[-1:]
    name = "/".join(parts)
    if not parts or parts[-1] == ".." or len(name) > _LONGEST or any(ord(character) < 32 for character in name):
        raise AnnotationError(f"expected the file name of a photograph, got {text[:80]!r}; rename it in the annotation")
    return name


def stem_of(name: str) -> str:
    """The path of a photograph without its suffix; outputs are named after it.

    What follows a dot is no suffix in names of none, such as ``1.2.840.113.1`` of an archive, and tells them apart.
    """
    folder, _, last = name.rpartition("/")
    stem = Path(last).stem if Path(last).suffix.lower() in PHOTOGRAPHS else last
    return f"{folder}/{stem}" if folder else stem


def same_photograph(one: str, other: str) -> bool:
    """Whether two names may be of one photograph: by their file names, in any case, as Label Studio changes them."""
    ours, theirs = (as_uploaded(folded(re.split(r"[/\\]", name)[-1])) for name in (one, other))
    if {ours[0]} & {*theirs} or {theirs[0]} & {*ours}:
        return True
    # Eight digits may be a date, which tells photographs apart; what Label Studio draws rarely has no letter.
    dated = any(name[:8].isdigit() for name in (ours[0], theirs[0]))
    return ours[-1] == theirs[-1] and not dated


def without_upload(name: str) -> str:
    """The path of a photograph without what Label Studio puts before the name of an uploaded file."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{_UPLOADED.sub('', last)}"


def plainly_other(one: str, other: str) -> bool:
    """Whether two paths are those of two photographs: by a number, or by left and right, or the light.

    They are where they differ only so, or where a part that lies as deep in both differs only in the eye or the light.
    Of one that is longer the last parts are compared.
    """
    ours, theirs = (told(folded_stem(path.replace("\\", "/"))).strip("/").split("/") for path in (one, other))
    shared = min(len(ours), len(theirs))
    pairs = [pair for pair in zip(ours[-shared:], theirs[-shared:], strict=True) if pair[0] != pair[1]]
    alike = [(mine, yours) for mine, yours in pairs if _unnumbered(mine) == _unnumbered(yours)]
    return (bool(pairs) and alike == pairs) or any(said_in(mine) != said_in(yours) for mine, yours in alike)


def folders_differ(name: str, path: str) -> bool:
    """Whether the folders in a name are called otherwise than those in which the photograph of a path lies.

    Of the longer one the last folders are compared; a name without folders differs from none.
    """
    folders, own = (folded(each.replace("\\", "/")).strip("/").split("/")[:-1] for each in (name, path))
    shared = min(len(folders), len(own))
    return shared > 0 and folders[-shared:] != own[-shared:]


def choose(annotations: list[Annotation], photograph: str) -> list[Annotation]:
    """The annotations of the photograph of a path, by the nearest rule by which any fits; empty where none does."""
    path = "/" + "/".join(part for part in re.split(r"[/\\]", photograph) if part)
    tests: tuple[Callable[[str], bool], ...] = (
        lambda name: path.endswith(f"/{name}"),
        lambda name: folded(path).endswith(f"/{folded(name)}"),
        lambda name: folded(path.rpartition("/")[2]) == folded(name.rpartition("/")[2]),
        lambda name: same_photograph(path, name),
        lambda name: folded_stem(path.rpartition("/")[2]) == folded_stem(name.rpartition("/")[2]),
    )
    own = [annotation for annotation in annotations if not plainly_other(path, annotation.image)]
    for fits in tests:
        found = [annotation for annotation in own if fits(annotation.image)]
        if found:
            return found
    return []


def also_of(annotations: list[Annotation], annotation: Annotation, photograph: str) -> list[str]:
    """Names that other annotations give the photograph of a path, under which it was drawn on, too."""
    folder, _, _ = f"/{folded(photograph)}".rpartition("/")
    names = dict.fromkeys(one.image for one in annotations if one.image != annotation.image)
    return [
        name
        for name in names
        if same_photograph(name, photograph)
        and not plainly_other(name, photograph)
        and folder.endswith(f"/{folded(name)}".rpartition("/")[0])
        and not (Path(photograph).parent / name.rpartition("/")[2]).is_file()
    ]


def as_uploaded(name: str) -> list[str]:
    """A name as Label Studio makes it of an uploaded file's: no spaces, no signs but dots, hyphens and underscores.

    And without what Label Studio puts before it, where it begins so.
    """
    plain = re.sub(r"[^\w.-]", "", re.sub(r"\s+", "_", folded(name).strip()))
    return list(dict.fromkeys([plain, _UPLOADED.sub("", plain)]))


def _unnumbered(part: str) -> str:
    """A part of such a path with a sign for each number, for either eye, and for any light."""
    return re.sub(r"[0-9]+", "#", untold(part))
