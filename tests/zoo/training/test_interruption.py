"""Training in a process of its own, killed and interrupted: it ends with the weights of one that was left in peace."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from zoo.cli.main import main
from zoo.training.trainer import STATE

TINY = ("train", "sample", "--split", "validation", "--variant", "proto", "--set", "width=2", "--set", "size=32")
TINY += (
    "--epochs",
    "4",
    "--samples",
    "24",
    "--batch",
    "4",
    "--learning-rate",
    "1e-2",
    "--ema",
    "0.9",
    "--threads",
    "1",
)
TINY += ("--device", "cpu", "--style", "human")
START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have it ignored
    "from zoo.cli.main import main; main(sys.argv[1:])"
)


def interrupted(out: Path, number: int, after: int, *options: str) -> subprocess.CompletedProcess[str]:
    """A training that gets the signal ``number`` once it has saved its state after the epoch ``after``."""
    process = subprocess.Popen(
        [sys.executable, "-c", START, *TINY, "-o", out, *options], stderr=subprocess.PIPE, text=True
    )
    try:
        patience = time.monotonic() + 120
        while epoch_of(out) < after:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < patience
            time.sleep(0.01)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, stderr=error)


def epoch_of(out: Path) -> int:
    """Epochs that are done, by the state, which is whole whenever it is read."""
    return torch.load(out / STATE, weights_only=True)["epoch"] if (out / STATE).exists() else 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    result = CliRunner().invoke(main, [*TINY, "-o", str(out)])
    assert result.exit_code == 0, result.output
    return out


def same_weights(first: Path, second: Path) -> None:
    states = [torch.load(folder / STATE, weights_only=True) for folder in (first, second)]
    for kind in ("network", "average"):
        for key, tensor in states[0][kind].items():
            assert torch.equal(tensor, states[1][kind][key]), key
    kept, again = (load_file(folder / "model.safetensors") for folder in (first, second))
    assert all(torch.equal(tensor, again[key]) for key, tensor in kept.items())


def test_killed_and_interrupted_and_resumed_it_has_the_weights_of_a_training_in_peace(whole, tmp_path) -> None:
    killed = interrupted(tmp_path, signal.SIGKILL, 1)
    assert killed.returncode == -signal.SIGKILL
    assert epoch_of(tmp_path) < 4
    (tmp_path / f".{STATE}.1.part").write_bytes(b"a state that was being written")
    stopped = interrupted(tmp_path, signal.SIGINT, epoch_of(tmp_path) + 1, "--resume")
    assert stopped.returncode == 130, stopped.stderr
    assert "--resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    result = CliRunner().invoke(main, [*TINY, "-o", str(tmp_path), "--resume"])
    assert result.exit_code == 0, result.output
    same_weights(whole, tmp_path)
    assert not list(tmp_path.glob(".*.part"))


def test_the_same_seed_gives_the_same_weights_and_another_does_not(whole, tmp_path) -> None:
    for seed in ("0", "1"):
        result = CliRunner().invoke(main, [*TINY, "-o", str(tmp_path / seed), "--seed", seed])
        assert result.exit_code == 0, result.output
    same_weights(whole, tmp_path / "0")
    with pytest.raises(AssertionError):
        same_weights(whole, tmp_path / "1")
