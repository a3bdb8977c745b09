"""One run of refining into a folder: what it was asked for, what it says, and what comes out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coarsekit.annotations.photograph_names import stem_of
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.errors import OutputError
from coarsekit.types import Annotation, Image
from zoo.output.drawn import Drawn, without_shared_files
from zoo.output.notes import notes_after, notes_before
from zoo.output.outcomes import Outcome, outcomes, refine_one
from zoo.output.photograph_result import PhotographResult, check_apart
from zoo.output.superseded import mark_superseded
from zoo.output.tool_files import (
    ToolOptions,
    ToWrite,
    check_one_annotation_each,
    check_results,
    made_by,
    write_for_tools,
)
from zoo.refiner import Advance, Refiner


@dataclass(frozen=True, slots=True)
class RefineReport:
    """What `refine_to_folder` did.

    ``records``: of each photograph that was refined, what its JSON file has, too. ``kept``: the names of those that an
    earlier run had refined from the same content. ``failures``: of each that could not be refined, its name and a
    sentence. ``left_out``: a sentence for each kind of thing that was drawn and is not read. ``notes``: a sentence for
    what was guessed, such as labels that the refiner does not know. ``for_tools``: files, and folders of files, of
    tools' formats.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    for_tools: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Listener:
    """Whom `refine_to_folder` tells while it works; the parameters there say what of."""

    progress: Callable[[int, int], None]
    on_photograph: Callable[[str], None]
    on_left_out: Callable[[str], None]
    on_note: Callable[[str], None]
    on_failure: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FolderRun:
    """Refines photographs into a folder, and keeps for the report what it says on the way.

    ``images``: the folder of the photographs; None where a dataset has them.
    """

    refiner: Refiner
    folder: Path
    images: Path | None
    options: ReadOptions
    for_tools: ToolOptions
    force: bool
    jobs: int
    field_of_view: float | None
    listener: Listener
    report: RefineReport = field(default_factory=RefineReport)
    refined: list[Outcome] = field(default_factory=list)

    def report_reading(self, read: ReadReport, annotations: Sequence[Annotation]) -> None:
        """Say what reading the drawings met, before anything is refined.

        Raises `AnnotationError` for several annotations of a photograph where a format for tools holds one.
        """
        check_one_annotation_each(annotations, self.for_tools)
        # Of photographs that are left out whole, failures speak.
        self._leave_out(each for each in read.left_out if each not in read.whole)
        self._note(read.all_notes(self.options))
        self._note(notes_before(self.refiner, (lesion for one in annotations for lesion in one.lesions)))

    def fail(self, name: str, sentence: str) -> None:
        """Name a photograph that cannot be refined."""
        self.report.failures.append((name, sentence))
        self.listener.on_failure(sentence)

    def refine_photograph(self, file: Path, image: Image, drawn: Annotation, inputs: Sequence[Path]) -> None:
        """Refine the only photograph, whose pixels ``file`` has; raises where it cannot be refined.

        ``inputs``: the files that no result may be written over.
        """
        result = PhotographResult(self.folder, stem_of(file.name), drawn.lesions, file)
        check_results([result], inputs, self.folder, self.for_tools, self.force)
        record, kept, more = refine_one(
            self.refiner, result, image, drawn, self.force, self._counting(len(drawn.marks)), self.field_of_view
        )
        self._note_opened(more)
        self.refined.append(Outcome(drawn.image, record, kept, drawn=drawn, stem=result.stem))

    def refine_several(self, photographs: Sequence[Drawn], inputs: Sequence[Path]) -> None:
        """Refine photographs; those that cannot be refined are named, and the others go on.

        ``inputs``: the files that no result may be written over.
        """
        possible = []
        for photograph in photographs:
            try:
                check_apart([photograph.result(self.folder)], ())
                possible.append(photograph)
            except OutputError as error:
                self.fail(photograph.name, str(error))
        possible, sharing = without_shared_files(possible, self.folder)
        for name, sentence in sharing:
            self.fail(name, sentence)
        results = [photograph.result(self.folder) for photograph in possible]
        check_results(results, inputs, self.folder, self.for_tools, self.force)
        self.listener.progress(0, len(possible))
        coming = outcomes(self.refiner, self.folder, possible, self.force, self.jobs, self.field_of_view)
        for done, outcome in enumerate(coming, start=1):
            self._note_opened(outcome.seen)
            self.refined.append(outcome)
            if outcome.record is None:
                self.fail(outcome.name, outcome.failure)
            else:
                what = "kept" if outcome.kept else "refined"
                self.listener.on_photograph(f"{outcome.name}: {what}, {done} of {len(possible)}")
            self.listener.progress(done, len(possible))

    def finish(self) -> None:
        """Report what was refined, and write all masks in the formats of tools."""
        report = self.report
        report.records.extend(one.record for one in self.refined if one.record is not None)
        report.kept.extend(one.name for one in self.refined if one.kept)
        self._note(mark_superseded(self.folder, self.refined))
        found = [ToWrite(one.stem, one.drawn, one.record) for one in self.refined if one.drawn and one.record]
        if self.for_tools.formats and found:
            made, lacking = write_for_tools(
                self.folder, self.for_tools, found, made_by(self.refiner), self.images, self.force
            )
            report.for_tools.extend(map(str, made))
            self._note(lacking)
        self._note(notes_after(report.records))
        if report.kept:
            kept, all_of_them = len(report.kept), len(report.records)
            self.listener.on_note(f"{kept} of {all_of_them} were refined there before from the same, and are kept.")

    def _note_opened(self, seen: ReadReport) -> None:
        """Say what is seen only once a photograph is opened."""
        self._leave_out(seen.left_out)
        self._note(seen.notes)

    def _leave_out(self, sentences: Iterable[str]) -> None:
        _tell(sentences, self.report.left_out, self.listener.on_left_out)

    def _note(self, sentences: Iterable[str]) -> None:
        _tell(sentences, self.report.notes, self.listener.on_note)

    def _counting(self, total: int) -> Advance:
        """A callback that adds steps up."""
        done = 0
        self.listener.progress(0, total)

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            self.listener.progress(done, total)

        return advance


def _tell(sentences: Iterable[str], kept: list[str], tell: Callable[[str], None]) -> None:
    """Keep sentences for the report, and say them."""
    for sentence in sentences:
        kept.append(sentence)
        tell(sentence)
