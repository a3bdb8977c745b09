"""Refiners that turn the circles and ellipses drawn on a fundus photograph into pixel-exact lesion masks.

>>> import zoo
>>> refiner = zoo.from_pretrained("lite")
>>> refined = refiner.refine(image, annotation)
"""

from zoo.checkpoints.folder import list_refiners as list_refiners
from zoo.loading import from_pretrained as from_pretrained
from zoo.refiner import Refiner as Refiner

__all__ = ["Refiner", "from_pretrained", "list_refiners"]
