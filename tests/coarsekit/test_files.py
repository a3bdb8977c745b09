"""Files are written whole or not at all, and never over what is there unless asked."""

from pathlib import Path

import pytest

from coarsekit.errors import OutputError
from coarsekit.files import atomic_write, refuse_overwrite, write_text


def test_a_file_appears_whole_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "text.txt"
    with atomic_write(path) as temporary:
        temporary.write_text("é")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert [file.name for file in path.parent.iterdir()] == ["text.txt"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_write(tmp_path / "text.txt") as temporary:
            temporary.write_text("half")
            raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    write_text(path, "before")

    def fail() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        fail()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("text.txt", "before")]


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    write_text(tmp_path / "text.txt", "4288 × 2848\n")
    assert (tmp_path / "text.txt").read_bytes() == b"4288 \xc3\x97 2848\n"


def test_claiming_free_paths_does_nothing(tmp_path: Path) -> None:
    refuse_overwrite([tmp_path / "a", tmp_path / "b"], force=False)
    assert list(tmp_path.iterdir()) == []


def test_claiming_a_taken_path_is_refused_unless_forced(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("free", "first", "second", "third")]
    for path in paths[1:]:
        path.touch()
    with pytest.raises(
        OutputError, match=r"first \(and 2 more\) is already there; give force=True to write over it, or another out=…"
    ):
        refuse_overwrite(paths, force=False)
    refuse_overwrite(paths, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second", "third"]
