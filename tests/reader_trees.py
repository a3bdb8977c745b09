"""A small tree in the layout of each dataset: each function fills an empty folder and returns the SOURCE of it."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from coarsekit.geometry import draw
from coarsekit.types import LESIONS, Ellipse
from tests.pictures import HEIGHT, WIDTH, lesions, photograph


def grey(mask: np.ndarray, value: int = 255) -> Image.Image:
    return Image.fromarray(mask.astype(np.uint8) * value)


def save(picture: Image.Image, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def write_ddr(root: Path, top: str = "lesion_segmentation", valid: str = "valid", label: str = "label") -> str:
    """One photograph a split; each has a mask of every class, and that of SE is empty outside the test split."""
    for seed, split in enumerate(("train", valid, "test")):
        folder, key = root / top / split, f"007-000{seed}-000"
        save(photograph(seed), folder / "image" / f"{key}.jpg")
        for place, lesion in enumerate(LESIONS):
            mask = lesions(place) & ((lesion != "SE") | (split == "test"))
            save(grey(mask), folder / (label if split == valid else "label") / lesion / f"{key}.tif")
    return f"ddr:{root}"


def write_folder(root: Path) -> str:
    """Two photographs in one split; a PNG mask for each of two classes, one of them unheard of."""
    for seed in range(2):
        save(photograph(seed), root / "images" / f"eye {seed}.jpg")
        for place, lesion in enumerate(("MA", "drusen")):
            save(grey(lesions(place)), root / "masks" / lesion / f"eye {seed}.png")
    (root / "coarsekit.toml").write_text(
        '[masks]\nMA = "masks/MA/{stem}.png"\ndrusen = "masks/drusen/{stem}.png"\n', encoding="utf-8"
    )
    return f"folder:{root}"


def write_label_maps(root: Path) -> str:
    """Two splits, a folder each; label maps with 1 for MA and 2 for HE."""
    for seed, split in enumerate(("train", "test")):
        save(photograph(seed), root / "images" / split / "eye.png")
        save(grey(lesions(0), 1), root / "labels" / split / "eye.png")
        values = lesions(0) * 1 + lesions(1) * 2
        save(Image.fromarray(values.astype(np.uint8)), root / "labels" / split / "eye.png")
    (root / "coarsekit.toml").write_text(
        '[label_map]\nfile = "labels/{split}/{stem}.png"\nvalues = {1 = "MA", 2 = "HE"}\n', encoding="utf-8"
    )
    return f"folder:{root}"


def coco(file_name: str = "eye.jpg") -> dict:
    """COCO instances of one photograph: a triangle and a square of run lengths, under the clinic's own names."""
    runs = np.zeros((HEIGHT, WIDTH), dtype=bool)
    runs[60:70, 80:90] = True
    flat = runs.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges.tolist(), flat.size]).tolist()
    return {
        "images": [{"id": 7, "file_name": file_name, "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "microaneurysm"}, {"id": 2, "name": "bleeding"}, {"id": 3, "name": "vessel"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "segmentation": [[50, 50, 60, 50, 60, 60]], "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 2, "segmentation": {"size": [HEIGHT, WIDTH], "counts": counts}},
        ],
    }


def write_coco(root: Path, **fields: object) -> str:
    """One photograph with COCO instances of two classes."""
    save(photograph(0), root / "images" / "eye.jpg")
    (root / "instances.json").write_text(json.dumps(coco() | fields), encoding="utf-8")
    (root / "coarsekit.toml").write_text(
        '[coco]\nfile = "instances.json"\nclasses = {microaneurysm = "MA", bleeding = "HE"}\n', encoding="utf-8"
    )
    return f"folder:{root}"


def write_fgadr(root: Path) -> str:
    """Two photographs; soft-edged masks, in grey and in RGB; those of IRMA and NV belong to the first alone."""
    folders = ("Microaneurysms", "Hemohedge", "HardExudate", "SoftExudate", "IRMA", "Neovascularization")
    for seed, key in enumerate(("0001_1", "0002_3")):
        save(photograph(seed), root / "Seg-set" / "Original_Images" / f"{key}.png")
        for place, folder in enumerate(folders[: 4 + 2 * (seed == 0)]):
            edge = draw([Ellipse(45 + 20 * (place % 4), 45, 5, 4)], (HEIGHT, WIDTH)) & ~lesions(place % 4)
            mask = Image.fromarray((lesions(place % 4) * 255 + edge * 90).astype(np.uint8))
            save(mask.convert("RGB") if seed else mask, root / "Seg-set" / f"{folder}_Masks" / f"{key}.png")
    return f"fgadr:{root}"


def write_eophtha(root: Path) -> str:
    """A photograph with microaneurysms, one with exudates, one with both, and a healthy one."""
    ill = {"C0001": ("MA",), "C0002": ("EX",), "C0003": ("MA", "EX")}
    for seed, (key, shown) in enumerate(ill.items()):
        for lesion in shown:
            part, patient = root / f"e_optha_{lesion}", f"E000{seed}"
            save(photograph(seed), part / lesion / patient / f"{key}.{'JPG' if seed else 'jpg'}")
            name = f"{key}_EX.png" if lesion == "EX" else f"{key}.png"
            save(grey(lesions(seed + (lesion == "EX"))), part / f"Annotation_{lesion}" / patient / name)
    save(photograph(9), root / "e_optha_MA" / "healthy" / "E0009" / "C0009.jpg")
    return f"eophtha:{root}"
