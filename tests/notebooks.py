"""The notebooks of the documentation, run from top to bottom: ``python -m tests.notebooks`` keeps what they print."""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.places import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LONGEST = 240
"""Seconds that a cell may take on a busy machine."""


def run(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs that it has when it is run in a folder; warnings are errors, but for deprecations.

    Raises `nbclient.exceptions.CellExecutionError` for a cell that fails.
    """
    notebook = nbformat.read(path, as_version=4)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        # Not those of Jupyter's own parts, which are deprecations, and tqdm's in a notebook without widgets.
        "PYTHONWARNINGS": "error,ignore::DeprecationWarning,ignore::PendingDeprecationWarning,"
        "ignore:IProgress not found",
    }
    client = NotebookClient(
        notebook, timeout=LONGEST, startup_timeout=LONGEST, kernel_name="python3", extra_arguments=["--log-level=40"]
    )
    client.execute(cwd=str(folder), env=environment)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times, which differ from run to run
    notebook.metadata.language_info = {"name": "python"}
    return notebook


if __name__ == "__main__":
    for notebook in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(run(notebook, Path(folder)), notebook)
            print(notebook)
