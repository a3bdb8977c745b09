"""Outputs are claimed before the work: against the inputs, against one another, and against what is there."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coarsekit.errors import OutputError
from coarsekit.storage.files import PARTIAL


def claim_outputs(
    outputs: Iterable[Path],
    force: bool,
    inputs: Iterable[str | os.PathLike[str]] = (),
    own: Callable[[Path], bool] = lambda _: True,
) -> None:
    """Check before any work that the files of ``outputs`` may be written.

    Args:
        outputs: Every file that will be written.
        force: Whether files that are there may be written over; an input never is.
        inputs: The files, and folders of files, that are read.
        own: Whether an earlier run wrote a file that is there; what is said of others is plainer.

    Raises:
        OutputError: When one is an input, when two are the same, when one is there and ``force`` is not set, and when
            one cannot have its name.
    """
    paths = list(outputs)
    read = {real for place in inputs for real in _files_of(Path(place))}
    seen: set[Path] = set()
    taken: list[Path] = []
    for path in paths:
        real = path.resolve()
        if real in seen:
            raise OutputError(f"{path}: two results would be written here; rename one of what they are made of")
        seen.add(real)
        if path.parent.is_file():
            raise OutputError(f"{path.parent} is a file, and a folder is needed there; move it, or give another out=…")
        status = _status(path)
        if real in read or status in read:
            raise OutputError(f"{path} would be written over, and is read here; give another out=…")
        if status is not None and not force and not own(path):
            raise OutputError(
                f"{path} is already there, and no earlier run wrote it; give another out=…, move it, or give "
                "force=True to write over it all the same"
            )
        if status is not None:
            taken.append(path)
    if taken and not force:
        more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
        raise OutputError(f"{taken[0]}{more} is already there; give force=True to write over it, or another out=…")


@contextmanager
def at_work(
    folder: Path, *subfolders: str, busy: Callable[[str], None] | None = None, remove_partial: bool = True
) -> Iterator[None]:
    """Hold the folder while the block works in it, and remove the temporary files that a killed run left there.

    They are removed before the block, and after it: processes of a killed run outlive it by a moment, in which they can
    begin another file. Nothing is removed while another run is at work there. The system lets go of a folder when the
    process ends, however it ends; on a disk without locks nothing is held.

    Args:
        folder: The folder; it is made where it is missing.
        subfolders: Patterns of folders in it where temporary files may lie, too.
        busy: Called with a sentence where another run is at work there, and the block works beside it; None refuses.
        remove_partial: Whether to remove temporary files.

    Raises:
        OutputError: When another run is at work there, or the folder cannot be made.
    """
    missing = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"{folder} is a file; give another out=…") from None
    handle = os.open(folder, os.O_RDONLY)
    try:
        alone = _lock(handle, alone=busy is None or remove_partial)
        if not alone:
            if busy is None:
                raise OutputError(f"{folder}: another run is at work there; wait for its end, or give another out=…")
            busy(f"Another run is at work in {folder}, too.")
        if alone and remove_partial:
            _remove_partial(folder, subfolders)
        if busy is not None:
            _lock(handle, alone=False)
        yield
    finally:
        if remove_partial and _lock(handle, alone=True):
            _remove_partial(folder, subfolders)
        os.close(handle)
        if missing:
            with suppress(OSError):  # it has something
                folder.rmdir()


def _lock(handle: int, alone: bool) -> bool:
    """Lock a folder for one run alone, or beside others that do not need it alone; False where another has it.

    The lock is the process's, so a killed one leaves none behind.
    """
    try:
        import fcntl
    except ImportError:  # Windows has no locks of folders
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network disks have no locks
        return True
    return True


def _remove_partial(folder: Path, subfolders: Iterable[str]) -> None:
    places = (folder, *(found for pattern in subfolders for found in folder.glob(pattern)))
    for path in (found for place in places for found in place.glob(PARTIAL)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _files_of(place: Path) -> Iterator[Path | tuple[int, int]]:
    """The real path of a file, or of each file in a folder, and its number on its disk, which hard links share."""
    for path in place.iterdir() if place.is_dir() else [place]:
        yield path.resolve()
        number = _status(path)
        if number is not None:
            yield number


def _status(path: Path) -> tuple[int, int] | None:
    """The number of a file on its disk; None where nothing is there."""
    try:
        status = path.lstat() if path.is_symlink() and not path.exists() else path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or cause
        raise OutputError(f"{_short(path)}: no file can have this name here ({reason}); choose a shorter one") from None
    return status.st_dev, status.st_ino


def _short(path: Path) -> str:
    return f"{str(path)[:80]}… ({len(path.name)} characters)" if len(str(path)) > 120 else str(path)
