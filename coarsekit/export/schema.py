"""A pair ↔ a row of a Hugging Face dataset, and the types of its columns.

What `datasets` would write of the columns is written here, as that package and those it needs are a seventh of an
installation without torch, and nothing else of them is needed to export.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from coarsekit.datasets.base import Dataset
from coarsekit.errors import CoarsekitError, SourceError
from coarsekit.export.config import ExportConfig
from coarsekit.images import decode_png, encode_png
from coarsekit.types import Ellipse, Fundus, Pair, Window

_PICTURES = ("image", "coarse", "fine")

_COLUMNS: Mapping[str, str | Mapping[str, str]] = {
    **dict.fromkeys(_PICTURES, "image"),
    "lesion": "class_label",
    "ellipse": dict.fromkeys(("cx", "cy", "rx", "ry", "angle"), "float64"),
    "window": dict.fromkeys(("x", "y", "side"), "int32"),
    "reduction": "float64",
    "style": "string",
    "seed": "int64",
    **dict.fromkeys(("photograph", "source_image", "split", "dataset", "licence"), "string"),
}
"""The type of each column, or of each of its fields, as `datasets` names it. Images are PNGs, masks of 0 and 255."""
_ARROW = {
    "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
    "class_label": pa.int64(),
    "float64": pa.float64(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "string": pa.string(),
}


def arrow_schema(lesions: Sequence[str]) -> pa.Schema:
    """The columns of a Parquet file, and in its metadata their types as `datasets` reads them.

    ``lesions``: the names of the class label.
    """

    def told(kind: str) -> dict[str, Any]:
        if kind == "image":
            return {"_type": "Image"}
        if kind == "class_label":
            return {"names": list(lesions), "_type": "ClassLabel"}
        return {"dtype": kind, "_type": "Value"}

    fields, features = {}, {}
    for name, kind in _COLUMNS.items():
        if isinstance(kind, str):
            fields[name], features[name] = _ARROW[kind], told(kind)
        else:
            fields[name] = pa.struct({part: _ARROW[each] for part, each in kind.items()})
            features[name] = {part: told(each) for part, each in kind.items()}
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": features}})})


def card_features(lesions: Sequence[str]) -> list[dict[str, Any]]:
    """The columns as the header of a dataset card has them; ``lesions`` are the names of the class label."""

    def told(kind: str) -> str | dict[str, Any]:
        names = {str(place): lesion for place, lesion in enumerate(lesions)}
        return {"class_label": {"names": names}} if kind == "class_label" else kind

    return [
        {"name": name, "dtype": told(kind)}
        if isinstance(kind, str)
        else {"name": name, "struct": [{"name": part, "dtype": told(each)} for part, each in kind.items()]}
        for name, kind in _COLUMNS.items()
    ]


def row_of(pair: Pair, fundus: Fundus, reduction: float, config: ExportConfig, dataset: Dataset) -> dict[str, Any]:
    """One row as `arrow_schema` has it, its images encoded.

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
