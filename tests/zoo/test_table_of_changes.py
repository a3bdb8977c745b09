"""What every command that keeps something does anew after each kind of change, what it keeps, and what it refuses."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image
from safetensors.torch import load_file

from coarsekit.annotations import native, read_annotation
from coarsekit.cli.main import main as coarsekit
from coarsekit.datasets import open_source
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import HUMAN, Imprecision, Style, dump_style
from coarsekit.types import Ellipse
from tests import command_line
from tests.pictures import photograph, six_lesions
from zoo.checkpoints.folder import weights_sha256
from zoo.cli.main import main as zoo_main
from zoo.models.base import build, network_class
from zoo.models.unet import Network
from zoo.variants import REFINING_VERSION

TABLE = """
                train    resume   evaluate    robustness  agreement  doubt    export     refine     push        card
photograph      anew 1   refused  anew 12     anew        anew 1     anew 2   anew 1     refused 1  anew        anew
mask            anew 1   refused  anew 12     anew        kept       anew 2   anew 1     kept       anew        anew
drawing         anew 2   refused  refused 9   anew        anew 1     anew 0   refused 0  refused 1  anew 4      anew 4
style           anew 2   refused  refused 9   anew        kept       anew 0   refused 0  kept       anew 2      anew 2
recipe          anew 2   refused  kept 18     kept        kept       kept     kept       kept       refused 4   anew 4
weights         anew 2   refused  refused 12  anew        anew 0     anew 0   kept       refused 0  refused     refused
configuration   anew 2   refused  refused 12  anew        anew 0     anew 0   kept       refused 0  refused     refused
version         anew 2   refused  refused 0   anew        anew 0     anew 0   anew 0     refused 0  refused     refused
"""
"""The outcome of each command after each change.

``anew``: what depends on the change is done anew without being asked, and nothing else is. ``refused``: a sentence
names what differs; forced, or measured again, it is done anew. ``kept``: nothing depends on the change, and nothing is
done. The number is of what is kept of 2 photographs (train, agreement, refine), 18 drawings (evaluate), 2 photographs
with marks as drawn and moved (doubt), 3 photographs (export) and 4 rows (push, card).
"""


TINY = (
    "--set",
    "width=2",
    "--set",
    "size=32",
    "--set",
    "batch=4",
    "--set",
    "samples=24",
    "--set",
    "learning_rate=0.04",
    "--device",
    "cpu",
)
TRAIN = ("train", "folder:clinic", "--split", "train", *TINY, "--set", "start=first", "--set", "styles=drawn.toml")
STYLES = "drawn.toml,paper"
DRAWN = Style("drawn", reference_width=96, smooth=1.0, dilate=2.0, other=Imprecision(size=0.1))

# The Hub's client calls its HTTP library in a way that this library has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def changed(path: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    with Image.open(path) as image:
        Image.fromarray(change(np.asarray(image))).save(path)


def change_photograph(_: pytest.MonkeyPatch) -> None:
    changed("clinic/images/train/a.png", lambda pixels: pixels[::-1].copy())


def change_mask(_: pytest.MonkeyPatch) -> None:
    changed("clinic/masks/a_MA.png", lambda mask: np.roll(mask, 5, axis=0))


def change_drawing(_: pytest.MonkeyPatch) -> None:
    drawn = read_annotation("drawings/a.json")
    first = replace(drawn.marks[0], shape=Ellipse(40, 30, 9, 7))
    native.write(Path("drawings/a.json"), [replace(drawn, marks=(first, *drawn.marks[1:]))])


def change_style(_: pytest.MonkeyPatch) -> None:
    Path("drawn.toml").write_text(dump_style(replace(DRAWN, dilate=3.0)))


def change_recipe(_: pytest.MonkeyPatch) -> None:
    edit("mine/training.json", lambda record: record["recipe"].update(learning_rate=0.05))


def change_weights(_: pytest.MonkeyPatch) -> None:
    for folder in ("first", "mine"):
        network = Network.load(Path(folder))
        with torch.no_grad():
            for tensor in network.parameters():
                tensor.mul_(-1)
        network.save(Path(folder), network.record)


def change_configuration(_: pytest.MonkeyPatch) -> None:
    edit("mine/config.json", lambda stored: stored["config"].update(threshold=0.123))


def change_version(patch: pytest.MonkeyPatch) -> None:
    """Raise both versions wherever a module has one."""
    for name, module in list(sys.modules.items()):
        for constant in ("REFINING_VERSION", "PAIRS_VERSION"):
            if name.startswith(("zoo.", "coarsekit.")) and hasattr(module, constant):
                patch.setattr(module, constant, getattr(module, constant) + 1)


def edit(path: str, change: Callable[[Any], None]) -> None:
    content = json.loads(Path(path).read_text())
    change(content)
    Path(path).write_text(json.dumps(content))


OPTIONS: dict[tuple[str, str], tuple[object, ...]] = {
    **{
        (command, "drawing"): ("--seed", 1)
        for command in ("train", "resume", "evaluate", "robustness", "doubt", "export")
    },
    **{(command, "recipe"): ("--set", "learning_rate=0.05") for command in ("train", "resume")},
    **{(command, "configuration"): ("--set", "context=2.0") for command in ("train", "resume")},
}
"""What a command is told besides, where a change is no file that it reads."""


@dataclass
class Cell:
    """A cell of the table, and how to take the change back."""

    command: str
    change: str
    outcome: str
    kept: int
    undo: Callable[[], None]
    hub: Any

    @property
    def options(self) -> tuple[object, ...]:
        return OPTIONS.get((self.command, self.change), ())

    def refused(self, result: Result, names: dict[str, str]) -> None:
        """The outcome is a sentence that names what differs."""
        assert self.outcome == "refused"
        assert names[self.change] in command_line.refusal(result)


def zoo(*arguments: object) -> Result:
    return command_line.run(zoo_main, *arguments)


def done(*arguments: object) -> Result:
    result = zoo(*arguments)
    assert result.exit_code == 0, result.output
    return result


def digests(*folders: str, leave: str = "\0") -> dict[str, str]:
    """The hash of every file in folders by its path."""
    files = (path for folder in folders for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if leave not in str(path)}


def times(*folders: str) -> dict[str, int]:
    """When every file in folders was written."""
    files = (path for folder in folders for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return {str(path): path.stat().st_mtime_ns for path in files}


def trained(folder: str) -> tuple[dict[str, list[Any]], Any]:
    """The weights and the record of a training, without how long it took."""
    record = json.loads(Path(folder, "training.json").read_text())
    record["history"] = [{**line, "seconds": 0} for line in record["history"]]
    weights = load_file(Path(folder, "model.safetensors"))
    return {name: tensor.tolist() for name, tensor in weights.items()}, record


def measure(seed: int, styles: str = STYLES) -> tuple[object, ...]:
    """Measure the refiner ``mine``, and say what the options are that take the rows in."""
    how = ("folder:clinic", "--refiner", "mine", "--seed", seed, "--json", "--quiet")
    for name, command in (
        ("rows", ("evaluate", "--style", styles)),
        ("robust", ("robustness", "--style", "drawn.toml", "-o", "robustness")),
    ):
        Path(f"{name}.json").write_text(done(command[0], *how, *command[1:]).stdout)
    return ("--metrics", "rows.json", "--metrics", "robust.json")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inputs, and what every command leaves of them."""
    folder = tmp_path_factory.mktemp("before")
    with chdir(folder):
        for number, (key, split) in enumerate({"a": "train", "b": "train", "c": "test"}.items()):
            for place in (f"clinic/images/{split}", "clinic/masks"):
                Path(place).mkdir(parents=True, exist_ok=True)
            photograph(number, (64, 96)).save(f"clinic/images/{split}/{key}.png")
            for lesion in ("MA", "SE"):
                mask = six_lesions([number, *lesion.encode()], (64, 96)) * 255
                Image.fromarray(mask).save(f"clinic/masks/{key}_{lesion}.png")
        Path("clinic/coarsekit.toml").write_text(
            "[masks]\n" + "".join(f'{x} = "masks/{{stem}}_{x}.png"\n' for x in ("MA", "SE"))
        )
        Path("drawn.toml").write_text(dump_style(DRAWN))
        Path("drawings").mkdir()
        for fundus in open_source("folder:clinic").photographs("train"):
            native.write(Path("drawings", f"{fundus.key}.json"), [annotate(fundus, 1.0, HUMAN, 0, "clinic")])
            native.write(Path("others", f"{fundus.key}.json"), [annotate(fundus, 1.0, HUMAN, 1, "clinic")])
        torch.manual_seed(0)
        build(network_class("unet"), {"width": 2, "size": 32}).save(
            Path("first"), {"photograph_sha256": {"x": "0" * 64}}
        )
        done(*TRAIN, "-o", "run", "--set", "epochs=1")
        shutil.copytree("run", "mine", ignore=shutil.ignore_patterns("cache", "state.pt"))
        shutil.copytree("run", "whole")
        done("train", "-o", "whole", "--resume", "--set", "epochs=2")
        evaluate(())
        agree()
        doubt(())
        export(())
        refine()
        done("card", "mine", *measure(0), "-o", "card.md")
    return folder


@pytest.fixture
def world(before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to change, which is the working directory."""
    shutil.copytree(before, tmp_path / "world")
    monkeypatch.chdir(tmp_path / "world")
    return before


def evaluate(options: tuple[object, ...], out: str = "scores") -> Result:
    return zoo("evaluate", "folder:clinic", "--refiner", "mine", "--style", STYLES, "-o", out, *options)


def agree(out: str = "agreed") -> str:
    how = ("--refiner", "mine", "-o", out, "--json")
    return done("agreement", "clinic/images/train", "drawings", "others", *how).stdout


def doubt(options: tuple[object, ...], out: str = "doubts") -> str:
    """Of a copy of ``mine`` whose doubt is fitted to its weights, whatever they are."""
    shutil.copytree("mine", "doubted", dirs_exist_ok=True)
    model = {"weights": {}, "biases": {"": 0.0}}
    fitted = {"fitted_on": {"weights_sha256": weights_sha256(Path("doubted"))}, "model": model}
    Path("doubted/doubt.json").write_text(json.dumps(fitted))
    how = ("--split", "train", "--refiner", "doubted", "--style", "drawn.toml", "-o", out, "--json")
    return done("doubt", "folder:clinic", *how, *options).stdout


def export(options: tuple[object, ...], out: str = "pairs") -> Result:
    how = ("--style", "drawn.toml", "--reduction", "1,2", "--size", 16, "-o", out)
    return command_line.run(coarsekit, "export", "folder:clinic", *how, *options)


def refine(*options: object, out: str = "refined") -> Result:
    return zoo("refine", "clinic/images/train", "drawings", "--refiner", "mine", "-o", out, *options)


def check_train(cell: Cell) -> None:
    cache = times("run/cache")
    first = trained("run")
    said = done(*TRAIN, "-o", "run", "--set", "epochs=1", *cell.options, "--force").stderr
    assert f"{cell.kept} of 2 photographs were in run/cache, unchanged." in said
    done(*TRAIN, "-o", "fresh", "--set", "epochs=1", *cell.options)
    assert trained("run") == trained("fresh")
    assert trained("run") != first
    assert cache.items() <= times("run/cache").items()


def check_resume(cell: Cell) -> None:
    held = digests("run", leave="cache")
    result = zoo("train", "-o", "run", "--resume", "--set", "epochs=2", "--quiet", *cell.options)
    cell.refused(result, RESUMES)
    assert digests("run", leave="cache") == held
    cell.undo()
    done("train", "-o", "run", "--resume", "--set", "epochs=2")
    assert trained("run") == trained("whole")


RESUMES = {
    "photograph": "the pixels of a differ",
    "mask": "the masks of a differ",
    "drawing": "seed differs",
    "style": "the parameters of the style drawn differ",
    "recipe": "learning_rate differs",
    "weights": "the weights of first differ",
    "configuration": "context differs",
    "version": "the versions of what refines differ",
}


def check_evaluate(cell: Cell) -> None:
    held, cached = digests("scores"), times("scores/cache")
    result = evaluate(cell.options)
    if result.exit_code:
        cell.refused(result, EVALUATIONS)
        assert digests("scores") == held
        result = evaluate((*cell.options, "--force"))
    assert result.exit_code == 0, result.output
    assert (f"({18 - cell.kept} drawings refined, {cell.kept} taken from its cache)" in result.stderr) == (
        cell.kept > 0
    )
    assert len(times("scores/cache")) == (18 if cell.outcome == "kept" else 36 - cell.kept)
    assert cached.items() <= times("scores/cache").items()
    evaluate(cell.options, "fresh")
    assert Path("scores/results.json").read_bytes() == Path("fresh/results.json").read_bytes()
    assert (digests("scores") == held) == (cell.outcome == "kept")


EVALUATIONS = {
    "drawing": "(other seed)",
    "style": "(other styles)",
    "weights": "(other refiners)",
    "configuration": "(other refiners)",
    "version": "(other refining_version)",
}


def check_robustness(cell: Cell) -> None:
    seed = 1 if cell.change == "drawing" else 0
    old = json.loads(Path("robust.json").read_text())["rows"]
    shutil.copy("robust.json", "old.json")
    measure(seed)
    rows = json.loads(Path("robust.json").read_text())["rows"]
    pinned = {name for row, other in zip(rows, old, strict=True) for name in row if row[name] != other[name]}
    assert pinned & set(PINS) == {pin for pin, changes in PINS.items() if cell.change in changes}
    assert ("iou" in pinned) == (cell.change not in ("recipe", "version"))
    assert (rows == old) == (cell.outcome == "kept")
    stale = zoo("card", "mine", "--metrics", "old.json")
    assert bool(stale.exit_code) == (cell.change in ("weights", "configuration", "version"))
    done("card", "mine", "--metrics", "robust.json", "-o", "new.md")
    kept = json.loads(Path("mine/metrics.json").read_text())["robustness"]
    assert kept == rows


PINS = {
    "dataset_sha256": ("photograph", "mask"),
    "dataset_images_seen": ("photograph",),
    "seed": ("drawing",),
    "style_sha256": ("style",),
    "weights_sha256": ("weights", "configuration"),
    "refining_version": ("version",),
}
"""Which pins of a row differ after which changes."""


def check_agreement(cell: Cell) -> None:
    check_cache(cell, 2, "agreed", agree)


def check_doubt(cell: Cell) -> None:
    check_cache(cell, 4, "doubts", lambda *out: doubt(cell.options, *out))


def check_cache(cell: Cell, whole: int, folder: str, measured: Callable[..., str]) -> None:
    """What is in the cache and still holds stays; with it the rows are those of a fresh run."""
    cached = times(f"{folder}/cache")
    assert len(cached) == whole
    rows = measured()
    assert len(times(f"{folder}/cache")) == (whole if cell.outcome == "kept" else 2 * whole - cell.kept)
    assert cached.items() <= times(f"{folder}/cache").items()
    assert rows == measured("fresh")


def check_export(cell: Cell) -> None:
    held, shards = digests("pairs"), {name: time for name, time in times("pairs").items() if name.endswith("parquet")}
    result = export((*cell.options, "--json"))
    if result.exit_code:
        cell.refused(result, EXPORTS)
        assert digests("pairs") == held
        result = export((*cell.options, "--json", "--force"))
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["made"], told["kept"]) == ((0, 3) if cell.outcome == "kept" else (3 - cell.kept, cell.kept))
    untouched = [name for name, time in times("pairs").items() if shards.get(name) == time]
    assert len(untouched) == {0: 4, 3: 0}.get(told["made"], 2)  # a shard of each split, at two reduction factors
    export(cell.options, "fresh")
    assert digests("pairs") == {name.replace("fresh", "pairs", 1): own for name, own in digests("fresh").items()}
    assert (digests("pairs") == held) == (cell.outcome == "kept")


EXPORTS = {"drawing": "other seed;", "style": "other parameters;"}


def check_refine(cell: Cell) -> None:
    held, written = digests("refined"), times("refined")
    result = refine(*cell.options)
    if cell.outcome == "refused":
        assert result.exit_code == 1
        failed = [line for line in result.stderr.splitlines() if line.startswith("Failed: ")]
        assert len(failed) == 2 - cell.kept
        assert all(REFINED[cell.change] in line and "give --force" in line for line in failed)
        assert (digests("refined"), times("refined")) == (held, written)
        result = refine(*cell.options, "--force")
    assert result.exit_code == 0, result.output
    kept = 2 if cell.outcome == "kept" else cell.kept
    assert (f"{kept} of 2 were refined there before from the same, and are kept." in result.stderr) == (kept > 0)
    stems = {Path(name).name[0] for name, time in times("refined").items() if written.get(name) == time}
    assert sorted(stems) == ["a", "b"][2 - kept :]
    refine(*cell.options, out="fresh")
    now = {name: own for name, own in digests("refined").items() if not name.endswith(".json")}
    assert now == {
        name.replace("fresh", "refined", 1): own for name, own in digests("fresh").items() if not name.endswith(".json")
    }


REFINED = {
    "photograph": "of another photograph",
    "drawing": "of another drawing",
    "weights": "of another refiner, or other weights",
    "configuration": "of another refiner, or other weights",
    "version": "of another version of what refines",
}


def check_card(cell: Cell) -> None:
    held = Path("card.md").read_bytes()
    write = ("card", "mine", "-o", "card.md", "--force")
    result = zoo(*write)
    if result.exit_code:
        cell.refused(result, OTHER_WEIGHTS)
    assert (Path("card.md").read_bytes() == held) == (cell.change != "recipe")
    done(*write, *measured_anew(cell))
    check_rows(cell)
    with chdir("fresh"):
        done(*write, *fresh_rows())
    assert Path("card.md").read_bytes() == Path("fresh/card.md").read_bytes() != held


def check_push(cell: Cell) -> None:
    repository = cell.hub.repository("ada/mine", "model")
    head, held = repository.head, repository.files
    result = zoo("push", "mine", "ada/mine")
    if result.exit_code:
        cell.refused(result, {**OTHER_WEIGHTS, "recipe": "ada/mine has something else; give --force"})
    assert repository.head == head
    sent = cell.hub.uploaded()
    done("push", "mine", "ada/mine", *measured_anew(cell), *(["--force"] if cell.change == "recipe" else []))
    assert (cell.hub.uploaded() > sent) == (cell.change == "weights")
    changed = {name for name, file in repository.files.items() if file.content != held[name].content}
    assert changed == {"README.md", *PUSHED.get(cell.change, ["metrics.json"])}
    check_rows(cell)
    with chdir("fresh"):
        done("push", "mine", "ada/fresh", *fresh_rows())
    fresh = {name: file.content for name, file in cell.hub.repository("ada/fresh", "model").files.items()}
    fresh["README.md"] = fresh["README.md"].replace(b"ada/fresh", b"ada/mine").replace(b"fresh", b"mine")
    assert {name: file.content for name, file in repository.files.items()} == fresh


OTHER_WEIGHTS = {
    "weights": "measured of other weights, or another config",
    "configuration": "measured of other weights, or another config",
    "version": f"measured by version {REFINING_VERSION} of what refines, and this is version {REFINING_VERSION + 1}",
}
PUSHED = {
    "recipe": ["training.json"],
    "weights": ["model.safetensors", "metrics.json"],
    "configuration": ["config.json", "metrics.json"],
}
"""The files of a repository that are other after a change, with the card."""


def fresh_rows() -> list[str]:
    """The options that take what `measured_anew` left into a checkpoint without metrics."""
    names = [path for path in ("kept.json", "measured.json") if json.loads(Path(path).read_text())["rows"]]
    return [option for name in names for option in ("--metrics", name)]


def measured_anew(cell: Cell) -> tuple[object, ...]:
    """Measure again what a change makes other, and lay a checkpoint that never had metrics into ``fresh``."""
    shutil.copytree("mine", "fresh/mine")
    earlier = json.loads(Path("fresh/mine/metrics.json").read_text())
    Path("fresh/mine/metrics.json").unlink()
    options: tuple[object, ...] = ()
    measured: dict[str, Any] = {"rows": earlier["robustness"]}
    if cell.change != "recipe":
        options = measure(int(cell.change == "drawing"), "drawn.toml" if cell.change == "style" else STYLES)
        measured["rows"] = [row for name in options[1::2] for row in json.loads(Path(str(name)).read_text())["rows"]]
    kept = [row for row in earlier["rows"] if still_holds(cell.change, row)]
    assert len(kept) == cell.kept
    Path("fresh/kept.json").write_text(json.dumps({"rows": kept}))
    Path("fresh/measured.json").write_text(json.dumps(measured))
    return options


def still_holds(change: str, row: dict[str, Any]) -> bool:
    """Whether a row of ``mine`` says what is so after a change, too."""
    return change in ("recipe", "drawing") or (change == "style" and row["style"] == "paper")


def check_rows(cell: Cell) -> None:
    """The metrics have what still holds and what was measured anew, and nothing else."""
    found = json.loads(Path("mine/metrics.json").read_text())
    kept, measured = (json.loads(Path("fresh", f"{name}.json").read_text())["rows"] for name in ("kept", "measured"))
    assert found["rows"] == kept + [row for row in measured if "corruption" not in row]
    assert found["robustness"] == [row for row in measured if "corruption" in row]


CHANGES = {
    "photograph": change_photograph,
    "mask": change_mask,
    "drawing": change_drawing,
    "style": change_style,
    "recipe": change_recipe,
    "weights": change_weights,
    "configuration": change_configuration,
    "version": change_version,
}
CHECKS = {
    "train": check_train,
    "resume": check_resume,
    "evaluate": check_evaluate,
    "robustness": check_robustness,
    "agreement": check_agreement,
    "doubt": check_doubt,
    "export": check_export,
    "refine": check_refine,
    "push": check_push,
    "card": check_card,
}


def cells() -> Iterator[Any]:
    head, *lines = [line.split("  ") for line in TABLE.strip().splitlines()]
    for line in lines:
        change, *outcomes = [part.strip() for part in line if part.strip()]
        for command, outcome in zip([part.strip() for part in head if part.strip()], outcomes, strict=True):
            word, _, kept = outcome.partition(" ")
            yield pytest.param(command, change, word, int(kept or 0), id=f"{command}-{change}")


@pytest.mark.parametrize(("command", "change", "outcome", "kept"), list(cells()))
def test_exactly_what_depends_on_a_change_is_done_anew(
    world: Path, hub: Any, command: str, change: str, outcome: str, kept: int
) -> None:
    if command == "push":
        done("push", "mine", "ada/mine")
    with pytest.MonkeyPatch.context() as patch:

        def undo() -> None:
            patch.undo()
            shutil.copytree(world, ".", ignore=shutil.ignore_patterns("run"), dirs_exist_ok=True)

        CHANGES[change](patch)
        CHECKS[command](Cell(command, change, outcome, kept, undo, hub))
