"""The same seed gives the same weights with any number of workers, forked or spawned, from every source."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch.utils.data import DataLoader, Dataset

from coarsekit.cli.main import main as coarsekit
from coarsekit.errors import HubError
from tests import export_support as support
from tests import loopback_hub as loopback
from zoo.training.data.sampling import batches

SETTINGS = ("variant=proto", "width=2", "size=32", "batch=8", "learning_rate=1e-2", "samples=16")
SETTINGS += ("styles=human", "reductions=1.0,2.0", "camera_augmentation=0.3")
PROGRAM = """
import json
import sys

if __name__ == "__main__":
    import torch.multiprocessing

    from zoo.cli.main import main

    source, options, runs = json.loads(sys.argv[1])
    for method, workers, out in runs:
        torch.multiprocessing.set_start_method(method, force=True)
        try:
            main(["train", source, "-o", out, "--workers", str(workers), *options])
        except SystemExit as end:
            if end.code:
                raise
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> str:
    return support.idrid(tmp_path_factory.mktemp("idrid"), 4)


@pytest.fixture(scope="module")
def exported(dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "pairs"
    options = ("-o", folder, "--size", "40", "--style", "human", "--reduction", "1.0,2.0", "--quiet")
    result = CliRunner().invoke(coarsekit, ["export", dataset, *map(str, options)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def hub(exported) -> Iterator[Any]:
    with loopback.serving({"hf_a_token": "ada"}) as hub:
        files = {
            str(path.relative_to(exported)): loopback.File(path.read_bytes(), path.name.endswith(loopback.LARGE))
            for path in exported.rglob("*")
            if path.is_file()
        }
        hub.repositories["dataset", "ada/pairs"] = loopback.Repository("ada/pairs", "dataset", private=False)
        hub.repository("ada/pairs").commit(files, "Upload pairs")
        yield hub


RUNS = [("fork", 0), ("fork", 2), ("spawn", 1)]
"""Ways to start workers, and their number."""


def same_weights(source: str, epochs: int, tmp_path: Path, environment: dict[str, str]) -> None:
    """Train in one process of its own, once for each of the `RUNS`."""
    options = [part for setting in (*SETTINGS, f"epochs={epochs}") for part in ("--set", setting)]
    options += ["--threads", "1", "--device", "cpu", "--quiet"]
    outs = [tmp_path / f"{method} {workers}" for method, workers in RUNS]
    (tmp_path / "program.py").write_text(PROGRAM)
    told = json.dumps([source, options, [[*one, str(out)] for one, out in zip(RUNS, outs, strict=True)]])
    command = [sys.executable, tmp_path / "program.py", told]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    states = [torch.load(out / "state.pt", weights_only=True) for out in outs]
    for state, out in zip(states, outs, strict=True):
        assert (out / "model.safetensors").read_bytes() == (outs[0] / "model.safetensors").read_bytes(), out
        assert all(torch.equal(tensor, states[0]["network"][name]) for name, tensor in state["network"].items()), out


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def test_workers_of_a_dataset(dataset, tmp_path) -> None:
    same_weights(dataset, 2, tmp_path, ONE_THREAD)


def test_workers_of_a_folder_of_pairs(exported, tmp_path) -> None:
    same_weights(f"pairs:{exported}", 1, tmp_path, ONE_THREAD)


def test_workers_of_a_stream(hub, tmp_path) -> None:
    environment = hub.environment(tmp_path / "home", None) | {"OMP_NUM_THREADS": "1"}
    same_weights("hub:ada/pairs", 1, tmp_path, environment)


class Failing(Dataset[int]):
    """Says a sentence of the Hub instead of giving its third item."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        if index == 2:
            raise HubError("ada/pairs: the Hub does not answer; try again")
        return index


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_in_a_worker_is_the_same_sentence(workers) -> None:
    given = batches(DataLoader(Failing(), num_workers=workers))
    assert [next(given).item(), next(given).item()] == [0, 1]
    with pytest.raises(HubError) as caught:
        next(given)
    assert str(caught.value) == "ada/pairs: the Hub does not answer; try again"
