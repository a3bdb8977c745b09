"""What the ``coarsekit.toml`` in a folder says of the labels of what was drawn there.

::

    label_attribute = "grade"      # the attribute that holds the label; it stands before the first table

    [labels]
    "bright spots" = "EX"
    "artefact" = ""                # left out
    "" = "MA"                      # regions without a label
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from coarsekit.annotations.labels import Labels, completed
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.validation import load_toml, validated

FILE = "coarsekit.toml"


def _one_class_each(table: dict[str, str]) -> dict[str, str]:
    try:
        Labels(table)
    except ParameterError:
        raise ValueError(
            "one lesion class for each label, usable in a file name (no slash, colon or leading dot), or '' for none"
        ) from None
    return table


class FolderLabels(BaseModel):
    """The fields of ``coarsekit.toml`` that annotations are read by; the others are a dataset's."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    labels: Annotated[dict[str, str], AfterValidator(_one_class_each)] = Field(default_factory=dict)
    label_attribute: str | None = Field(None, min_length=1)


def with_folder_labels(options: ReadOptions, given: Iterable[Path]) -> tuple[ReadOptions, ReadReport]:
    """The options, completed by the first ``coarsekit.toml`` that says anything of labels.

    It is looked for in the folders of ``given`` or beside its files, then in the folder of the photographs. What the
    options say themselves stands before it.

    Returns:
        The options, and a report that names the file.

    Raises:
        AnnotationError: When the file cannot be read, or has a table that does not fit.
    """
    places = [place if place.is_dir() else place.parent for place in given]
    for folder in dict.fromkeys([*places, *([] if options.images is None else [options.images])]):
        path = folder / FILE
        content = load_toml(path, AnnotationError, "") if path.is_file() else {}
        if content.keys() & FolderLabels.model_fields.keys():
            said = validated(FolderLabels, content, str(path), strict=None)
            attribute = said.label_attribute if options.label_attribute is None else options.label_attribute
            note = f"Labels are read as {path} says."
            return (
                replace(options, labels=completed(options.labels, said.labels), label_attribute=attribute),
                ReadReport(notes=(note,), folder_labels=said.labels, folder_attribute=said.label_attribute),
            )
    return options, ReadReport()
