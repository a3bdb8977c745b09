"""Every command of ``coarsekit`` runs where no extra is installed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.annotators_folder import fill, painted
from tests.places import ROOT

OF_EXTRAS = ("accelerate", "datasets", "matplotlib", "safetensors", "skimage", "timm", "torch", "torchvision")
HIDDEN = f"import sys; sys.modules.update(dict.fromkeys({OF_EXTRAS})); from {{0}}.cli.main import main; main()"
"""A program that has none of these packages."""


def run(program: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", HIDDEN.format(program), *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.parametrize(
    "line",
    [
        "readers",
        "check sample",
        "simulate sample -o drawn",
        "preview sample --limit 1 -o pictures",
        "preview image.png ellipses.json -o pictures",
        "convert annotations.xml OUT --to via",
        "calibrate ANNOTATOR1 ANNOTATOR2 -o ours.toml",
        "export sample --reduction 2 -o pairs",
        "export --help",
    ],
)
def test_a_command_needs_no_extra(line: str, tmp_path: Path) -> None:
    fill(tmp_path, painted())
    result = run("coarsekit", *line.split(), cwd=tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("refiner", ["otsu", "random-walker"])
def test_a_refiner_that_needs_one_says_which(refiner: str, tmp_path: Path) -> None:
    fill(tmp_path, painted())
    result = run("zoo", *f"refine image.png ellipses.json --refiner {refiner}".split(), cwd=tmp_path)
    assert result.returncode == 2
    sentence = result.stderr.splitlines()[-1]
    assert re.fullmatch(r"Error: [\w.]+ is not installed; .*pip install 'coarsekit\[[a-z]+\]'", sentence)
