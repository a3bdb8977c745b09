"""What was found for each mark, as an annotation for tools."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from coarsekit.annotations.approximate import as_outline
from coarsekit.annotations.cvat import MACHINE, WITH_A_MACHINE
from coarsekit.annotations.details import own_details
from coarsekit.types import Annotation, Mark, Mask
from zoo.marks.mark_masks import mark_masks
from zoo.output.records import ACCEPT, DRAWING, REJECT

MASK, POLYGON = "mask", "polygon"
SHAPES = (MASK, POLYGON)
"""How a refined mark can be written: as its pixels, or as the outline along their edges."""


def refined_annotation(
    annotation: Annotation,
    masks: Mapping[str, Mask],
    made_by: str,
    shape: str = MASK,
    expected_ious: Mapping[int, float] = MappingProxyType({}),
    decisions: Mapping[int, str] = MappingProxyType({}),
) -> tuple[Annotation, Counter[str]]:
    """What a refiner found, as an annotation: for each mark its mask, with its id, group, attributes and label.

    Args:
        annotation: What was drawn.
        masks: (h, w) boolean by lesion class, what was found.
        made_by: The refiner and its weights, which the tool shows in the place of an annotator.
        shape: `MASK` or `POLYGON`.
        expected_ious: How far to trust what was found, 0–1, by the place of the mark; it becomes the score of a region
            in Label Studio and COCO.
        decisions: What a reviewer decided, by the place of the mark: one of `zoo.output.records.ACCEPT`, ``REJECT``,
            which leaves it out, and ``DRAWING``, which leaves it as it was drawn.

    Returns:
        The annotation, and by class how many marks are not in it because nothing was found for them.
    """
    found: dict[int, Mark] = {}
    nothing: Counter[str] = Counter()
    for lesion in annotation.lesions:
        for one in mark_masks(annotation, lesion, masks[lesion]):
            mark, decision = annotation.marks[one.place], decisions.get(one.place)
            if decision == DRAWING:
                found[one.place] = mark
            elif one.mask is None and decision != REJECT:
                nothing[lesion] += 1
            if one.mask is None or decision in (DRAWING, REJECT):
                continue
            own = one.mask if shape == MASK else as_outline(one.mask)
            source = WITH_A_MACHINE if decision == ACCEPT else MACHINE
            details = _details(mark.details, mark, source, expected_ious.get(one.place))
            found[one.place] = replace(mark, shape=own, details=details)
    provenance = {**annotation.provenance, "model_version": made_by}
    return replace(annotation, marks=tuple(found[place] for place in sorted(found)), provenance=provenance), nothing


def _details(details: Mapping[str, Any], mark: Mark, source: str, score: float | None) -> dict[str, Any]:
    """The annotator's, but for what says with what it was drawn, and that a person drew it; and a score.

    ``source``: who made it, as CVAT has it.
    """
    drawn_with = {"labelstudio": ("from_name", "score"), "coco": ("score", "keypoints", "num_keypoints")}
    own = {
        name: {field: value for field, value in own_details(mark, name).items() if field not in fields}
        for name, fields in drawn_with.items()
        if name in details
    }
    if score is not None:
        own = {name: {**own.get(name, {}), "score": score} for name in drawn_with}
    return {**details, **own, "cvat": {**own_details(mark, "cvat"), "source": source}}
