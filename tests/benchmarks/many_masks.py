"""Seconds of one processor core to write and to read many small masks on one large photograph, JSON included.

    python tests/benchmarks/many_masks.py [MASKS]

3,000 masks of about 20 × 20 px on 4288 × 2848 without a number. The last column is how many times as long counting
the runs of the whole photograph for each mask takes by itself, as it was done before.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from coarsekit.annotations import format_named
from coarsekit.annotations.rle import run_lengths
from coarsekit.types import Annotation, Mark, Raster

WIDTH, HEIGHT, SIDE = 4288, 2848, 20
ROUNDS = 7
FORMATS = ("coco", "labelstudio")


def main(count: int) -> None:
    """Print a line for each format: seconds to write, seconds to read, how many masks came back the same."""
    annotation = Annotation("photograph.jpg", WIDTH, HEIGHT, tuple(Mark("MA", raster) for raster in _rasters(count)))
    whole, walks = np.zeros(WIDTH * HEIGHT, dtype=bool), []
    for _ in range(ROUNDS):
        began = time.process_time()
        run_lengths(whole)
        walks.append(time.process_time() - began)
    walk = count * min(walks)
    print(f"{count} masks{'write':>18}{'read':>10}{'same masks':>14}{'walks alone':>15}")
    with TemporaryDirectory() as folder:
        for name in FORMATS:
            path, target = Path(folder) / f"{name}.json", format_named(name)
            began = time.process_time()
            target.write(path, [annotation])
            wrote = time.process_time()
            [back] = target.read(path).annotations
            read = time.process_time()
            same = sum(one == other for one, other in zip(annotation.marks, back.marks, strict=True))
            times = f"{wrote - began:8.2f} s{read - wrote:8.2f} s"
            print(f"{name:18}{times}{same:14}{walk / (wrote - began):9.0f} × write")


def _rasters(count: int) -> list[Raster]:
    """Disks with some pixels missing, anywhere on the photograph."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    disk = np.hypot(x - SIDE / 2, y - SIDE / 2) < SIDE / 2
    places = rng.integers(0, (WIDTH - SIDE, HEIGHT - SIDE), (count, 2)).tolist()
    return [Raster(left, top, disk & (rng.random(disk.shape) < 0.95)) for left, top in places]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
