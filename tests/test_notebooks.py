"""The notebooks run from top to bottom on the bundled sample, and are kept with what they print."""

from pathlib import Path

import nbformat
import pytest

from tests.notebooks import NOTEBOOKS, run
from tests.places import ROOT

MOST_BYTES = 100_000


def kinds(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """Which kinds of output each cell has, by type of content."""
    return [
        [kind for output in cell.get("outputs", []) for kind in sorted(output.get("data", [output.get("name")]))]
        for cell in notebook.cells
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_is_kept_with_its_outputs(path: Path, tmp_path: Path) -> None:
    kept = nbformat.read(path, as_version=4)
    assert kinds(kept) == kinds(run(path, tmp_path)), "keep the outputs: python -m tests.notebooks"
    assert "stderr" not in str(kinds(kept))
    assert str(ROOT) not in path.read_text(encoding="utf-8")
    assert path.stat().st_size < MOST_BYTES
