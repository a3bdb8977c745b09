"""All that the results of a photograph depend on, as digests by which they are kept."""

from typing import Any

from coarsekit.scale import scale_of
from coarsekit.storage.digests import drawing_sha256, photograph_sha256, sha256_of
from coarsekit.types import Annotation, Image
from zoo.refiner import Refiner

DEPENDS_ON = {
    "photograph_sha256": "another photograph",
    "drawing_sha256": "another drawing",
    "weights_sha256": "another refiner, or other weights",
    "engine": "another engine",
    "refining_version": "another version of what refines",
    "scale": "another scale",
    "cleaning": "another choice of what is left out",
    "doubt": "another way to tell how far to trust it",
}
"""What results depend on, by its field of the record, and what a refusal calls results of another."""


def content_of(
    refiner: Refiner, image: Image, annotation: Annotation, field_of_view: float | None = None
) -> dict[str, Any]:
    """All that the results depend on: digests, that of the weights empty for a refiner made in memory; and the scale.

    ``field_of_view``: see `coarsekit.scale.scale_of`.
    """
    scale = scale_of(image, annotation, field_of_view)
    return {
        "photograph_sha256": photograph_sha256(image),
        "drawing_sha256": drawing_sha256(annotation),
        "weights_sha256": refiner.weights_sha256,
        "engine": refiner.engine,
        "refining_version": refiner.code_version(annotation.lesions),
        "scale": round(scale.value, 4),
        "scale_from": scale.source,
        "cleaning": refiner.cleaning,
        "doubt": "none" if refiner.doubt is None else sha256_of(refiner.doubt),
    }
