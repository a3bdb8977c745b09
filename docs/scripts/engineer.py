"""A mask for each lesion class, and how far to trust each mark: python engineer.py photograph.png drawn.json."""

import sys

import coarsekit
import zoo

photograph, drawn = sys.argv[1:]
refiner = zoo.from_pretrained("lite")  # once, not for each photograph
try:
    image = coarsekit.read_image(photograph)
    annotation = coarsekit.read_annotation(drawn)
    refined = refiner.refine_marks(image, annotation)
except coarsekit.CoarsekitError as error:
    sys.exit(f"Error: {error}")
for mark in refined.marks:
    trust = "unknown" if mark.expected_iou is None else f"{mark.expected_iou:.2f}"
    print(f"{mark.lesion} {mark.drawn_as}: {mark.found}, {mark.refined_pixels} px, expected IoU {trust}")
for lesion, mask in refined.masks.items():
    print(f"{lesion}: {mask.sum()} of {mask.size} px")
