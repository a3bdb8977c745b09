"""Several processes train as one does; precision and compilation as chosen."""

import json
import os
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
from zoo.training.distributed.devices import Devices
from zoo.training.trainer import STATE

TINY = ("train", "sample", "--split", "validation", "--variant", "proto", "--set", "width=2", "--set", "size=32")
TINY += (
    "--epochs",
    "1",
    "--samples",
    "16",
    "--batch",
    "4",
    "--learning-rate",
    "1e-3",
    "--ema",
    "0.5",
    "--threads",
    "1",
)
TINY += ("--device", "cpu", "--style", "human", "--json")
LAUNCH = ("-m", "accelerate.commands.accelerate_cli", "launch", "--multi_gpu", "--num_processes", "2")
LAUNCH += ("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0")
NORMS = """
import sys
import torch
from torch import distributed, nn
from zoo.training.distributed.sync_batchnorm import SynchronisedNorms

place, store, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]
distributed.init_process_group("gloo", init_method=f"file://{store}", rank=place, world_size=2)
torch.manual_seed(0)
features = torch.randn(6, 3, 5, 4, dtype=torch.float64)
weights = torch.randn(6, 3, 5, 4, dtype=torch.float64)
norm = nn.BatchNorm2d(3).double()
nn.init.normal_(norm.weight)
own = features[place::2].clone().requires_grad_()
with SynchronisedNorms():
    answer = norm(own)
(answer * weights[place::2]).sum().backward()
torch.save([answer.detach(), own.grad, norm.running_mean, norm.running_var, features, weights, norm.weight.data], out)
distributed.destroy_process_group()
"""


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def test_two_processes_of_accelerate_train_as_one_does_on_the_same_global_batches(tmp_path) -> None:
    command = [sys.executable, *LAUNCH, "-m", "zoo", *TINY, "-o", tmp_path / "two"]
    two = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=200, check=False)
    assert two.returncode == 0, two.stderr
    one = CliRunner().invoke(main, [*TINY, "-o", str(tmp_path / "one")])
    assert one.exit_code == 0, one.output
    assert two.stderr.count("epoch 1:") == 1
    records = [json.loads(out) for out in (one.stdout, two.stdout)]
    assert [record["devices"]["processes"] for record in records] == [1, 2]
    [first], [second] = (record["history"] for record in records)
    assert first["loss"] == pytest.approx(second["loss"], abs=2e-5)
    assert first["validation_iou"] == pytest.approx(second["validation_iou"], abs=0.1)
    states = [torch.load(tmp_path / name / STATE, weights_only=True) for name in ("one", "two")]
    for kind in ("network", "average"):
        for key, tensor in states[0][kind].items():
            torch.testing.assert_close(tensor, states[1][kind][key], atol=1e-4, rtol=1e-3, msg=key)


def test_norms_over_two_processes_are_those_of_the_whole_batch_with_their_gradients(tmp_path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", NORMS, str(place), tmp_path / "store", tmp_path / str(place)], env=environment()
        )
        for place in (0, 1)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    shares = [torch.load(tmp_path / str(place), weights_only=True) for place in (0, 1)]
    features, weights, weight = shares[0][4:]
    features.requires_grad_()
    norm = nn.BatchNorm2d(3).double()
    norm.weight.data = weight
    answer = norm(features)
    (answer * weights).sum().backward()
    for place, (own, gradient, mean, variance, *_) in enumerate(shares):
        torch.testing.assert_close(own, answer[place::2].detach(), atol=1e-10, rtol=0)
        torch.testing.assert_close(gradient, features.grad[place::2], atol=1e-10, rtol=0)
        torch.testing.assert_close(mean, norm.running_mean, atol=1e-10, rtol=0)
        torch.testing.assert_close(variance, norm.running_var, atol=1e-10, rtol=0)


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
    assert "without --compile" in said[0]
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
