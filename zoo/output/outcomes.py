"""What becomes of each of several photographs, refined one by one or several at a time, in their order."""

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any

from coarsekit.annotations.reading import ReadReport
from coarsekit.errors import CoarsekitError, OutputError, ParameterError
from coarsekit.storage.outputs import at_work
from coarsekit.types import Annotation, Image
from zoo.output.content import content_of
from zoo.output.drawn import Drawn
from zoo.output.photograph_result import PhotographResult
from zoo.refiner import Advance, Refiner, no_progress


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a photograph.

    ``record``: None where it could not be refined. ``kept``: whether an earlier run refined it from the same content.
    ``failure``: why it could not be refined. ``seen``: what was seen only once it was opened. ``drawn``: what was
    drawn, as it fits the photograph; None where it could not be refined. ``stem``: the name of its results.
    """

    name: str
    record: dict[str, Any] | None = None
    kept: bool = False
    failure: str = ""
    seen: ReadReport = field(default_factory=ReadReport)
    drawn: Annotation | None = None
    stem: str = ""


def refine_one(
    refiner: Refiner,
    result: PhotographResult,
    image: Image,
    annotation: Annotation,
    force: bool,
    advance: Advance = no_progress,
    field_of_view: float | None = None,
) -> tuple[dict[str, Any], bool, ReadReport]:
    """Refine a photograph unless an earlier run did so from the same content.

    Returns the record, whether it is kept, and what is to be said of that.
    """
    content = content_of(refiner, image, annotation, field_of_view)
    kept = result.find(annotation, content, force)
    if kept is None:
        aside = [
            f"{path} was changed since it was refined; as it was changed it is now {place.name}."
            for path, place in result.set_aside()
        ]
        return result.write(refiner, image, annotation, content, advance), False, ReadReport(notes=tuple(aside))
    earlier, changed = kept
    notes = tuple(
        f"{result.folder / name} was changed since it was refined, and stays so; give force=True to refine anew."
        for name in changed
    )
    return result.renew(earlier, refiner, annotation, content), True, ReadReport(notes=notes)


def outcomes(
    refiner: Refiner,
    folder: Path,
    photographs: Sequence[Drawn],
    force: bool,
    jobs: int = 1,
    field_of_view: float | None = None,
) -> Iterator[Outcome]:
    """Refine photographs into a folder; one that cannot be refined does not stop the others.

    Args:
        refiner: Who refines.
        folder: The folder to write to, in which the caller is at work.
        photographs: What there is to refine; no two write the same file.
        force: Whether results of other content may be written over.
        jobs: Photographs at a time, each in a process of its own on one thread.
        field_of_view: As in `coarsekit.scale.scale_of`.

    Returns:
        What became of each, in their order; the files of one are there before it is given.

    Raises:
        ParameterError: When one of several processes was ended by the system.
    """
    # Before all and after all: what a process left behind is not told from what another is just writing.
    places = {photograph.result(folder).folder for photograph in photographs} - {folder}
    _remove_partial(places)
    if jobs > 1 and len(photographs) > 1:
        yield from _in_processes(refiner, folder, photographs, force, jobs, field_of_view)
    else:
        for photograph in photographs:
            yield _attempt(refiner, folder, photograph, force, field_of_view)
    _remove_partial(places)


def _remove_partial(places: Iterable[Path]) -> None:
    """Remove what a killed run left in folders, but for those in which another run is at work."""
    for place in places:
        with suppress(OutputError, OSError), at_work(place, busy=no_progress):  # what fails is said of each photograph
            pass


def _in_processes(
    refiner: Refiner,
    folder: Path,
    photographs: Sequence[Drawn],
    force: bool,
    jobs: int,
    field_of_view: float | None,
) -> Iterator[Outcome]:
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    parallel = Parallel(
        n_jobs=min(jobs, len(photographs)),
        backend="loky",
        return_as="generator",
        batch_size=1,  # each as soon as it is done
        max_nbytes=None,
        initializer=_begin_process,
        initargs=(os.getpid(), Path.cwd()),
    )
    work = delayed(_in_own_process)
    try:
        yield from parallel(work(refiner, folder, photograph, force, field_of_view) for photograph in photographs)
    except BrokenProcessPool:
        get_reusable_executor().shutdown(kill_workers=True)  # none writes on beside the next run
        raise ParameterError(
            f"one of {jobs} processes was ended by the system, perhaps for lack of memory; what is finished is kept: "
            "run it again with fewer, jobs=…"
        ) from None


def _attempt(
    refiner: Refiner,
    folder: Path,
    photograph: Drawn,
    force: bool,
    field_of_view: float | None,
) -> Outcome:
    place, seen = photograph.result(folder).folder, ReadReport()
    try:
        with nullcontext() if place == folder else at_work(place, busy=no_progress, remove_partial=False):
            image, annotation, seen = photograph.read()
            result = replace(photograph, lesions=annotation.lesions).result(folder)
            record, kept, more = refine_one(refiner, result, image, annotation, force, field_of_view=field_of_view)
            return Outcome(photograph.name, record, kept, seen=seen + more, drawn=annotation, stem=photograph.stem)
    except CoarsekitError as error:
        failure = str(error)
    except OSError as error:
        failure = f"{photograph.name}: {error.filename or folder}: {error.strerror or error}"
    return Outcome(photograph.name, failure=failure, seen=seen)


def _begin_process(parent: int, place: Path) -> None:
    """End with the process ``parent``, leave interrupts to it, and start relative paths from the folder ``place``.

    Processes are kept for later calls, between which the parent may go elsewhere.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.chdir(place)


def _end_with(parent: int) -> None:
    """One that went on alone would write beside the next run in the folder."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _in_own_process(
    refiner: Refiner, folder: Path, photograph: Drawn, force: bool, field_of_view: float | None
) -> Outcome:
    """`_attempt` in a process of its own: more threads than cores would make each other slower."""
    if "torch" in sys.modules:  # a network brought it along, and baselines do without
        sys.modules["torch"].set_num_threads(1)
    return _attempt(refiner, folder, photograph, force, field_of_view)
