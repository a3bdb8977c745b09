"""The attributes of regions in VIA's files: which of them holds the label, what its options are called, and back."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from coarsekit.annotations.details import attributes_of, own_details, tool_label
from coarsekit.annotations.documents import LenientModel
from coarsekit.annotations.labels import Labels, choose_label, label_of
from coarsekit.annotations.recorder import Recorder
from coarsekit.types import Mark

_LABEL = "lesion"
"""The attribute that the label is written to where it was read from none."""
_PICTURES = ("image", "5")
"""The types of attributes whose options are pictures, in VIA 2 and 3."""


class Attribute(LenientModel):
    """What a project says of an attribute: its type, and the descriptions of its options by their keys."""

    type: str = ""
    options: dict[str, Any] | None = None

    def labels(self, table: Labels) -> dict[str, str]:
        """The label that each option stands for, by its key.

        It is the description where that says more than the key: where no class is known by the key, and one is by the
        description, or the key is a mere number.

        Args:
            table: What the user says of labels.
        """
        labels = {}
        for key, description in ({} if self.type in _PICTURES else self.options or {}).items():
            label = label_of(description)
            mere = not any(character.isalpha() for character in key)
            labels[key] = label if label and not table.says_class(key) and (mere or table.says_class(label)) else key
        return labels


class Attributes(NamedTuple):
    """What is known of the attributes of a file before its regions are read.

    ``labels``: of the options of each attribute, by the attribute's name; see `Attribute.labels`. ``telling``: the
    attributes that have a known lesion as their value in some region.
    """

    labels: Mapping[str, Mapping[str, str]]
    telling: frozenset[str]


def attributes_in(regions: Iterable[Any], labels: Mapping[str, Mapping[str, str]], recorder: Recorder) -> Attributes:
    """What is known of the attributes by what all regions of a file hold; ``regions``: the attributes of each."""
    telling = {
        name
        for region in regions
        if isinstance(region, Mapping)
        for name, value in region.items()
        if any(recorder.table.says_lesion(labels.get(name, {}).get(label, label)) for label in _options(value))
    }
    return Attributes(labels, frozenset(telling))


def _options(value: Any) -> list[str]:
    """The value of an attribute, or of check boxes each that is ticked."""
    ticked = [option for option, on in value.items() if on] if isinstance(value, Mapping) else [value]
    return [label for each in ticked if (label := label_of(each))]


def labels_in(attributes: Mapping[str, Any], known: Attributes, recorder: Recorder) -> list[tuple[str, dict[str, Any]]]:
    """The labels that the attributes of a region hold, with the details of the mark of each.

    They are several where several check boxes are ticked in the attribute that holds the label, and else one. The
    details have the other attributes, and under ``via`` the attribute that holds the label, its value and the label
    that it stands for: so it is written back where it was.

    Args:
        attributes: Value by the attribute's name.
        known: Of all attributes of the file.
        recorder: What the user says of labels.

    Returns:
        Each label, empty where none is clear, and the details as `Recorder.marks` takes them.
    """
    asked = recorder.options.label_attribute
    if asked is None:
        field = choose_label(attributes, known.telling)
    else:
        named = (name for name in attributes if name.strip().casefold() == asked.strip().casefold())
        field = next(named, asked.strip())
    recorder.attribute(attributes)  # counts the regions that have it
    value = attributes.get(field)
    boxes = value if isinstance(value, Mapping) else {}
    ticked = [option for option, on in boxes.items() if on]
    values = [{option: option == one for option in boxes} for one in ticked] if len(ticked) > 1 else [value]
    rest = {name: other for name, other in attributes.items() if name != field}
    found = []
    for each in values:
        label = label_of(each)
        label = known.labels.get(field, {}).get(label, label)
        own = {"attribute": field, "value": each, "label": label} if field else {}
        found.append((label, {"attributes": rest, "via": own}))
    return found


def region_attributes(mark: Mark) -> dict[str, Any]:
    """The attributes of a region as they were read, with the label of the mark in the attribute that held it."""
    own, label = own_details(mark, "via"), tool_label(mark)
    value = own.get("value") if own.get("label") == label else label
    return {**attributes_of(mark), str(own.get("attribute") or _LABEL): value}
