"""What is reviewed: two photographs with drawings on them, refined into a folder."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import zoo
from coarsekit.annotations import native
from coarsekit.types import Annotation, Ellipse, Image, Line, Mark, Mask, Point, Polygon
from zoo.evaluation.refiners import Floor
from zoo.refiner import Advance, no_progress

SIZE = (160, 120)
MARKS = (
    Mark("MA", Ellipse(40, 30, 9, 6, 30), {"label": "Microaneurysm", "id": 7}),
    Mark("MA", Ellipse(54, 34, 9, 6), {"label": "Microaneurysm", "id": 8}),
    Mark("HE", Ellipse(100, 80, 20, 12, 45), {"label": "Hemorrhage", "id": 9}),
    Mark("MA", Ellipse(140, 20, 5, 5), {"label": "Microaneurysm", "id": 10}),
    Mark("HE", Polygon((((100, 20), (120, 22), (110, 40)),)), {"label": "Hemorrhage", "id": 12}),
    Mark("MA", Point(75.5, 60.5), {"label": "Microaneurysm", "id": 13}),
    Mark("HE", Line(((20, 90), (50, 100)), 4), {"label": "Hemorrhage", "id": 11}),
)
DRAWN = Annotation("left/a.png", *SIZE, MARKS)


class Upper(Floor):
    """Answers what was drawn but for strips through each photograph, and nothing of what lies on the right."""

    name, weights_sha256 = "upper", "0123456789abcdef"

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        masks = super().refine(image, annotation)
        for mask in masks.values():
            mask[31:33] = mask[:, 98:101] = mask[:, 130:] = False
        return masks


def photograph(number: int) -> Image:
    """A photograph like no other number's."""
    rng = np.random.default_rng(number)
    return rng.integers(60, 120, (SIZE[1], SIZE[0], 3)).astype(np.uint8)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photographs in ``in``, and what was refined of them in ``out``; the folder is the current one."""
    for number, name in enumerate(("left/a.png", "b.png")):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(photograph(number)).save(tmp_path / "in" / name)
    native.write(tmp_path / "drawn" / "a.json", [DRAWN])
    native.write(tmp_path / "drawn" / "b.json", [replace(DRAWN, image="b.png", marks=MARKS[:3])])
    monkeypatch.chdir(tmp_path)
    assert zoo.refine_to_folder(Upper(), "in", "drawn", "out").failures == []
    return tmp_path


@pytest.fixture
def edit() -> Callable[..., None]:
    """Change fields of a JSON file."""

    def change(path: str | Path, **fields: Any) -> None:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        Path(path).write_text(json.dumps({**content, **fields}), encoding="utf-8")

    return change
