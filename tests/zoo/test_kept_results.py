"""What refining keeps in a folder, what it does anew, and what it never touches."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import zoo
from coarsekit.annotations import native
from coarsekit.errors import OutputError
from coarsekit.types import Annotation, Ellipse, Image, Mark, Mask
from zoo.evaluation.refiners import Floor
from zoo.marks.doubt import DoubtModel
from zoo.refiner import Advance, no_progress
from zoo.variants import REFINING_VERSION

DRAWN = Annotation("a.png", 160, 120, (Mark("MA", Ellipse(60, 50, 12, 9)), Mark("HE", Ellipse(90, 80, 20, 9))))
FILES = ["a.json", "a_HE.png", "a_MA.png", "a_overlay.jpg", "a_preview.jpg"]


class Drawing(Floor):
    """Answers the drawing, cut down to the dark half of a photograph; known by its weights, and counted."""

    def __init__(self, weights: str = "first weights") -> None:
        self.weights_sha256, self.asked = weights, 0

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        self.asked += 1
        return {lesion: mask & (image[..., 0] < 128) for lesion, mask in super().refine(image, annotation).items()}


def photograph(path: Path, value: int = 90) -> Path:
    path.parent.mkdir(exist_ok=True)
    Pillow.fromarray(np.full((120, 160, 3), value, np.uint8)).save(path)
    return path


def refine(
    folder: Path, refiner: Floor | None = None, drawn: Annotation = DRAWN, force: bool = False
) -> zoo.RefineReport:
    """Refine ``folder/in`` into ``folder/out``, from a drawing of a.png and the same of b.png."""
    for name in ("a.png", "b.png"):
        if not (folder / "in" / name).exists():
            photograph(folder / "in" / name)
    native.write(folder / "drawn" / "a.json", [drawn])
    native.write(folder / "drawn" / "b.json", [replace(DRAWN, image="b.png")])
    return zoo.refine_to_folder(
        refiner or Drawing(), folder / "in", folder / "drawn", folder / "out", force=force, on_note=heard
    )


NOTES: list[str] = []


def heard(note: str) -> None:
    """Keep a note; that these photographs show no rim is another matter."""
    if "No rim of the field of view" not in note:
        NOTES.append(note)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("change", ["photograph", "drawing", "weights", "version", "doubt"])
def test_just_what_depends_on_a_change_is_done_anew(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = refine(tmp_path)
    assert (first.kept, len(first.records)) == ([], 2)
    refiner, drawn = Drawing("other weights" if change == "weights" else "first weights"), DRAWN
    if change == "photograph":
        photograph(tmp_path / "in" / "a.png", 200)
    if change == "drawing":
        drawn = replace(DRAWN, marks=DRAWN.marks[:1])
    if change == "version":
        monkeypatch.setattr("zoo.refiner.REFINING_VERSION", REFINING_VERSION + 1)
    if change == "doubt":
        refiner.doubt = DoubtModel({"share": 1.0}, {"": 0.0})
    stale = ["a.png", "b.png"] if change in ("weights", "version", "doubt") else ["a.png"]
    before = bytes_of(tmp_path / "out")
    refused = refine(tmp_path, refiner, drawn)
    assert [name for name, _ in refused.failures] == stale
    said = {"weights": "another refiner, or other weights", "doubt": "another way to tell how far to trust it"}.get(
        change, f"another {change}"
    )
    assert all(f"is of {said}" in sentence for _, sentence in refused.failures)
    assert "force=True" in refused.failures[0][1]
    assert refiner.asked == 0
    assert bytes_of(tmp_path / "out") == before
    NOTES.clear()
    report = refine(tmp_path, refiner, drawn, force=True)
    assert (report.failures, refiner.asked) == ([], len(stale))
    assert report.kept == [name for name in ("a.png", "b.png") if name not in stale]
    assert (["1 of 2 were refined there before from the same, and are kept."] if report.kept else []) == NOTES
    fresh = tmp_path / "fresh"
    zoo.refine_to_folder(refiner, tmp_path / "in", tmp_path / "drawn", fresh)
    now, expected = bytes_of(tmp_path / "out"), bytes_of(fresh)
    assert now.keys() == expected.keys()
    assert all(now[name] == expected[name] for name in now if not name.endswith(".json"))
    again = refine(tmp_path, refiner, drawn)
    assert again.kept == ["a.png", "b.png"]


def test_the_same_photograph_and_drawing_under_another_name_are_the_same(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for folder, name in (("one", "a.json"), ("other", "marks.json")):
        photograph(tmp_path / folder / "a.png")
        native.write(tmp_path / folder / name, [DRAWN])
        report = zoo.refine_to_folder(Drawing(), tmp_path / folder / "a.png", tmp_path / folder / name, out)
    assert report.kept == ["a.png"]


def test_a_refiner_that_is_known_by_nothing_is_never_taken_for_the_same(tmp_path: Path) -> None:
    refine(tmp_path, Floor())
    assert len(refine(tmp_path, Floor()).failures) == 2


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_people_need_a_plain_refusal_first_and_the_others_are_refined(tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text('{"shapes": [], "imagePath": "a.png"}')
    report = refine(tmp_path)
    assert [record["image"] for record in report.records] == ["b.png"]
    [(failed, sentence)] = report.failures
    assert (failed, f"{name} is already there, and no earlier run wrote it" in sentence) == ("a.png", True)
    assert (tmp_path / "out" / name).read_text() == '{"shapes": [], "imagePath": "a.png"}'
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith("a")] == [name]
    assert refine(tmp_path, force=True).kept == ["b.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.name.startswith("a")) == FILES


@pytest.mark.parametrize(
    "record", ["[]", "{}", '{"image": "a.png", "finished": true, "files": ["a_MA.png"]}', "nan", ""]
)
def test_a_record_of_another_kind_is_no_record(tmp_path: Path, record: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.json").write_text(record)
    [(_, sentence)] = refine(tmp_path).failures
    assert "a.json is already there, and no earlier run wrote it" in sentence


def test_a_record_cannot_name_files_outside_its_folder(tmp_path: Path) -> None:
    refine(tmp_path)
    (tmp_path / "a_mine.txt").write_text("kept")
    record = json.loads((tmp_path / "out" / "a.json").read_text())
    record["files"]["../a_mine.txt"] = "0"
    (tmp_path / "out" / "a.json").write_text(json.dumps(record))
    [(_, sentence)] = refine(tmp_path).failures
    assert "no earlier run wrote it" in sentence
    refine(tmp_path, Drawing("other"), force=True)
    assert (tmp_path / "a_mine.txt").read_text() == "kept"


def test_a_mask_that_a_person_corrected_is_kept_unless_forced(tmp_path: Path) -> None:
    refine(tmp_path)
    mask = tmp_path / "out" / "a_MA.png"
    mine = mask.read_bytes()
    photograph(mask, 3)
    corrected = mask.read_bytes()
    report = refine(tmp_path)
    assert report.kept == ["a.png", "b.png"]
    assert "a_MA.png was changed since it was refined, and stays so; give force=True" in report.notes[-2]
    assert report.records[0]["masks"][0]["refined_pixels"] == 160 * 120
    assert mask.read_bytes() == corrected
    (tmp_path / "out" / "a_HE.png").unlink()
    [(_, sentence)] = refine(tmp_path).failures
    assert "a_MA.png was changed since it was refined; give force=True" in sentence
    forced = refine(tmp_path, force=True)
    assert forced.kept == ["b.png"]
    assert mask.read_bytes() == mine
    assert f"{mask} was changed since it was refined; as it was changed it is now a_MA.changed.png." in forced.notes
    assert (tmp_path / "out" / "a_MA.changed.png").read_bytes() == corrected


def test_what_is_forced_for_one_photograph_loses_no_correction_of_another(tmp_path: Path) -> None:
    refine(tmp_path)
    mask = tmp_path / "out" / "b_MA.png"
    for value in (3, 4):
        photograph(mask, value)
        corrected = mask.read_bytes()
        drawn = replace(DRAWN, marks=DRAWN.marks[: value - 2])
        assert [name for name, _ in refine(tmp_path, drawn=drawn).failures] == ["a.png"]
        forced = refine(tmp_path, drawn=drawn, force=True)
        assert not forced.failures
        [said] = [note for note in forced.notes if "as it was changed it is now" in note]
        assert (mask.parent / said.split()[-1].rstrip(".")).read_bytes() == corrected
    assert (tmp_path / "out" / "b_MA.changed2.png").exists()


@pytest.mark.parametrize(("name", "size"), [("a_MA.png", 0), ("a_HE.png", 50), ("a_overlay.jpg", 0)])
def test_a_file_that_cannot_be_read_is_made_again(tmp_path: Path, name: str, size: int) -> None:
    refine(tmp_path)
    file = tmp_path / "out" / name
    whole = file.read_bytes()
    file.write_bytes(whole[:size])
    assert refine(tmp_path).kept == ["b.png"]
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "edit", [lambda record: record["masks"][0].update(lesion="ZZ"), lambda record: record["marks"].pop()]
)
def test_a_record_that_was_edited_is_not_believed(tmp_path: Path, edit: Callable[[dict], object]) -> None:
    refine(tmp_path)
    file = tmp_path / "out" / "a.json"
    record = json.loads(file.read_text())
    edit(record)
    file.write_text(json.dumps(record))
    report = refine(tmp_path)
    [(_, sentence)] = report.failures
    assert "a.json was changed since it was refined; give force=True" in sentence
    assert report.kept == ["b.png"]
    assert refine(tmp_path, force=True).kept == ["b.png"]
    assert len(json.loads(file.read_text())["marks"]) == 2


def test_a_missing_file_is_made_again(tmp_path: Path) -> None:
    refine(tmp_path)
    (tmp_path / "out" / "a_MA.png").unlink()
    assert refine(tmp_path).kept == ["b.png"]
    assert (tmp_path / "out" / "a_MA.png").exists()


@pytest.mark.parametrize("force", [False, True])
def test_the_annotation_is_never_written_over(tmp_path: Path, force: bool) -> None:
    image = photograph(tmp_path / "p.png")
    native.write(tmp_path / "p.json", [replace(DRAWN, image="p.png")])
    before = bytes_of(tmp_path)
    with pytest.raises(OutputError, match=r"p\.json would be written over, and is read here"):
        zoo.refine_to_folder(Drawing(), image, tmp_path / "p.json", tmp_path, force=force)
    with pytest.raises(OutputError, match=r"p\.json would be written over, and is read here"):
        zoo.refine_to_folder(Drawing(), tmp_path, tmp_path / "p.json", tmp_path, force=force)
    assert bytes_of(tmp_path) == before


def test_a_photograph_is_never_written_over(tmp_path: Path) -> None:
    photograph(tmp_path / "in" / "p.png")
    photograph(tmp_path / "in" / "p_MA.png")
    for name in ("p", "p_MA"):
        native.write(tmp_path / "drawn" / f"{name}.json", [replace(DRAWN, image=f"{name}.png")])
    with pytest.raises(OutputError, match=r"p_MA\.png would be written over, and is read here"):
        zoo.refine_to_folder(Drawing(), tmp_path / "in", tmp_path / "drawn", tmp_path / "in", force=True)


@pytest.mark.parametrize("force", [False, True])
def test_two_photographs_never_share_a_mask_and_are_named(tmp_path: Path, force: bool) -> None:
    for name, lesion in (("p", "x_MA"), ("p_x", "MA")):
        photograph(tmp_path / "in" / f"{name}.png")
        drawn = Annotation(f"{name}.png", 160, 120, (Mark(lesion, Ellipse(60, 50, 12, 9)),))
        native.write(tmp_path / "drawn" / f"{name}.json", [drawn])
    report = zoo.refine_to_folder(Drawing(), tmp_path / "in", tmp_path / "drawn", tmp_path / "out", force=force)
    assert [name for name, _ in report.failures] == ["p.png", "p_x.png"]
    said = "p_x_MA.png would be written for p.png and p_x.png; rename one of them"
    assert all(sentence.endswith(said) for _, sentence in report.failures)
    assert not list((tmp_path / "out").glob("*"))


def test_a_lesion_name_that_is_too_long_for_the_disk_stops_no_other_photograph(tmp_path: Path) -> None:
    report = refine(tmp_path, drawn=replace(DRAWN, marks=(Mark("n" * 300, Ellipse(60, 50, 12, 9)),)))
    assert [record["image"] for record in report.records] == ["b.png"]
    [(failed, sentence)] = report.failures
    assert failed == "a.png"
    assert "no file can have this name here" in sentence
    assert len(sentence) < 300


REFINE = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may have it ignored
from pathlib import Path
import zoo
import zoo.output.photograph_result as results
from tests.zoo.test_kept_results import Drawing
write = results.write_image
def slowly(path, image):
    write(path, image)
    print("written", flush=True)
    time.sleep(30)
results.write_image = slowly
zoo.refine_to_folder(Drawing(), *map(Path, sys.argv[1:]))
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_goes_on_after_it_was_killed_between_two_files(tmp_path: Path, ending: signal.Signals) -> None:
    image = photograph(tmp_path / "a.png")
    native.write(tmp_path / "drawn.json", [DRAWN])
    places = [image, tmp_path / "drawn.json", tmp_path / "out"]
    running = subprocess.Popen(
        [sys.executable, "-c", REFINE, *map(str, places)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "written\n"
    running.send_signal(ending)
    running.communicate()
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["a.json", "a_MA.png"]
    report = zoo.refine_to_folder(Drawing(), *places)
    assert (report.kept, sorted(path.name for path in (tmp_path / "out").iterdir())) == ([], FILES)


KILLS = """
import json, os, signal, sys
from pathlib import Path
import zoo
from coarsekit.annotations import native
from tests.zoo.test_kept_results import DRAWN, Drawing, photograph
from dataclasses import replace

folder = Path(sys.argv[1])
names = [f"{'left' if number % 2 else 'right'}/{number}.png" for number in range(5)]
for name in names:
    (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
    photograph(folder / "in" / name, 80 + len(name))
    native.write(folder / "drawn" / f"{name}.json", [replace(DRAWN, image=name)])

def run(place, kill=None):
    # In a process of its own, which dies before or after a file gets its name.
    rename, count = Path.replace, 0
    def dying(self, target):
        nonlocal count
        count += 1
        if count == kill and kill % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(self, target)
        if count == kill:
            os.kill(os.getpid(), signal.SIGKILL)
    child = os.fork()
    if not child:
        Path.replace = dying
        place.mkdir(exist_ok=True)
        os.chdir(place)
        zoo.refine_to_folder(Drawing(), folder / "in", folder / "drawn", "out")
        os._exit(0)
    return os.waitpid(child, 0)[1]

def result(place):
    found = {}
    for path in sorted((place / "out").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".json":
                content = {name: value for name, value in json.loads(content).items() if name != "seconds"}
            found[str(path.relative_to(place))] = content
    return found

assert run(folder / "whole") == 0
whole = result(folder / "whole")
assert len(whole) == 25
for number in range(20):
    place = folder / str(number)
    assert run(place, 1 + 3 * number // 2) == signal.SIGKILL
    assert run(place) == 0
    assert result(place) == whole, number
print("done")
"""


def test_after_twenty_kills_between_any_files_the_same_command_ends_with_the_same_bytes(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", KILLS, tmp_path],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert (run.stdout, run.returncode) == ("done\n", 0), run.stderr[-2000:]


def test_two_runs_into_one_folder_say_so_and_both_succeed(tmp_path: Path) -> None:
    notes: list[str] = []

    class Nested(Drawing):
        """Refines the other photograph into the same folder while it is at work."""

        def refine(
            self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
        ) -> dict[str, Mask]:
            inner(lambda note: None if "No rim" in note else notes.append(note))
            return super().refine(image, annotation)

    def inner(note: Callable[[str], None]) -> None:
        zoo.refine_to_folder(Drawing(), tmp_path / "in" / "b.png", tmp_path / "b.json", tmp_path / "out", on_note=note)

    for name in ("a.png", "b.png"):
        photograph(tmp_path / "in" / name)
        native.write(tmp_path / f"{name[0]}.json", [replace(DRAWN, image=name)])
    zoo.refine_to_folder(Nested(), tmp_path / "in" / "a.png", tmp_path / "a.json", tmp_path / "out")
    assert notes == [f"Another run is at work in {tmp_path / 'out'}, too."]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.json")) == ["a.json", "b.json"]
