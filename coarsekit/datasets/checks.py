"""What is wrong with a dataset, before anyone trains on it: findings by photograph, and how large its lesions are.

A finding is an *error* when training would stop at it or learn something false from it, and a *note* when it is
lawful in published data but worth knowing. What a reader knows to be a defect of the release itself is a note.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset, FileDataset, SampleFiles
from coarsekit.datasets.near_duplicates import MAX_HAMMING, content_hash, distances, field_of_view, perceptual_hash
from coarsekit.errors import CoarsekitError, ParameterError
from coarsekit.geometry import components
from coarsekit.images import read_image
from coarsekit.types import Mask, bounding_box

ERROR, NOTE = "error", "note"
KINDS = {
    "unreadable": "a file cannot be decoded",
    "missing_mask": "a mask that should be there is not",
    "orphan_mask": "a mask belongs to no photograph",
    "size_mismatch": "a mask has another size than its photograph",
    "not_binary": "a mask has values that mean nothing",
    "empty_mask": "a mask has no pixel",
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


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found.

    ``title``: the dataset's. ``photographs``: how many were examined. ``findings``: each thing found, with its kind and
    where it is. ``classes``: for each lesion class the photographs that show it, its components, and percentiles of
    their areas in px.
    """

    title: str
    photographs: int
    findings: list[Finding]
    classes: list[dict[str, Any]]

    @property
    def errors(self) -> list[Finding]:
        """The findings at which training would stop, or from which it would learn something false."""
        return [finding for finding in self.findings if finding.severity == ERROR]

    @property
    def notes(self) -> list[Finding]:
        """The findings that are lawful in published data but worth knowing."""
        return [finding for finding in self.findings if finding.severity == NOTE]

    @property
    def summary(self) -> list[dict[str, Any]]:
        """How many findings there are of each kind and severity, errors first, and what each means."""
        return summary(self.findings)


def check(
    source: str | Dataset, split: str | None = None, *, progress: Callable[[int, int], None] = lambda *_: None
) -> CheckReport:
    """Find what is wrong with a dataset, and how many lesions of what size it has.

    Every photograph and every mask is decoded; a file that cannot be read is a finding, and no exception.

    Args:
        source: ``sample``, or ``READER:PATH`` such as ``idrid:data/idrid``, or a dataset that was opened.
        split: The split to check, such as ``train``; None for all photographs.
        progress: Called with how many photographs are finished and how many there are, first with 0 finished.

    Returns:
        The findings, errors and notes, and the table of lesion classes.

    Raises:
        SourceError: When the source is not found, or not laid out as its reader expects.
        ParameterError: For a split that the dataset does not have, and for a dataset that is not made of files.

    Examples:
        >>> report = coarsekit.check("sample")
        >>> report.photographs, report.errors
        (2, [])
        >>> [row["lesion"] for row in report.classes]
        ['MA', 'HE', 'EX', 'SE']
    """
    dataset = source if isinstance(source, Dataset) else open_source(source)
    if not isinstance(dataset, FileDataset):
        named = dataset.title if isinstance(source, Dataset) else source
        raise ParameterError(f"{named} is not made of image files, so there is nothing to check file by file")
    findings, twins, tally = orphans(dataset), DuplicateFinder(), Tally()
    keys = dataset.keys(split)
    progress(0, len(keys))
    for done, key in enumerate(keys, 1):
        examined = examine(dataset, key)
        findings += examined.findings + twins.add(examined)
        tally.add(examined)
        progress(done, len(keys))
    return CheckReport(dataset.title, len(keys), findings, tally.rows(dataset.lesions))


def examine(dataset: FileDataset, key: str) -> Examined:
    """Decode one photograph and its masks, and report what is wrong with them; a file that cannot be read is a finding.

    Raises `SourceError` for a key that the dataset does not have.
    """
    files = dataset.files(key)
    findings = list(_missing(dataset, files))
    image, field = None, None
    try:
        image = read_image(files.photograph)
        field = field_of_view(image)
    except CoarsekitError as error:
        findings.append(_finding(files, "unreadable", ERROR, "", str(files.photograph), str(error)))
    masks: dict[str, Mask] = {}
    for path in dict.fromkeys(files.masks.values()):
        lesions = ", ".join(files.lesions_of(path))
        try:
            decoded = dataset.decode(files, path)
        except CoarsekitError as error:
            findings.append(_finding(files, "unreadable", ERROR, lesions, str(path), str(error)))
            continue
        if decoded.odd:
            findings.append(_finding(files, "not_binary", ERROR, lesions, str(path), decoded.oddity))
        if not any(mask.any() for mask in decoded.masks.values()):
            damaged = not dataset.all_zero_allowed and set(files.lesions_of(path)) <= set(files.expected or ())
            detail = "has no pixel, where the release has some" if damaged else "has no pixel"
            findings.append(_finding(files, "empty_mask", ERROR if damaged else NOTE, lesions, str(path), detail))
        size = next(iter(decoded.masks.values())).shape
        if image is not None and size != image.shape[:2]:
            detail = f"the mask is {size[1]} × {size[0]} px, its photograph {image.shape[1]} × {image.shape[0]}"
            findings.append(_finding(files, "size_mismatch", ERROR, lesions, str(path), detail))
        else:
            masks |= {lesion: mask for lesion, mask in decoded.masks.items() if mask.any()}
    if field is not None:
        findings += _outside(files, masks, field)
    findings += _overlaps(files, masks)
    areas = {lesion: _areas(mask) for lesion, mask in masks.items()}
    findings = [_as_known(finding, dataset) for finding in findings]
    if image is None or field is None:
        return Examined(key, files.split, findings, areas, None, None)
    return Examined(key, files.split, findings, areas, content_hash(image), perceptual_hash(image, field))


def orphans(dataset: FileDataset) -> list[Finding]:
    """Masks that belong to no photograph."""
    return [Finding("orphan_mask", ERROR, "", "", "", file, "belongs to no photograph") for file in dataset.orphans()]


class DuplicateFinder:
    """Finds photographs that are there twice. It keeps 48 bytes and a name of each photograph, and no pixels."""

    def __init__(self) -> None:
        self._names: list[tuple[str, str]] = []
        self._contents: dict[bytes, int] = {}
        self._prints = bytearray()

    def add(self, examined: Examined) -> list[Finding]:
        """Compare a photograph with those before it: the first with the same pixels, or else the most similar."""
        if examined.content is None or examined.print is None:
            return []
        found, kind, how = self._contents.get(examined.content), "duplicate", "the same pixels"
        if found is None and self._names and examined.print.any():
            apart = distances(examined.print, np.frombuffer(self._prints, np.uint8).reshape(-1, 32))
            if apart.min() <= MAX_HAMMING:
                found, kind = int(apart.argmin()), "near_duplicate"
                how = f"the same picture ({apart.min()} of 256 bits differ)"
        self._contents.setdefault(examined.content, len(self._names))
        self._names.append((examined.key, examined.split))
        self._prints += examined.print.tobytes()
        if found is None:
            return []
        key, split = self._names[found]
        across = split != examined.split
        detail = f"shows {how} as {key}" + (f" of split {split}" if across else "")
        kind += "_across_splits" if across else ""
        return [Finding(kind, ERROR, examined.split, examined.key, "", "", detail)]


class Tally:
    """Component statistics by lesion class, in memory that does not grow: areas above 9999 px count to four digits."""

    def __init__(self) -> None:
        self._photographs: Counter[str] = Counter()
        self._areas: dict[str, Counter[int]] = {}

    def add(self, examined: Examined) -> None:
        """Count one photograph."""
        for lesion, areas in examined.areas.items():
            self._photographs[lesion] += 1
            coarse = 10 ** np.maximum(np.floor(np.log10(areas)).astype(int) - 3, 0)
            self._areas.setdefault(lesion, Counter()).update((np.rint(areas / coarse).astype(int) * coarse).tolist())

    def rows(self, lesions: tuple[str, ...]) -> list[dict[str, Any]]:
        """Per lesion class: photographs that show it, components, and percentiles of their areas in px."""
        rows = []
        for lesion in lesions:
            counted = sorted(self._areas.get(lesion, Counter()).items())
            areas, ends = np.array([area for area, _ in counted]), np.cumsum([count for _, count in counted])
            total = int(ends[-1]) if len(ends) else 0
            # The nearest rank: an area that was counted, not one between two.
            places = {f"area_p{share}": np.searchsorted(ends, share / 100 * total) for share in (5, 50, 95)}
            sizes = {name: int(areas[place]) if total else 0 for name, place in places.items()}
            largest = int(areas[-1]) if total else 0
            head = {"lesion": lesion, "photographs": self._photographs[lesion], "components": total}
            rows.append(head | sizes | {"area_max": largest})
        return rows


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
    for lesion in files.expected or ():
        if lesion not in files.masks:
            yield _finding(files, "missing_mask", ERROR, lesion, "", f"has no mask of {lesion}, which must be there")


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
