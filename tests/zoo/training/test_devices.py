"""Several processes train as one does; precision and compilation as chosen."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from coarsekit.errors import ParameterError
from zoo.cli.main import main
from zoo.models.base import build, network_class
from zoo.training.data.sampling import SharedBatches, choose, loader
from zoo.training.distributed.compile import compiled
from zoo.training.distributed.devices import Devices, connected

TINY = ("train", "sample", "--split", "validation", "--set", "variant=proto", "--set", "width=2", "--set", "size=32")
TINY += (
    "--set",
    "epochs=1",
    "--set",
    "samples=16",
    "--set",
    "batch=4",
    "--set",
    "learning_rate=1e-3",
    "--set",
    "ema=0.5",
)
TINY += ("--set", "styles=human", "--threads", "1", "--device", "cpu", "--json")


EXCHANGE = """
import json
from accelerate import Accelerator
from zoo.training.distributed.devices import Devices

devices = Devices("cpu", accelerator=Accelerator(cpu=True))
rank = devices.rank
with devices.main_first():
    pass
scores = devices.map_over_ranks(lambda item: [item, rank], range(5))
print(json.dumps([devices.all_reduce_sum([rank + 1, 2.5]), scores, devices.from_main(lambda: f"of {rank}")]))
"""


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def test_several_processes_without_gpus_are_refused(monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ParameterError, match="several processes need GPUs"), connected("cpu"):
        pass


def test_two_processes_exchange_sums_scores_in_the_order_of_the_items_and_what_the_main_one_read() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = environment() | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", EXCHANGE],
            env=shared | {"RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    for process in processes:
        out, _ = process.communicate(timeout=200)
        assert json.loads(out.splitlines()[-1]) == [[3.0, 5.0], [[0, 0], [1, 1], [2, 0], [3, 1], [4, 0]], "of 0"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_processes_share_every_global_batch_and_no_two_have_the_same_sample(count: int) -> None:
    shares = [list(SharedBatches(range(20), 6, place, count)) for place in range(count)]
    for number in range(3):
        together = sorted(index for share in shares for index in share[number])
        assert together == list(range(6 * number, 6 * number + 6))
    assert {len(share) for share in shares} == {3}


def test_a_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    with pytest.raises(ParameterError, match="multiple of 3"):
        loader(range(20), 4, 0, 3, workers=0, pin=False)


def test_a_balanced_choice_repeats_what_is_rare_and_a_plain_one_nothing() -> None:
    classes = ["MA"] * 90 + ["SE"] * 10
    plain = choose(classes, 50, 0.0, np.random.default_rng(0))
    assert len(set(plain.tolist())) == 50
    balanced = choose(classes, 1000, 1.0, np.random.default_rng(0))
    assert np.mean(balanced >= 90) == pytest.approx(0.5, abs=0.05)


def test_mixed_precision_passes_in_16_bits_and_keeps_32_in_the_weights(tmp_path) -> None:
    devices = Devices("cpu", "mixed")
    network = build(network_class("unet"), {"width": 4, "size": 32})
    inputs = (torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32))
    module = devices.prepare(network, inputs)
    with devices.autocast():
        assert module(*inputs).dtype is torch.bfloat16
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    result = CliRunner().invoke(main, [*TINY, "-o", str(tmp_path), "--precision", "mixed"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["devices"] == {"device": "cpu", "processes": 1, "floats": "bfloat16"}


def test_automatic_precision_is_full_on_a_processor() -> None:
    assert Devices("cpu").describe()["floats"] == "float32"
    with pytest.raises(ParameterError, match="auto, full, mixed"):
        Devices("cpu", "half")
    with pytest.raises(ParameterError, match="cannot be used here"):
        Devices("cuda:99")


@pytest.mark.filterwarnings("ignore")  # of torch's compiler
def test_what_cannot_be_compiled_is_trained_as_it_is_with_a_sentence(monkeypatch, tmp_path) -> None:
    import torch._inductor.config as inductor

    monkeypatch.setattr(inductor.cpp, "cxx", (str(tmp_path / "no-compiler"),))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    said: list[str] = []
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1), nn.ReLU())
    assert compiled(network, (torch.rand(2, 1, 8, 8),), Devices("cpu").autocast, said.append) is network
    assert len(said) == 1
    assert "goes on without" in said[0]
    assert network[0].weight.grad is None
    assert network[1].num_batches_tracked == 0


def test_one_process_needs_neither_accelerate_nor_datasets(tmp_path) -> None:
    code = (
        "import sys; sys.modules.update(accelerate=None, datasets=None, tensorboard=None)\n"
        "from zoo.cli.main import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, *TINY, "-o", str(tmp_path)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert (Path(tmp_path) / "model.safetensors").exists()
