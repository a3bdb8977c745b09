"""What the marks of each class look like, so that a network recognises what was circled under any label.

The marks of a label differ between photographs and within one, so each class has a mean and two covariances: the
one-way random effects model (Searle, Casella and McCulloch, Variance Components, 1992).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Self

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Mask

FEATURES = 4
"""Of a mark: its deviation in R, G and B, as `zoo.models.layers.matched_filter.deviations` has it, and the log of its
radius."""
COLOURS = slice(3)
"""Those of the features that a mark has that says nothing of its size, a click or a stroke."""
RADIUS = 3
"""The last of the features."""
LEAST_VARIANCE = 1e-3
"""Least variance between photographs in any direction: a class measured on few photographs is not known exactly."""


def features_of(deviations: NDArray[np.floating], radii: NDArray[np.floating]) -> NDArray[np.float64]:
    """The features of marks.

    Args:
        deviations: (n, 3), of each mark from its surroundings; their arcsinh is taken, for a few are far larger.
        radii: (n,), effective radii, px on a photograph as wide as `coarsekit.windows.REFERENCE_WIDTH`, above 0.

    Returns:
        (n, `FEATURES`) float64.
    """
    return np.column_stack([np.arcsinh(deviations, dtype=np.float64), np.log(radii, dtype=np.float64)])


@dataclass(frozen=True, eq=False)
class Appearance:
    """Means and covariances of the features of the marks of each class, and of marks around nothing.

    ``mean``: (c + 1, `FEATURES`), that of nothing last. ``between_root``, ``within_root``: Cholesky factors of the
    covariances between photographs and within one, (c + 1, `FEATURES`, `FEATURES`), since those stay covariances when
    weights are stored as 16-bit floats. All are float64, and 0 for what is not fitted.
    """

    mean: NDArray[np.float64]
    between_root: NDArray[np.float64]
    within_root: NDArray[np.float64]

    @classmethod
    def unmeasured(cls, classes: int) -> Self:
        """The appearance of as many classes before any is measured."""
        roots = np.zeros((2, classes + 1, FEATURES, FEATURES))
        return cls(np.zeros((classes + 1, FEATURES)), *roots)

    def measured(self, marks: Mapping[int, Sequence[NDArray[np.float64]]]) -> Self:
        """Measure classes, and return the appearance with them.

        Args:
            marks: By the index of the class, c for nothing, the features (n, `FEATURES`) of its marks on each of
                several photographs. A class with fewer than two photographs, or without two marks on any, stays as it
                is.
        """
        mean, between_root, within_root = self.mean.copy(), self.between_root.copy(), self.within_root.copy()
        for index, groups in marks.items():
            seen = [group for group in groups if len(group)]
            counts = np.array([len(group) for group in seen], np.float64)
            free = (counts - 1).sum()
            if len(counts) < 2 or free < 1:
                continue
            means = np.stack([group.mean(0) for group in seen])
            apart = np.concatenate([group - group.mean(0) for group in seen])
            within = apart.T @ apart / free
            values, vectors = np.linalg.eigh(np.cov(means.T) - within * (1 / counts).mean())
            between = vectors * values.clip(min=LEAST_VARIANCE) @ vectors.T
            mean[index], between_root[index] = means.mean(0), np.linalg.cholesky(between)
            within_root[index] = np.linalg.cholesky(within + LEAST_VARIANCE * np.eye(FEATURES))
        return type(self)(mean, between_root, within_root)

    @property
    def fitted(self) -> bool:
        """Whether every class has been measured, and nothing, too."""
        return bool((np.diagonal(self.within_root, axis1=1, axis2=2) > 0).all())

    @property
    def between(self) -> NDArray[np.float64]:
        """Covariances between photographs, (c + 1, `FEATURES`, `FEATURES`)."""
        return self.between_root @ self.between_root.mT

    @property
    def within(self) -> NDArray[np.float64]:
        """Covariances within a photograph, likewise."""
        return self.within_root @ self.within_root.mT

    def pooled(self, features: NDArray[np.float64], sized: bool = True) -> NDArray[np.float64]:
        """The log likelihood (c + 1,) of all marks (n, `FEATURES`), n ≥ 1, being marks of one class on one photograph.

        ``sized``: whether their sizes count.
        """
        return self._log_density(features.mean(0, keepdims=True), len(features), sized)[0]

    def single(self, features: NDArray[np.float64], sized: bool = True) -> NDArray[np.float64]:
        """The log likelihood (n, c + 1) of each mark by itself; see `pooled`."""
        return self._log_density(features, 1, sized)

    def opposite(self) -> Mask:
        """Whether two classes deviate to opposite sides of their surroundings, as dark and bright ones do: (c, c)."""
        colours = self.mean[:-1, COLOURS]
        return colours @ colours.T < 0

    def _log_density(self, features: NDArray[np.float64], marks: int, sized: bool) -> NDArray[np.float64]:
        """Of means over as many ``marks`` (n, `FEATURES`), for each class and for nothing: (n, c + 1)."""
        use = slice(None) if sized else COLOURS
        covariance = (self.between + self.within / marks)[:, use, use]
        apart = features[:, None, use] - self.mean[:, use]
        squared = np.einsum("nci,cij,ncj->nc", apart, np.linalg.inv(covariance), apart)
        return -0.5 * (squared + np.linalg.slogdet(covariance).logabsdet + log(2 * pi) * covariance.shape[-1])
