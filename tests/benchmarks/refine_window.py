"""Milliseconds for one window on one processor core, each refiner beside the paper's U-Net in the same run.

    python tests/benchmarks/refine_window.py [REFINER …]

A refiner is a bundled name or a checkpoint folder; without any, all bundled networks, among them ``unet`` at the width
that one core can train. ``unet-64`` is the paper's at full width, 64 channels at 256 px; it is untrained, since weights
do not change the time. Every round times each network once, so that what else the machine does hits all of them; the
least of the rounds is shown.
"""

import sys
import time

import numpy as np
import torch

from zoo import from_pretrained, list_refiners
from zoo.models.base import Network, build, network_class
from zoo.models.patches import BATCH

ROUNDS = 7
FULL = "unet-64"
COUNTS = (BATCH, 1)
"""Windows at once: many ellipses, and a single one."""


def main(wanted: list[str]) -> None:
    """Print a line for each network: size of its patch; for each of `COUNTS`, milliseconds a window and their ratio."""
    torch.set_num_threads(1)
    networks: dict[str, Network] = {FULL: build(network_class("unet"), {})}
    for name in wanted or list_refiners():
        refiner = from_pretrained(name)
        if isinstance(refiner, Network):
            networks[name] = refiner
    for name, network in networks.items():
        networks[name] = network.to(memory_format=torch.channels_last).for_inference()
    least = {(name, count): float("inf") for name in networks for count in COUNTS}
    for _ in range(ROUNDS):
        for (name, count), before in least.items():
            least[name, count] = min(before, _milliseconds(networks[name], count))
    print(f"{'windows at once':31}" + "".join(f"{count:29}" for count in COUNTS))
    for name, network in networks.items():
        columns = (f"{least[name, n]:10.1f} ms {least[name, n] / least[FULL, n]:6.3f} × {FULL}" for n in COUNTS)
        print(f"{name:24} {network.config.size:4} px", *columns)


def _milliseconds(network: Network, count: int) -> float:
    size = network.config.size
    image = np.random.default_rng(0).random((count, 3, size, size), np.float32)
    coarse = np.zeros((count, 1, size, size), np.float32)
    coarse[:, :, size // 4 : -size // 4, size // 4 : -size // 4] = 1
    network.patch_probabilities(image[:1], coarse[:1])
    began = time.perf_counter()
    network.patch_probabilities(image, coarse)
    return 1000 * (time.perf_counter() - began) / count


if __name__ == "__main__":
    main(sys.argv[1:])
