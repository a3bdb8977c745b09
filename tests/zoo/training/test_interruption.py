"""Training in a process of its own, killed and interrupted: it ends with the weights of one that was not."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from zoo.checkpoints.folder import STATE
from zoo.cli.main import main

TINY = ("train", "sample", "--split", "validation", "--set", "variant=proto", "--set", "width=2", "--set", "size=32")
TINY += (
    "--set",
    "epochs=3",
    "--set",
    "samples=24",
    "--set",
    "batch=4",
    "--set",
    "learning_rate=1e-2",
    "--set",
    "ema=0.9",
)
TINY += ("--set", "styles=human", "--threads", "1", "--device", "cpu")
PROGRAM = """
import os, signal, sys
import torch
from zoo.cli.main import main
from zoo.training import trainer

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
number, after, *arguments = sys.argv[1:]
save = torch.save


def save_and_stop(state, path):
    if state["epoch"] == int(after):
        with open(path, "wb") as file:  # half of what is to be written
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), int(number))
    save(state, path)


trainer.torch.save = save_and_stop
main(arguments)
"""


def stopped(number: int, epoch: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A training that gets the signal ``number`` while it writes its state after an epoch."""
    command = [sys.executable, "-c", PROGRAM, str(int(number)), str(epoch), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def epoch_of(out: Path) -> int:
    """Epochs that are done, by the state."""
    return torch.load(out / STATE, weights_only=True)["epoch"]


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
    killed = stopped(signal.SIGKILL, 2, *TINY, "-o", tmp_path)
    assert killed.returncode == -signal.SIGKILL
    assert epoch_of(tmp_path) == 1
    assert list(tmp_path.glob(".*.part"))
    interrupted = stopped(signal.SIGINT, 3, "train", "-o", tmp_path, "--resume")
    assert interrupted.returncode == 130, interrupted.stderr
    assert "--resume" in interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    assert epoch_of(tmp_path) == 2
    result = CliRunner().invoke(main, ["train", "-o", str(tmp_path), "--resume"])
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
