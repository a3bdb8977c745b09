"""Several photographs refined at a time: the same files, records and sentences as one after the other."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import zoo
from coarsekit.annotations import native
from coarsekit.errors import ParameterError
from coarsekit.images import write_image
from coarsekit.types import Annotation, Ellipse, Image, Mark, Mask
from tests import command_line
from zoo.cli.main import main
from zoo.evaluation.refiners import Floor
from zoo.refiner import Advance, no_progress

DRAWN = Annotation("a.png", 160, 120, (Mark("MA", Ellipse(60, 50, 12, 9)), Mark("HE", Ellipse(90, 80, 20, 9))))
NAMES = ("left/a.png", "left/b.png", "right/a.png", "gone.png", "double.png", "other.png")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photographs in subfolders and drawings on them; one is missing, one twice as large, one of other proportions."""
    sizes = {"gone.png": None, "double.png": (240, 320), "other.png": (60, 160)}
    for seed, name in enumerate(NAMES):
        native.write(tmp_path / "drawn" / f"{seed}.json", [replace(DRAWN, image=name)])
        if size := sizes.get(name, (120, 160)):
            (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)
            write_image(tmp_path / "in" / name, pixels)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refine(folder: Path, *options: object) -> Result:
    """Refine into ``out`` of a folder, in which the command is run, so that the paths of all runs are the same."""
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    return command_line.run(main, "refine", "../in", "../drawn", "-o", "out", "--refiner", "tiny", *options)


def timeless(record: dict) -> dict:
    """A record without the time it took, and without where its photograph lies from the folder that it is in."""
    return {name: value for name, value in record.items() if name not in ("seconds", "photograph")}


def records(text: str) -> list[dict]:
    """The records that were printed."""
    return [timeless(record) for record in json.loads(text)["records"]]


def files(folder: Path) -> dict[str, object]:
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: timeless(json.loads(path.read_text())) if path.suffix == ".json" else path.read_bytes()
        for name, path in found.items()
    }


def test_any_number_gives_the_same_files_records_and_sentences(work: Path) -> None:
    one, two = (refine(work / f"{jobs} jobs", "--jobs", jobs, "--json") for jobs in (1, 2))
    assert (one.exit_code, two.exit_code) == (1, 1)
    assert [record["image"] for record in records(two.stdout)] == [*NAMES[:3], "double.png"]
    assert records(two.stdout) == records(one.stdout)
    assert two.stderr == one.stderr
    assert two.stderr.count("Failed: ") == 2
    assert "left/b.png: refined, 2 of 5" in two.stderr
    assert "scale" in two.stderr
    written = files(work / "1 jobs" / "out")
    assert len(written) == 4 * 5
    assert files(work / "2 jobs" / "out") == written
    again = refine(work / "2 jobs", "--jobs", 2, "--json")
    assert json.loads(again.stdout)["records"] == json.loads(two.stdout)["records"]  # with the seconds: they are kept
    assert json.loads(again.stdout)["kept"] == [*NAMES[:3], "double.png"]
    assert "4 of 4 were refined there before" in again.stderr
    assert "left/b.png: kept, 2 of 5" in again.stderr


def test_what_a_killed_run_left_is_removed(work: Path) -> None:
    left = [work / "out" / place / ".a_MA.png.7.part" for place in ("left", "right", "")]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    zoo.refine_to_folder(Floor(), "in", "drawn", "out", jobs=2)
    assert not any(path.exists() for path in left)


class Outlived(Floor):
    """Leaves temporary files while it refines, as a process does that outlives its killed run by a moment."""

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        for place in ("left", "right", ""):
            (Path("out") / place / ".a_MA.png.7.part").write_bytes(b"half")
        return super().refine(image, annotation, advance)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_process_of_a_killed_run_leaves_during_the_next_is_removed(work: Path, jobs: int) -> None:
    for place in ("left", "right"):
        (work / "out" / place).mkdir(parents=True)
    assert len(zoo.refine_to_folder(Outlived(), "in", "drawn", "out", jobs=jobs).records) == 4
    assert not list((work / "out").rglob(".*"))


class Dying(Floor):
    """Is killed at the photograph ``left/b.png`` unless the file is there, as the system ends what takes its memory."""

    weights_sha256 = "of one that dies"

    def __init__(self, file: Path) -> None:
        self.file = file

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        if annotation.image == "left/b.png" and not self.file.exists():
            self.file.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().refine(image, annotation, advance)


def test_a_process_that_is_ended_is_one_sentence_and_the_next_run_goes_on(work: Path) -> None:
    refiner = Dying(work / "died")
    with pytest.raises(ParameterError, match=r"was ended by the system, perhaps for lack of memory; .*jobs=…$"):
        zoo.refine_to_folder(refiner, "in", "drawn", "out", jobs=2)
    report = zoo.refine_to_folder(refiner, "in", "drawn", "out", jobs=2)
    assert [record["image"] for record in report.records] == [*NAMES[:3], "double.png"]
    assert len(report.failures) == 2
    (work / "whole").mkdir()
    os.chdir(work / "whole")
    zoo.refine_to_folder(refiner, "../in", "../drawn", "out")
    assert files(work / "whole" / "out") == files(work / "out")


class Slow(Floor):
    """Takes its time for the photograph ``left/b.png``, and says by a file that it has begun."""

    weights_sha256 = "of one that is slow"

    def __init__(self, file: Path) -> None:
        self.file = file

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        if annotation.image == "left/b.png" and not self.file.exists():
            self.file.touch()
            time.sleep(2)
        return super().refine(image, annotation, advance)


RUN = """
import sys
from pathlib import Path
import zoo
from tests.zoo.test_refine_jobs import Slow
zoo.refine_to_folder(Slow(Path(sys.argv[1])), "in", "drawn", "out", jobs=2)
"""


def test_after_a_kill_of_the_whole_run_the_next_ends_with_the_same_bytes(work: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    begun = work / "begun"
    running = subprocess.Popen([sys.executable, "-c", RUN, begun], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not begun.exists():
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    running.kill()
    running.wait()
    report = zoo.refine_to_folder(Slow(begun), "in", "drawn", "out", jobs=2)
    assert len(report.records) == 4
    (work / "whole").mkdir()
    os.chdir(work / "whole")
    zoo.refine_to_folder(Slow(begun), "../in", "../drawn", "out")
    assert files(work / "whole" / "out") == files(work / "out")


def test_less_than_one_is_refused(work: Path) -> None:
    with pytest.raises(ParameterError, match="jobs must be 1 or more, got 0"):
        zoo.refine_to_folder(Floor(), "in", "drawn", "out", jobs=0)
    assert not (work / "out").exists()
