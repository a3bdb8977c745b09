"""The digest of content: whatever is kept for later is kept under the digests of all that it depends on.

Names, file formats, compression and times of files do not count. Two things with the same content have one digest.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from coarsekit.types import Annotation, Image, Mask

_BLOCK = 1 << 20


def sha256_of(value: Any) -> str:
    """The digest of anything that is made of numbers, texts, None, arrays, sequences, mappings and dataclasses.

    A whole number and the float of the same value count as equal, a list and a tuple too; the order of a mapping does
    not count.

    Raises `TypeError` for anything else.
    """
    digest = sha256()
    _feed(digest, value)
    return digest.hexdigest()


def photograph_sha256(image: Image) -> str:
    """The digest of a photograph's pixels, (h, w, 3) uint8."""
    return sha256_of(image)


def masks_sha256(fine: Mapping[str, Mask]) -> str:
    """The digest of the fine masks of a photograph, by lesion class; an all-zero mask counts as none."""
    return sha256_of({lesion: mask for lesion, mask in fine.items() if mask.any()})


def drawing_sha256(annotation: Annotation) -> str:
    """The digest of what was drawn: the size, the marks, and the style, by which the rule ``shrink`` goes."""
    return sha256_of(
        (annotation.width, annotation.height, annotation.marks, str(annotation.provenance.get("style", "")))
    )


def file_sha256(*paths: str | os.PathLike[str]) -> str:
    """The digest of the bytes of files, one after another."""
    digest = sha256()
    for path in paths:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    # Each part begins with its kind and length, so that no two values have the same bytes.
    if isinstance(value, np.ndarray):
        packed = np.packbits(value) if value.dtype == bool else np.ascontiguousarray(value)
        digest.update(f"array {value.dtype.str} {value.shape} ".encode())
        digest.update(packed.data)
    elif isinstance(value, Mapping):
        digest.update(f"mapping {len(value)} ".encode())
        for key in sorted(value):
            _feed(digest, key)
            _feed(digest, value[key])
    elif isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        digest.update(f"text {len(text)} ".encode() + text)
    elif value is None or isinstance(value, (bool, np.bool_)):
        digest.update(f"{value} ".encode())
    elif isinstance(value, (int, np.integer)):
        digest.update(f"number {int(value)} ".encode())
    elif isinstance(value, (float, np.floating)):
        digest.update(f"number {int(value) if float(value).is_integer() else repr(float(value))} ".encode())
    elif is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{type(value).__name__} ".encode())
        _feed(digest, {field.name: getattr(value, field.name) for field in fields(value) if field.compare})
    elif isinstance(value, Sequence):
        digest.update(f"sequence {len(value)} ".encode())
        for item in value:
            _feed(digest, item)
    else:
        raise TypeError(f"a {type(value).__name__} has no digest")
