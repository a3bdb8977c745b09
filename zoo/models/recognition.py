"""Which class each mark is refined as: by its label where the network knows that class and the mark looks like it.

Labels that the network does not know are refined as the classes that their marks look like, all labels of a photograph
together, since two of them, or one and a label that it knows, seldom mean one class. A mark that looks like the
opposite of its label, a bright spot under the name of a dark lesion, is refined as what it looks like, and reported.
"""

from collections.abc import Collection, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import expit

from coarsekit.geometry import lies_outside
from coarsekit.marks import CLICK, STROKE, ways_drawn
from coarsekit.types import Annotation, Image, Mask, Shape, sized
from coarsekit.windows import REFERENCE_WIDTH, bounding_boxes
from zoo.marks.groups import BY_CONTENT, BY_LABEL, CONTRADICTION, Group
from zoo.models.appearance import RADIUS, Appearance, features_of
from zoo.models.signature import mark_deviations, spread

WRONG, ALL_WRONG = 0.02, 0.95
"""The share of a label's marks that is expected to be of the opposite kind where all together do not look like it, and
where they do."""
TRUST = 0.7
"""How much a mark's evidence counts: its surroundings make it less sure than the model of its class has it. Chosen on
training photographs, so that of marks under the right label at most one in fifty is reported."""
MOST_MARKS = 128
"""Marks of a label that are looked at; of more, as many at even distances, and the others go with most of them."""
SHARED = 3.0
"""By how much less likely it is that two labels of a photograph mean one class, in log likelihood: one in twenty do."""
LARGER = 2.0
"""How much more likely a class is taken to be for each unit of the log of its radius: taken to be of the smaller of two
classes, large lesions are hardly answered, and the other way round small ones are. Chosen on training photographs."""
NOTHING = 0.8
"""How likely a mark around nothing is, over one of its label: what looks like nothing is not contradicted."""


def recognise(
    appearance: Appearance, lesions: Sequence[str], image: Image, drawn: Annotation, scale: float | None = None
) -> list[Group]:
    """Divide the marks of a photograph into groups that are refined alike.

    Args:
        appearance: What the classes look like, fitted.
        lesions: The classes that the network knows.
        image: (h, w, 3) uint8 RGB.
        drawn: What was drawn on it.
        scale: As in `coarsekit.windows.window_around`.

    Returns:
        One group or more for each label, in the order of the labels; marks wholly outside are in none.
    """
    width = drawn.width if scale is None else scale * REFERENCE_WIDTH
    shapes = [sized(mark.shape, width) for mark in drawn.marks]
    has_size = np.array([way not in (CLICK, STROKE) for way in ways_drawn(drawn)], bool)
    outside = [lies_outside(mark.shape, drawn.width, drawn.height) for mark in drawn.marks]
    places, likelihoods = dict[str, list[int]](), dict[str, NDArray[np.float64]]()
    known: dict[str, list[Group]] = {}
    for label in drawn.lesions:
        own = [place for place, mark in enumerate(drawn.marks) if mark.lesion == label and not outside[place]]
        if not own:
            continue
        places[label] = own
        looked = spread(len(own), MOST_MARKS)
        chosen = [own[index] for index in looked]
        features = mark_features(image, shapes, chosen, scale)
        if label in lesions:
            known[label] = _groups(appearance, lesions, label, own, looked, features, has_size[chosen])
        else:
            likelihoods[label] = _likelihoods(appearance, features, has_size[chosen], LARGER)
    told = [lesions.index(max(own, key=lambda group: len(group.marks)).taken_as) for own in known.values()]
    taken = dict(zip(likelihoods, classes_of([*likelihoods.values()], told), strict=True))
    return [
        group
        for label, own in places.items()
        for group in known.get(label) or [Group(label, lesions[taken[label]], BY_CONTENT, tuple(own))]
    ]


def classes_of(likelihoods: Sequence[NDArray[np.float64]], told: Collection[int] = ()) -> list[int]:
    """The class of each unknown label of a photograph, by all labels together.

    Args:
        likelihoods: Of each such label, the log likelihood (c,) of its marks being of each class.
        told: The indices of the classes that the photograph's known labels have.

    Returns:
        The index of each label's class, so that the sum of their likelihoods, less `SHARED` for each label whose class
        is one of those, or of another label before it, is greatest; empty without labels.
    """
    if not likelihoods:
        return []
    alone = np.stack(likelihoods)
    # A class that no label has can be had once for nothing, and each as often again at a price.
    first = alone - SHARED * np.isin(np.arange(alone.shape[1]), [*told])
    again = [alone - SHARED] * (len(alone) - 1)
    _, columns = linear_sum_assignment(np.hstack([first, *again]), maximize=True)
    return [int(column) for column in columns % alone.shape[1]]


def mark_features(
    image: Image, shapes: Sequence[Shape], chosen: Sequence[int], scale: float | None = None
) -> NDArray[np.float64]:
    """The features of marks, see `zoo.models.appearance.features_of`.

    Args:
        image: (h, w, 3) uint8 RGB.
        shapes: All marks of the photograph, of whatever labels; those without a size with one, see `sized`.
        chosen: The places of the marks that are looked at.
        scale: As in `coarsekit.windows.window_around`.

    Returns:
        (n, `FEATURES`) float64 for the n marks ``chosen``.
    """
    boxes = bounding_boxes([shapes[place] for place in chosen])
    radii = np.sqrt(((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).clip(min=1)) / 2
    radii /= image.shape[1] / REFERENCE_WIDTH if scale is None else scale
    return features_of(mark_deviations(image, shapes, chosen, scale), radii)


def _groups(
    appearance: Appearance,
    lesions: Sequence[str],
    label: str,
    places: list[int],
    looked: NDArray[np.intp],
    features: NDArray[np.float64],
    has_size: Mask,
) -> list[Group]:
    """The groups of a known label, whose marks are at ``places``; those at the indices ``looked`` have ``features``."""
    opposite = appearance.opposite()[lesions.index(label)]
    seen_wrong = _contradicting(appearance, features, opposite)
    wrong = np.full(len(places), np.count_nonzero(seen_wrong) > 0.5 * len(seen_wrong))
    wrong[looked] = seen_wrong
    groups = [(BY_LABEL, label, ~wrong)]
    if wrong.any():
        likelihoods = _likelihoods(appearance, features[seen_wrong], has_size[seen_wrong])
        best = int(np.where(opposite, likelihoods, -np.inf).argmax())
        groups.append((CONTRADICTION, lesions[best], wrong))
    return [
        Group(
            label, taken_as, why, tuple(place for place, inside in zip(places, chosen.tolist(), strict=True) if inside)
        )
        for why, taken_as, chosen in groups
        if chosen.any()
    ]


def _likelihoods(
    appearance: Appearance, features: NDArray[np.float64], has_size: Mask, larger: float = 0.0
) -> NDArray[np.float64]:
    """The log likelihood (c,) of marks of one label being of each class, by those with a size where there are any.

    With a size, it is greater by ``larger`` for each unit of the log of a class's mean radius.
    """
    if not has_size.any():
        return appearance.pooled(features, sized=False)[:-1]
    return appearance.pooled(features[has_size])[:-1] + larger * appearance.mean[:-1, RADIUS]


def _contradicting(appearance: Appearance, features: NDArray[np.float64], opposite: Mask) -> Mask:
    """Which marks (n,) of one label look like classes of the ``opposite`` kind (c,), by their colours.

    Sizes say nothing of it: a large ellipse around several small lesions is as large as one around another class.
    All marks together are looked at first: where they look like the opposite, one that is unclear does too; where they
    do not, one alone must be clear.
    """
    if not len(features) or not opposite.any() or opposite.all():
        return np.zeros(len(features), bool)
    likelihoods = appearance.single(features, sized=False)
    classes, nothing = likelihoods[:, :-1], likelihoods[:, -1] + log(NOTHING)
    evidence = TRUST * (classes[:, opposite].max(1) - np.maximum(classes[:, ~opposite].max(1), nothing))
    together = appearance.pooled(features, sized=False)
    against = max(together[:-1][~opposite].max(), together[-1])
    share = WRONG + (ALL_WRONG - WRONG) * float(expit(together[:-1][opposite].max() - against))
    return evidence + log(share / (1 - share)) > 0
