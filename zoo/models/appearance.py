"""What the marks of each class look like, so that a network recognises what was circled under any label.

The marks of a label differ between photographs and within one, so each class has a mean and two covariances: the
one-way random effects model (Searle, Casella and McCulloch, Variance Components, 1992).
"""

from collections.abc import Mapping, Sequence
from math import log, pi

import torch
from torch import Tensor, nn

FEATURES = 4
"""Of a mark: its deviation in R, G and B, as `zoo.models.layers.matched_filter.deviations` has it, and the log of its
radius."""
COLOURS = slice(3)
"""Those of the features that a mark has that says nothing of its size, a click or a stroke."""
LEAST_VARIANCE = 1e-3
"""Least variance between photographs in any direction: a class measured on few photographs is not known exactly."""


def features_of(deviations: Tensor, radii: Tensor) -> Tensor:
    """The features of marks.

    Args:
        deviations: (n, 3), of each mark from its surroundings; their arcsinh is taken, for a few are far larger.
        radii: (n,), effective radii, px on a photograph as wide as `coarsekit.windows.REFERENCE_WIDTH`, above 0.

    Returns:
        (n, `FEATURES`) float64.
    """
    return torch.cat([deviations.asinh(), radii.log()[:, None]], dim=1).double()


class Appearance(nn.Module):
    """Means and covariances of the features of the marks of each class, and of marks around nothing.

    ``mean``: (c + 1, `FEATURES`), that of nothing last. ``between_root``, ``within_root``: Cholesky factors of the
    covariances between photographs and within one, (c + 1, `FEATURES`, `FEATURES`), since those stay covariances when
    weights are stored as 16-bit floats. All are 0 until they are fitted.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.between_root: Tensor
        self.within_root: Tensor
        self.register_buffer("mean", torch.zeros(classes + 1, FEATURES))
        for name in ("between_root", "within_root"):
            self.register_buffer(name, torch.zeros(classes + 1, FEATURES, FEATURES))

    @property
    def fitted(self) -> bool:
        """Whether every class has been measured, and nothing, too."""
        return bool((self.within_root.diagonal(dim1=1, dim2=2) > 0).all())

    @property
    def between(self) -> Tensor:
        """Covariances between photographs, (c + 1, `FEATURES`, `FEATURES`) float64."""
        return self.between_root.double() @ self.between_root.double().mT

    @property
    def within(self) -> Tensor:
        """Covariances within a photograph, likewise."""
        return self.within_root.double() @ self.within_root.double().mT

    def fit(self, marks: Mapping[int, Sequence[Tensor]]) -> None:
        """Measure the classes.

        Args:
            marks: By the index of the class, c for nothing, the features (n, `FEATURES`) of its marks on each of
                several photographs. A class with fewer than two photographs, or without two marks on any, stays as it
                is.
        """
        for index, groups in marks.items():
            counts = torch.tensor([len(group) for group in groups if len(group)]).double()
            free = (counts - 1).sum()
            if len(counts) < 2 or free < 1:
                continue
            means = torch.stack([group.mean(0) for group in groups if len(group)])
            apart = [group - group.mean(0) for group in groups if len(group)]
            within = torch.stack([each.T @ each for each in apart]).sum(0) / free
            between = means.T.cov() - within * (1 / counts).mean()
            values, vectors = torch.linalg.eigh(between)
            self.mean[index] = means.mean(0)
            between = vectors @ values.clamp(min=LEAST_VARIANCE).diag() @ vectors.T
            self.between_root[index] = torch.linalg.cholesky(between)
            self.within_root[index] = torch.linalg.cholesky(within + LEAST_VARIANCE * torch.eye(FEATURES))

    def pooled(self, features: Tensor, sized: bool = True) -> Tensor:
        """The log likelihood (c + 1,) of all marks (n, `FEATURES`), n ≥ 1, being marks of one class on one photograph.

        ``sized``: whether their sizes count.
        """
        return self._log_density(features.mean(0, keepdim=True), len(features), sized)[0]

    def single(self, features: Tensor, sized: bool = True) -> Tensor:
        """The log likelihood (n, c + 1) of each mark by itself; see `pooled`."""
        return self._log_density(features, 1, sized)

    def opposite(self) -> Tensor:
        """Whether two classes deviate to opposite sides of their surroundings, as dark and bright ones do: (c, c)."""
        colours = self.mean[:-1, COLOURS]
        return colours @ colours.T < 0

    def _log_density(self, features: Tensor, marks: int, sized: bool) -> Tensor:
        """Of means over as many ``marks`` (n, `FEATURES`), for each class and for nothing: (n, c + 1)."""
        use = slice(None) if sized else COLOURS
        covariance = (self.between + self.within / marks)[:, use, use]
        apart = features.double()[:, None, use] - self.mean.double()[:, use]
        squared = torch.einsum("nci,cij,ncj->nc", apart, torch.linalg.inv(covariance), apart)
        return -0.5 * (squared + torch.logdet(covariance) + log(2 * pi) * covariance.shape[-1])
