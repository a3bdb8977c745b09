"""The columns of exported pairs are written as `datasets` itself would write them."""

import datasets
from datasets import ClassLabel, Features, Image, Value
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCardData

from coarsekit.export.schema import arrow_schema, card_features

LESIONS = ("MA", "HE", "our own")
FEATURES = Features(
    {
        **{name: Image() for name in ("image", "coarse", "fine")},
        "lesion": ClassLabel(names=list(LESIONS)),
        "ellipse": {name: Value("float64") for name in ("cx", "cy", "rx", "ry", "angle")},
        "window": {name: Value("int32") for name in ("x", "y", "side")},
        "reduction": Value("float64"),
        "style": Value("string"),
        "seed": Value("int64"),
        **{name: Value("string") for name in ("photograph", "source_image", "split", "dataset", "licence")},
    }
)


def test_a_file_has_the_schema_and_the_metadata_of_datasets() -> None:
    assert arrow_schema(LESIONS).equals(FEATURES.arrow_schema, check_metadata=True)
    assert Features.from_arrow_schema(arrow_schema(LESIONS)) == FEATURES


def test_a_card_has_the_columns_of_datasets() -> None:
    written = DatasetCardData()
    DatasetInfosDict({"default": datasets.DatasetInfo(features=FEATURES)}).to_dataset_card_data(written)
    assert written["dataset_info"]["features"] == card_features(LESIONS)
