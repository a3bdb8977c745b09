"""The files of people on which reading went wrong once, each by its command: what it does, and what it says."""

import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coarsekit.annotations import read_annotations
from coarsekit.cli.main import main as coarsekit_main
from coarsekit.images import read_mask
from coarsekit.types import Ellipse, Point, Polygon, Raster
from tests import command_line
from tests.places import CASES
from zoo.cli.main import main as zoo_main

COMMANDS = {"coarsekit": coarsekit_main, "zoo": zoo_main}
OF = "A.jpg"


@dataclass(frozen=True)
class Case:
    """What a command does: its exit code, what it says, the marks that it writes, and the files it leaves."""

    code: int = 0
    says: tuple[str, ...] = ()
    marks: Sequence[tuple[str, str, Any]] | None = None
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0, lesion: str = "MA", of: str = OF) -> tuple:
    return (of, lesion, Ellipse(x, y, rx, ry, angle))


def ring(*places: tuple[float, float], lesion: str = "HE") -> tuple:
    return (OF, lesion, Polygon((places,)))


def masks(*stems: str) -> dict[str, Sequence[str]]:
    """The masks that a run leaves."""
    return {"out": [f"{stem}.png" for stem in stems]}


SQUARE = ring((100, 100), (150, 100), (150, 140), (100, 140))
EXPECTED = {
    "all-left-out-says-nothing": Case(marks=[(OF, "MA", Point(200, 150, 4))]),
    "coco-cvat-rotated-box": Case(
        marks=[ring((178.787, 114.645), (235.355, 171.213), (221.213, 185.355), (164.645, 128.787))]
    ),
    "coco-image-id-as-string": Case(marks=[SQUARE]),
    "coco-string-size": Case(marks=[ring((180, 130), (220, 130), (220, 170), (180, 170))]),
    "coco-two-point-ring": Case(
        says=("annotations.0: 1 of its rings has no area",), marks=[ring((10, 10), (50, 10), (50, 40))]
    ),
    "coco-zero-box": Case(1, says=(r"annotations\.0: its box of 0 × 0 px has no area",), files=masks("A_HE")),
    "cvat-cuboid-skeleton": Case(
        1, ("the cuboid 'HE' is not read", "the tag 'good'"), [ellipse(200, 150, 30, 20, 30, "HE")]
    ),
    "cvat-label-slash": Case(says=("--labels, such as 'MA/HE=MA'",), marks=[ellipse(200, 150, 30, 30, lesion="MA-HE")]),
    "cvat-one-subfolder": Case(files=masks("day 1/001_HE")),
    "cvat-optic-disc": Case(says=("'Optic disc' .* is left out, for it is no lesion",), files=masks("A_HE")),
    "cvat-same-name-collapses": Case(
        marks=[
            ellipse(200, 150, 30, 30, lesion="HE", of="left/001.jpg"),
            ellipse(100, 100, 5, 5, of="right/001.jpg"),
        ]
    ),
    "cvat-subfolders": Case(files=masks("left/001_HE", "right/001_HE")),
    "cvat-upper-case-suffix": Case(says=("IMG_1.JPG as IMG_1.jpg",), files=masks("IMG_1_HE")),
    "cvat-zip": Case(marks=[ellipse(200, 150, 30, 30, lesion="HE")]),
    "ddb1-folder-as-released": Case(
        says=("4 annotations repeated another", "--annotator chooses one"),
        marks=[ellipse(701.5 + each, 530.5, 40, 40, 0, "HE", "diaretdb1_image901.png") for each in range(4)],
    ),
    "drawn-on-half-size": Case(says=("drawn on a copy of 400 × 300 px, and scaled by 2",), files=masks("A_HE")),
    "huge-photograph": Case(2, ("more than 179 million pixels, the most that is read",)),
    "jpeg-masks": Case(1, ("threshold=128",)),
    "label-not-matched-refine": Case(files=masks("A_MA")),
    "label-unknown-to-network": Case(files=masks("A_EX")),
    "labelme-gbk": Case(2, ("not UTF-8 text", "save it as UTF-8")),
    "labelme-old-imagedata": Case(marks=[ring((10, 10), (90, 10), (50, 60))]),
    "labelme-parent-path": Case(files=masks("A_HE")),
    "labelme-stray-file": Case(
        says=(r"1 file in no format .* is passed over: .*classes\.csv",),
        files=masks("A_HE"),
    ),
    "ls-bitmask": Case(marks=[(OF, "MA", 600)]),
    "ls-name-with-spaces": Case(says=(r"eye_scan_1\.jpg as eye scan \(1\)\.jpg",), files=masks("eye scan (1)_MA")),
    "ls-no-original-width": Case(files=masks("A_MA")),
    "ls-relations-choices": Case(
        says=("relation is of no region", "choices is of no region"),
        marks=[ellipse(200, 150, 40, 30), ellipse(80, 150, 40, 30, lesion="HE")],
    ),
    "ls-two-annotators": Case(says=("--annotator chooses one",), marks=[ellipse(200, 150, 40, 30)] * 2),
    "ls-two-images-in-task": Case(
        marks=[ellipse(80, 150, 40, 30, lesion="HE", of="L.jpg"), ellipse(200, 150, 40, 30, of="R.jpg")]
    ),
    "ls-unlabelled-region": Case(1, ("it has no label", "--labels"), [ellipse(80, 150, 40, 30)]),
    "ls-view-rotated": Case(marks=[ellipse(100, 150, 40, 15)]),
    "ls-zero-radius": Case(1, ("rx must be above 0 px",), [ellipse(200, 150, 40, 30)]),
    "many-masks-to-coco": Case(marks=[(OF, "MA", 400)] * 1500),
    "refine-one-drawing-changed": Case(
        1,
        ("A.jpg: kept", "B.json is of another drawing; give --force", "C.jpg: kept", "D.jpg: refined"),
        files=masks("A_HE", "B_HE", "C_HE", "D_HE"),
    ),
    "roc-xml": Case(marks=[ellipse(200.5, 150.5, 10, 10)]),
    "sixteen-bit-twelve": Case(files=masks("A_HE")),
    "thousands-left-out": Case(
        says=(r"'fovea' \(of 2000 regions\) is left out",), marks=[ellipse(200, 150, 30, 30, 0, "HE")]
    ),
    "via-coco-export": Case(marks=[SQUARE]),
    "via-name-before-lesion": Case(marks=[ellipse(200, 150, 20, 20)]),
    "via-no-attributes": Case(1, ("it has no label", "such as '=MA'"), []),
    "via-numeric-label": Case(marks=[ellipse(200, 150, 20, 20)]),
    "via-one-photo-missing": Case(1, ("Failed: .*B.jpg",), files=masks("A_HE")),
    "via-other-attribute-name": Case(marks=[ellipse(200, 150, 20, 20, lesion="MA")]),
    "via-undefined-in-csv": Case(1, (r"regions\.1: it has no label",), [ellipse(200, 150, 20, 20)]),
    "via3-project": Case(marks=[ellipse(200, 150, 20, 15)]),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_does_what_a_person_would_call_right(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is missing")
    case, work = EXPECTED[name], tmp_path / name
    shutil.copytree(CASES / name, work)
    monkeypatch.chdir(work)
    said, words = "", []
    for command in (work / "cmd").read_text(encoding="utf-8").split("&&"):
        words = shlex.split(command.removeprefix("timeout 120 "))
        result = command_line.run(COMMANDS[words[0]], *words[1:])
        said = result.stderr + result.stdout
    assert result.exit_code == case.code, said
    assert "Traceback" not in said
    for pattern in case.says:
        assert re.search(pattern, " ".join(said.split())), said
    if case.marks is not None:
        compare(written(Path(words[3])), case.marks)
    for folder, names in case.files.items():
        found = list(Path(folder).rglob("*.png"))
        assert sorted(str(path.relative_to(folder)) for path in found) == sorted(names)
        assert all(read_mask(path).ndim == 2 for path in found)


def written(out: Path) -> list[tuple[str, str, Any]]:
    """Photograph, class and shape of every mark that a conversion wrote."""
    files = [out] if out.is_file() else sorted(out.rglob("*.json"))
    annotations = [one for file in files for one in read_annotations(file).annotations]
    return [(one.image, mark.lesion, mark.shape) for one in annotations for mark in one.marks]


def compare(found: list[tuple[str, str, Any]], expected: Sequence[tuple[str, str, Any]]) -> None:
    """A mask is expected by its number of pixels."""
    assert [each[:2] for each in found] == [each[:2] for each in expected]
    for (_, _, shape), (_, _, wanted) in zip(found, expected, strict=True):
        if isinstance(shape, Raster):
            assert shape.crop.sum() == wanted
        elif isinstance(shape, Polygon):
            assert np.array(shape.rings[0]) == pytest.approx(np.array(wanted.rings[0]), abs=1e-3)
        else:
            assert type(shape) is type(wanted)
            names = ("x", "y", "radius") if isinstance(shape, Point) else ("cx", "cy", "rx", "ry", "angle")
            assert [getattr(shape, each) for each in names] == pytest.approx([getattr(wanted, each) for each in names])


def test_every_case_that_is_there_has_its_line() -> None:
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is missing")
    assert {case.name for case in CASES.iterdir()} == set(EXPECTED)
