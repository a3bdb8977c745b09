"""Outputs are claimed before the work, and a folder is held while a run works in it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coarsekit.errors import OutputError
from coarsekit.storage.outputs import at_work, claim_outputs

HOLD = """
import sys, time
from pathlib import Path
from coarsekit.storage.outputs import at_work
with at_work(Path(sys.argv[1])):
    (Path(sys.argv[1]) / ".half.png.1.part").write_text("half")
    print("holding", flush=True)
    time.sleep(60)
"""


def test_claiming_free_paths_writes_nothing(tmp_path: Path) -> None:
    claim_outputs([tmp_path / "a", tmp_path / "b"], force=False)
    assert list(tmp_path.iterdir()) == []


def test_a_taken_path_is_refused_unless_forced(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("free", "first", "second", "third")]
    for path in paths[1:]:
        path.touch()
    with pytest.raises(
        OutputError, match=r"first \(and 2 more\) is already there; give force=True to write over it, or another out=…"
    ):
        claim_outputs(paths, force=False)
    claim_outputs(paths, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second", "third"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("way", ["same", "by another path", "symbolic link", "hard link", "in a folder"])
def test_an_input_is_never_written_over(tmp_path: Path, way: str, force: bool) -> None:
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "p.json"
    source.write_text("drawn")
    out = tmp_path / "p.json"
    if way == "symbolic link":
        out.symlink_to(source)
    elif way == "hard link":
        os.link(source, out)
    else:
        out = tmp_path / "in" / ".." / "in" / "p.json" if way == "by another path" else source
    with pytest.raises(OutputError, match=r"p\.json would be written over, and is read here; give another out=…"):
        claim_outputs([out], force, inputs=[tmp_path / "in" if way == "in a folder" else source])


def test_two_results_in_one_file_are_refused_even_if_forced(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"p_x_MA\.png: two results would be written here"):
        claim_outputs([tmp_path / "p_x_MA.png", tmp_path / "a" / ".." / "p_x_MA.png"], force=True)


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\(304 characters\): no file can have this name here"):
        claim_outputs([tmp_path / ("n" * 300 + ".png")], force=True)


def test_a_folder_is_held_by_one_run(tmp_path: Path) -> None:
    out, said = tmp_path / "out", []
    with at_work(out):
        with pytest.raises(OutputError, match="out: another run is at work there; wait for its end"), at_work(out):
            pass
        with at_work(out, busy=said.append):
            pass
    assert said == [f"Another run is at work in {out}, too."]
    with at_work(out):
        pass


def test_a_folder_in_which_nothing_was_written_is_not_left(tmp_path: Path) -> None:
    with at_work(tmp_path / "empty"):
        pass
    assert not (tmp_path / "empty").exists()
    with at_work(tmp_path):
        pass
    assert tmp_path.exists()


def test_a_file_is_no_folder_to_work_in(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file is a file"), at_work(tmp_path / "file"):
        pass


def test_a_killed_run_leaves_no_lock_and_its_temporary_files_are_removed(tmp_path: Path) -> None:
    running = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "holding\n"
    with pytest.raises(OutputError, match="another run is at work"), at_work(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".half.png.1.part"]
    running.send_signal(signal.SIGKILL)
    running.communicate()
    with at_work(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_only_temporary_files_are_removed_and_only_where_asked(tmp_path: Path) -> None:
    for name in ("sub", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".a.1.part").touch()
    (tmp_path / "part").touch()
    (tmp_path / ".hidden").touch()
    with at_work(tmp_path, "su*"):
        pass
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == [".hidden", "other", "other/.a.1.part", "part", "sub"]
