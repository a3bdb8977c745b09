"""What the tests of exporting share: a small IDRiD of any number of photographs, the command, and rows to compare."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
from PIL import Image

from tests.pictures import photograph, six_lesions

COMMAND = Path(sys.executable).with_name("coarsekit")
FOLDERS = {"MA": "1. Microaneurysms", "HE": "2. Haemorrhages"}


def idrid(folder: Path, count: int, shape: tuple[int, int] = (120, 160)) -> str:
    """Write ``count`` training photographs of ``shape`` (h, w) and two masks each; give the SOURCE that opens them.

    Photographs beyond the fourth are links to earlier ones, so that many cost no time.
    """
    photographs = folder / "1. Original Images" / "a. Training Set"
    masks = {
        lesion: folder / "2. All Segmentation Groundtruths" / "a. Training Set" / FOLDERS[lesion] for lesion in FOLDERS
    }
    for place in [photographs, *masks.values()]:
        place.mkdir(parents=True)
    for index in range(count):
        files = {photographs / "IDRiD_{}.jpg": None, **{masks[m] / f"IDRiD_{{}}_{m}.tif": m for m in masks}}
        for pattern, lesion in files.items():
            path = Path(str(pattern).format(f"{index:03d}"))
            if index >= 4:
                path.hardlink_to(str(pattern).format(f"{index % 4:03d}"))
            elif lesion is None:
                photograph(index, shape).save(path, quality=90)
            else:
                Image.fromarray(six_lesions(list(f"{index} {lesion}".encode()), shape)).save(path)
    return f"idrid:{folder}"


def export(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``coarsekit export`` in a process of its own."""
    command = [COMMAND, "export", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def rows(folder: Path) -> list[dict]:
    """All rows of an export, images still encoded, in the order of its files."""
    return [row for path in sorted(folder.glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]


def contents(folder: Path) -> dict[str, str]:
    """The hash of every file of a folder by its path."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
