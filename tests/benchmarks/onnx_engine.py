"""ONNX Runtime beside torch: milliseconds a window on one processor core, and memory and seconds to refine the sample.

    python tests/benchmarks/onnx_engine.py [REFINER …]

A refiner is a bundled network; without any, all of them. For windows every round times both engines, one after the
other, so that what else the machine does hits both; the least of the rounds is shown. The sample is refined in a
process of its own for each engine, also in turns; the memory is the most that the process ever had, as Linux says it,
and the time is from its start to its end, loading included, the least of the rounds.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from zoo import from_pretrained, list_refiners
from zoo.models.patches import BATCH
from zoo.models.patchwise import PatchwiseRefiner
from zoo.variants import ENGINES, ONNX, TORCH

ROUNDS, RUNS = 7, 3
COUNTS = (BATCH, 1)
"""Windows at once: many ellipses, and a single one."""
_REFINE = """
import json, sys
from pathlib import Path
import coarsekit, zoo
refiner = zoo.from_pretrained(sys.argv[1], engine=sys.argv[2])
sample = coarsekit.open_source("sample")
for key in sample.keys():
    fundus = sample.read(key)
    refiner.refine(fundus.image, coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, 0))
said = Path("/proc/self/status").read_text().split()
print(json.dumps([int(said[said.index("VmHWM:") + 1]) / 1024, "torch" in sys.modules]))
"""


def main(wanted: Sequence[str]) -> None:
    """Print a line for each network and count of windows, and one for the sample."""
    torch.set_num_threads(1)  # of ONNX Runtime OMP_NUM_THREADS says it, which is asked for below
    for name in wanted or list_refiners():
        by_engine = {engine: from_pretrained(name, engine=engine) for engine in ENGINES}
        networks = {engine: one for engine, one in by_engine.items() if isinstance(one, PatchwiseRefiner)}
        if not networks:
            continue
        for count in COUNTS:
            least = dict.fromkeys(networks, float("inf"))
            for _ in range(ROUNDS):
                for engine, network in networks.items():
                    least[engine] = min(least[engine], _milliseconds(network, count))
            _show(f"{name}, {count} windows at once", least, "ms a window")
        seconds, memory = (dict.fromkeys(networks, float("inf")) for _ in range(2))
        for _ in range(RUNS):
            for engine in networks:
                took, most = _sample(name, engine)
                seconds[engine], memory[engine] = min(seconds[engine], took), min(memory[engine], most)
        _show(f"{name}, the sample", seconds, "s")
        _show(f"{name}, the sample", memory, "MiB at most")


def _show(what: str, found: dict[str, float], unit: str) -> None:
    ratio = found[ONNX] / found[TORCH]
    print(f"{what:40} torch {found[TORCH]:8.1f}  onnx {found[ONNX]:8.1f} {unit:12} {ratio:6.2f} × torch", flush=True)


def _milliseconds(network: PatchwiseRefiner, count: int) -> float:
    size, refiner = network.config.size, network.for_inference()
    image = np.random.default_rng(0).random((count, 3, size, size), np.float32)
    coarse, signature = np.zeros((count, 1, size, size), np.float32), np.array([0.4, -0.8, 0.3], np.float32)
    coarse[:, :, size // 4 : -size // 4, size // 4 : -size // 4] = 1
    refiner.patch_probabilities(image[:1], coarse[:1], "MA", signature)
    began = time.perf_counter()
    refiner.patch_probabilities(image, coarse, "MA", signature)
    return 1000 * (time.perf_counter() - began) / count


def _sample(name: str, engine: str) -> tuple[float, float]:
    """Seconds and MiB to refine the sample in a new process."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _REFINE, name, engine], capture_output=True, text=True, check=True)
    most, with_torch = json.loads(done.stdout)
    if with_torch != (engine == TORCH):
        raise RuntimeError(f"{engine} was refined with the wrong engine")
    return time.perf_counter() - began, most


if __name__ == "__main__":
    import os

    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ["OMP_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, str(Path(__file__)), *sys.argv[1:]])
    main(sys.argv[1:])
