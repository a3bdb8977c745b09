"""Results of many photographs, made without refining: all are of one picture and have the same masks."""

import json
from pathlib import Path

import numpy as np

from coarsekit.annotations.native import shape_document
from coarsekit.geometry import draw
from coarsekit.images import write_image
from coarsekit.storage.digests import drawing_sha256, file_sha256, photograph_sha256
from coarsekit.types import Annotation, Ellipse, Mark


def write_many(
    folder: Path, photographs: int = 50, marks: int = 100, size: tuple[int, int] = (1072, 712), seed: int = 0
) -> None:
    """Write records of ``photographs`` photographs of ``marks`` marks each, as refining does, to a folder."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size
    low = rng.integers(40, 160, (height // 8, width // 8, 3)).astype(np.uint8)
    image = np.kron(low, np.ones((8, 8, 1), np.uint8))
    write_image(folder / "photograph.png", image)
    drawn = []
    for place in range(marks):
        radius = float(rng.uniform(0.01, 0.02) * width)
        x, y = rng.uniform((radius, radius), (width - radius, height - radius))
        drawn.append(Mark(("MA", "HE", "EX", "SE")[place % 4], Ellipse(float(x), float(y), radius, radius * 0.8)))
    annotation = Annotation("photograph.png", width, image.shape[0], tuple(drawn))
    files = {}
    for lesion in annotation.lesions:
        mask = draw(annotation.of(lesion), image.shape[:2]) & (rng.random(image.shape[:2]) < 0.97)
        write_image(folder / f"all_{lesion}.png", mask)
        files[f"all_{lesion}.png"] = file_sha256(folder / f"all_{lesion}.png")
    rows = [
        {
            "mark": place,
            "lesion": mark.lesion,
            "drawn_as": "outline",
            "refined_as": mark.lesion,
            "found": "part",
            "drawn_pixels": 900,
            "refined_pixels": 870,
            "outside_pixels": 0,
            "overlap_pixels": 0,
            "mean_probability": 0.8,
            "expected_iou": float(rng.random()),
            "drawing": shape_document(mark.shape),
            "details": {},
        }
        for place, mark in enumerate(drawn)
    ]
    record = {
        "image": "photograph.png",
        "width": width,
        "height": image.shape[0],
        "refiner": "many",
        "photograph": str((folder / "photograph.png").absolute()),
        "weights_sha256": "many",
        "photograph_sha256": photograph_sha256(image),
        "drawing_sha256": drawing_sha256(annotation),
        "masks": [{"lesion": name[4:-4], "file": name} for name in files],
        "marks": rows,
        "files": files,
        "provenance": {},
        "finished": True,
    }
    for number in range(photographs):
        (folder / f"p{number:03}.json").write_text(json.dumps(record))


OBSERVE = """
window.answered = [];
addEventListener("keydown", (event) => {
  requestAnimationFrame(() => setTimeout(() => window.answered.push(performance.now() - event.timeStamp)));
}, true);
"""
"""Notes for each key the ms from the key to the end of the picture that it changed."""
READY = "return document.querySelectorAll('.row').length > 0 && document.getElementById('wait').hidden"
OPENED = "return performance.now()"
