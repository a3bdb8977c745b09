"""A pair ↔ a row of a Hugging Face dataset, and the types of its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from datasets import ClassLabel, Features, Image, Value

from coarsekit.datasets.base import Dataset
from coarsekit.errors import CoarsekitError, SourceError
from coarsekit.export.config import ExportConfig
from coarsekit.images import decode_png, encode_png
from coarsekit.types import Ellipse, Fundus, Pair, Window

_PICTURES = ("image", "coarse", "fine")


def features(lesions: Sequence[str]) -> Features:
    """The typed columns; ``lesions`` are the names of the class label. Images are PNGs, masks of 0 and 255."""
    return Features(
        {
            **{name: Image() for name in _PICTURES},
            "lesion": ClassLabel(names=list(lesions)),
            "ellipse": {name: Value("float64") for name in ("cx", "cy", "rx", "ry", "angle")},
            "window": {name: Value("int32") for name in ("x", "y", "side")},
            "reduction": Value("float64"),
            "style": Value("string"),
            "seed": Value("int64"),
            **{name: Value("string") for name in ("photograph", "source_image", "split", "dataset", "licence")},
        }
    )


def row_of(pair: Pair, fundus: Fundus, reduction: float, config: ExportConfig, dataset: Dataset) -> dict[str, Any]:
    """One row as `features` has it, its images encoded.

    Raises `ValueError` for a lesion class that the dataset does not name.
    """
    return {
        **{name: {"bytes": encode_png(getattr(pair, name)), "path": None} for name in _PICTURES},
        "lesion": dataset.lesions.index(pair.lesion),
        "ellipse": asdict(pair.ellipse),
        "window": asdict(pair.window),
        "reduction": float(reduction),
        "style": config.style.name,
        "seed": config.seed,
        "photograph": fundus.key,
        "source_image": fundus.name,
        "split": fundus.split,
        "dataset": dataset.name,
        "licence": dataset.licence.name,
    }


def pair_of(row: Mapping[str, Any], lesions: Sequence[str]) -> Pair:
    """The pair of a row whose images are still encoded: `row_of` undone.

    Raises `SourceError` for a row that `row_of` did not make: bytes that are not an image, masks of another size, a
    lesion class that there is not, numbers that are missing.
    """
    try:
        image, coarse, fine = (decode_png(row[name]["bytes"]) for name in _PICTURES)
        if not 0 <= row["lesion"] < len(lesions):
            raise ValueError(f"the lesion class {row['lesion']}, expected 0 to {len(lesions) - 1}")
        if image.ndim != 3 or not coarse.shape == fine.shape == image.shape[:2]:
            raise ValueError(f"image and masks of shapes {image.shape}, {coarse.shape} and {fine.shape}")
        ellipse, window = Ellipse(**row["ellipse"]), Window(**row["window"])
        if None in (*row["ellipse"].values(), *row["window"].values()):
            raise ValueError("an ellipse or window with no number")
    except (CoarsekitError, KeyError, TypeError, ValueError) as cause:
        raise SourceError(
            f"a pair of the photograph {row.get('photograph')!r} is damaged ({cause}); export the pairs again"
        ) from None
    return Pair(image, coarse != 0, fine != 0, lesions[row["lesion"]], ellipse, window)
