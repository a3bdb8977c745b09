"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from coarsekit.storage.files import atomic_write, write_text, write_texts


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


def test_several_texts_are_written_all_or_none(tmp_path: Path) -> None:
    write_texts({tmp_path / "a": "1", tmp_path / "b": "2"})
    assert [(tmp_path / name).read_text() for name in "ab"] == ["1", "2"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_texts({tmp_path / "c": "3", tmp_path / "a": "4", tmp_path / "folder" / "x" / ("n" * 300): "5"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "folder"]
    assert (tmp_path / "a").read_text() == "1"
