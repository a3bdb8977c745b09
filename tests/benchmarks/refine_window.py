"""Milliseconds for one window on one processor core, each refiner beside the paper's U-Net in the same run.

    python tests/benchmarks/refine_window.py [REFINER …]

A refiner is a bundled name or a checkpoint folder; without any, all bundled networks, among them ``unet`` at the width
that one core can train. ``unet-64`` is the paper's at full width, 64 channels at 256 px; it is untrained, since weights
do not change the time. Every round times each network once, so that what else the machine does hits all of them; the
least of the rounds is shown.
"""

import sys
import time

import torch

from zoo import from_pretrained, names
from zoo.inference import BATCH
from zoo.network import Network, build
from zoo.variants import variant

ROUNDS = 7
FULL = "unet-64"


def main(wanted: list[str]) -> None:
    """Print a line for each network: size of its patch, milliseconds a window, and the ratio to `FULL`."""
    torch.set_num_threads(1)
    networks: dict[str, Network] = {FULL: build(variant("unet"), {})}
    for name in wanted or names():
        refiner = from_pretrained(name)
        if isinstance(refiner, Network):
            networks[name] = refiner
    for name, network in networks.items():
        networks[name] = network.to(memory_format=torch.channels_last).lean()
    least = dict.fromkeys(networks, float("inf"))
    for _ in range(ROUNDS):
        for name, network in networks.items():
            least[name] = min(least[name], _milliseconds(network))
    for name, milliseconds in least.items():
        ratio = milliseconds / least[FULL]
        print(f"{name:24} {networks[name].config.size:4} px  {milliseconds:7.1f} ms a window  {ratio:6.3f} × {FULL}")


def _milliseconds(network: Network) -> float:
    size = network.config.size
    image, coarse = torch.rand(BATCH, 3, size, size), torch.zeros(BATCH, 1, size, size)
    coarse[:, :, size // 4 : -size // 4, size // 4 : -size // 4] = 1
    network.probabilities(image[:1], coarse[:1])
    began = time.perf_counter()
    network.probabilities(image, coarse)
    return 1000 * (time.perf_counter() - began) / BATCH


if __name__ == "__main__":
    main(sys.argv[1:])
