"""What is wrong with a dataset, before anyone trains on it: findings by photograph, and how large its lesions are."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset, FileDataset
from coarsekit.datasets.findings import (
    ERROR,
    NOTE,
    Examined,
    Finding,
    empty_classes,
    examine,
    orphans,
    summary,
    unread,
)
from coarsekit.datasets.near_duplicates import MAX_HAMMING, distances
from coarsekit.errors import ParameterError


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
    findings, twins, tally = orphans(dataset) + unread(dataset), DuplicateFinder(), Tally()
    keys = dataset.keys(split)
    progress(0, len(keys))
    for done, key in enumerate(keys, 1):
        examined = examine(dataset, key)
        findings += examined.findings + twins.add(examined)
        tally.add(examined)
        progress(done, len(keys))
    rows = tally.rows(dataset.lesions)
    if split is None:
        findings += empty_classes(dataset, {row["lesion"] for row in rows if row["components"]}, findings)
    return CheckReport(dataset.title, len(keys), findings, rows)


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
