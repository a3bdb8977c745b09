"""What is wrong with one photograph of a dataset and its masks.

A finding is an *error* when training would stop at it or learn something false from it, and a *note* when it is
lawful in published data but worth knowing. What a reader knows to be a defect of the release itself is a note.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.datasets.base import FileDataset, SampleFiles
from coarsekit.datasets.near_duplicates import content_hash, field_of_view, perceptual_hash
from coarsekit.errors import CoarsekitError
from coarsekit.images import read_image
from coarsekit.morphology import components
from coarsekit.types import Mask, bounding_box

ERROR, NOTE = "error", "note"
_UNUSABLE = ("unreadable", "unclear", "not_binary", "size_mismatch")
"""Kinds of findings that say why a mask shows nothing."""
KINDS = {
    "unreadable": "a file cannot be decoded",
    "unclear": "which masks are a photograph's own cannot be told",
    "missing_mask": "a mask that should be there is not",
    "orphan_mask": "a mask belongs to no photograph",
    "unread_photograph": "a photograph lies deeper than those that are read",
    "size_mismatch": "a mask has another size than its photograph",
    "not_binary": "a mask has values or colours that mean nothing",
    "empty_mask": "a mask has no pixel",
    "empty_class": "a class has no pixel in any photograph",
    "inverted": "a mask covers most of a photograph or of its surround",
    "outside_field": "a mask reaches outside the field of view",
    "overlap": "two classes share pixels",
    "duplicate": "two photographs of a split have the same pixels",
    "duplicate_across_splits": "two photographs of different splits have the same pixels",
    "near_duplicate": "two photographs of a split look the same",
    "near_duplicate_across_splits": "two photographs of different splits look the same",
}
"""Every kind of finding, and what it says."""
COPIED = 0.5
"""Share of the smaller of two masks that the other covers, from which on one must be a copy of the other.

Where lesions touch, masks share some pixels: 8.8 % at most in IDRiD.
"""
_MOST = 0.5
"""Share of a photograph, or of what lies outside its field of view, that no lesions cover."""


class Finding(NamedTuple):
    """One thing found: its kind, of `KINDS`, ``error`` or ``note``, where, and in words."""

    kind: str
    severity: str
    split: str
    image: str
    lesion: str
    file: str
    detail: str


class Examined(NamedTuple):
    """One photograph: what was found, the areas in px of its components by lesion class, and its pixels' prints."""

    key: str
    split: str
    findings: list[Finding]
    areas: dict[str, NDArray[np.int64]]
    content: bytes | None
    print: NDArray[np.uint8] | None


def examine(dataset: FileDataset, key: str) -> Examined:
    """Decode one photograph and its masks, and report what is wrong with them; a file that cannot be read is a finding.

    Raises `SourceError` for a key that the dataset does not have.
    """
    files = dataset.files(key)
    findings = list(_missing(dataset, files))
    if files.doubt:
        findings = [_finding(files, "unclear", ERROR, "", str(files.photograph), files.doubt)]
        files = replace(files, masks={})
    image, field = None, None
    try:
        image = read_image(files.photograph)
        field = field_of_view(image)
    except CoarsekitError as error:
        findings.append(_finding(files, "unreadable", ERROR, "", str(files.photograph), str(error)))
    masks: dict[str, Mask] = {}
    odd: set[str] = set()
    for path in dict.fromkeys(files.masks.values()):
        lesions = ", ".join(files.lesions_of(path))
        try:
            decoded = dataset.decode(files, path)
        except CoarsekitError as error:
            findings.append(_finding(files, "unreadable", ERROR, lesions, str(path), str(error)))
            continue
        if decoded.oddity:
            findings.append(_finding(files, "not_binary", ERROR, lesions, str(path), decoded.oddity))
            odd |= set() if decoded.usable else set(decoded.masks)
        elif not any(mask.any() for mask in decoded.masks.values()):
            damaged = not dataset.all_zero_allowed and set(files.lesions_of(path)) <= set(files.expected or ())
            detail = "has no pixel, where the release has some" if damaged else "has no pixel"
            findings.append(_finding(files, "empty_mask", ERROR if damaged else NOTE, lesions, str(path), detail))
        size = next(iter(decoded.masks.values())).shape
        if image is not None and size != image.shape[:2]:
            detail = f"the mask is {size[1]} × {size[0]} px, its photograph {image.shape[1]} × {image.shape[0]}"
            findings.append(_finding(files, "size_mismatch", ERROR, lesions, str(path), detail))
        else:
            masks |= {lesion: mask for lesion, mask in decoded.masks.items() if mask.any()}
    sound = {lesion: mask for lesion, mask in masks.items() if lesion not in odd}
    inverted = dict(_inverted(files, sound, field))
    findings += inverted.values()
    sound = {lesion: mask for lesion, mask in sound.items() if lesion not in inverted}
    if field is not None:
        findings += _outside(files, sound, field)
    findings += _overlaps(files, sound)
    areas = {lesion: _areas(mask) for lesion, mask in masks.items()}
    findings = [_as_known(finding, dataset) for finding in findings]
    if image is None or field is None:
        return Examined(key, files.split, findings, areas, None, None)
    return Examined(key, files.split, findings, areas, content_hash(image), perceptual_hash(image, field))


def orphans(dataset: FileDataset) -> list[Finding]:
    """Masks that belong to no photograph."""
    return [Finding("orphan_mask", ERROR, "", "", "", file, "belongs to no photograph") for file in dataset.orphans()]


def unread(dataset: FileDataset) -> list[Finding]:
    """Photographs that lie where the reader does not look."""
    return [
        Finding("unread_photograph", ERROR, "", "", "", file, "lies deeper than those that are read; put them together")
        for file in dataset.unread()
    ]


def empty_classes(dataset: FileDataset, shown: Collection[str], findings: list[Finding]) -> list[Finding]:
    """Classes without a pixel in the whole dataset, of which nothing else tells why.

    ``shown``: classes of which some photograph has a component. ``findings``: of the whole dataset.
    """
    told = {lesion for own in findings if own.kind in _UNUSABLE for lesion in own.lesion.split(", ")}
    filed = {lesion for key in dataset.keys() for lesion in dataset.files(key).masks}  # noqa: SIM118
    return [
        Finding("empty_class", ERROR, "", "", lesion, "", f"no photograph has a pixel of {lesion}")
        for lesion in dataset.lesions
        if lesion not in {*shown, *told} and (lesion in filed or lesion not in dataset.optional_lesions)
    ]


def summary(findings: list[Finding]) -> list[dict[str, Any]]:
    """Findings counted by kind and severity, errors first, each with what it means."""
    counts = Counter((finding.severity, finding.kind) for finding in findings)
    order = sorted(counts, key=lambda pair: (pair[0] != ERROR, list(KINDS).index(pair[1])))
    return [
        {"finding": kind, "severity": severity, "count": counts[severity, kind], "meaning": KINDS[kind]}
        for severity, kind in order
    ]


def _finding(files: SampleFiles, kind: str, severity: str, lesion: str, file: str, detail: str) -> Finding:
    return Finding(kind, severity, files.split, files.key, lesion, file, detail)


def _as_known(finding: Finding, dataset: FileDataset) -> Finding:
    if (finding.kind, finding.image, finding.lesion) not in dataset.known_defects:
        return finding
    return finding._replace(severity=NOTE, detail=f"{finding.detail} (known: the release has it)")


def _missing(dataset: FileDataset, files: SampleFiles) -> Iterator[Finding]:
    absent = [lesion for lesion in dataset.lesions if lesion not in files.masks]
    if files.expected is None and not files.masks:
        yield _finding(files, "missing_mask", ERROR, "", "", "has no mask of any class")
    elif files.expected is None and absent:
        detail = f"has no mask of {', '.join(absent)}"
        yield _finding(files, "missing_mask", NOTE, ", ".join(absent), "", detail)
    for lesion in files.missing:
        yield _finding(files, "missing_mask", ERROR, lesion, "", f"has no mask of {lesion}, which must be there")


def _inverted(files: SampleFiles, masks: dict[str, Mask], field: Mask | None) -> Iterator[tuple[str, Finding]]:
    """Masks that cover most of the photograph, or of its dark surround, by lesion class."""
    for lesion, mask in masks.items():
        share, where = mask.mean(), "the photograph"
        if share <= _MOST and field is not None and not field.all():
            share, where = mask[~field].mean(), "what lies outside the field of view"
        if share > _MOST:
            detail = f"covers {100 * share:.0f} % of {where}; if the lesions are black in it, save it inverted"
            yield lesion, _finding(files, "inverted", ERROR, lesion, str(files.masks[lesion]), detail)


def _outside(files: SampleFiles, masks: dict[str, Mask], field: Mask) -> Iterator[Finding]:
    for lesion, mask in masks.items():
        outside = mask & ~field
        count = int(np.count_nonzero(outside))
        if count:
            labels, _ = components(mask)
            whole = len(np.setdiff1d(labels[outside], labels[mask & field]))
            detail = f"{count} px outside the field of view, {whole} components wholly"
            severity = ERROR if whole else NOTE
            yield _finding(files, "outside_field", severity, lesion, str(files.masks[lesion]), detail)


def _overlaps(files: SampleFiles, masks: dict[str, Mask]) -> Iterator[Finding]:
    sizes = {lesion: np.count_nonzero(mask) for lesion, mask in masks.items()}
    for one, other in combinations(masks, 2):
        if masks[one].shape != masks[other].shape:
            continue
        shared = int(np.count_nonzero(masks[one] & masks[other]))
        if shared:
            part = shared / min(sizes[one], sizes[other])
            severity = ERROR if part >= COPIED else NOTE
            detail = f"{one} and {other} share {shared} px, {100 * part:.1f} % of the smaller"
            yield _finding(files, "overlap", severity, f"{one}, {other}", str(files.masks[one]), detail)


def _areas(mask: Mask) -> NDArray[np.int64]:
    part = mask[bounding_box(mask)].astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(part, connectivity=8)[2]
    return stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
