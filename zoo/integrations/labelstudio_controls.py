"""What a labelling configuration of Label Studio says: which photographs its images show, and where masks go."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from coarsekit.errors import AnnotationError

_VARIABLE = re.compile(r"\$([\w.\[\]]+)")
"""A field of a task's data in a value, and the path to what is in it."""
_INDEX = "{{idx}}"
"""What a repeater puts the number of each item for."""


@dataclass(frozen=True, slots=True)
class ImageTag:
    """An image that shows photographs of a task.

    ``name``: what regions call it. ``value``: what it shows, as the configuration says. ``addresses``: of the
    photographs, one for each page; empty where the task does not have them.
    """

    name: str
    value: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BrushControl:
    """A control for brushes: its ``name``, the image that it is for, and the ``labels`` that it offers."""

    name: str = "brush"
    to_name: str = "image"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskView:
    """What a configuration shows of one task; ``controls`` are None where there is no configuration."""

    images: tuple[ImageTag, ...] = ()
    controls: tuple[BrushControl, ...] | None = None


class _Tag(NamedTuple):
    """A tag, with the names of its attributes in small letters, as the tool reads them."""

    kind: str
    attributes: dict[str, str]
    labels: tuple[str, ...]


def read_config(config: str) -> Element | None:
    """Parse a labelling configuration.

    Args:
        config: The configuration as XML; empty where it is not known.

    Returns:
        Its root; None where it is not known.

    Raises:
        AnnotationError: When it is no XML, or has no control that takes masks with labels.
    """
    if not config.strip():
        return None
    try:
        root: Element = ElementTree.fromstring(config)
    except (SyntaxError, ValueError, LookupError, DefusedXmlException) as cause:
        raise AnnotationError(f"the labelling configuration is not XML that can be read ({cause})") from None
    if not any(tag.tag.casefold() == "brushlabels" for tag in root.iter()):
        raise AnnotationError(
            'the labelling configuration has no BrushLabels, which masks need; add <BrushLabels name="brush" '
            'toName="image"> with the same labels'
        )
    return root


def view_of(root: Element | None, data: Mapping[str, Any]) -> TaskView:
    """What a configuration shows of a task.

    Args:
        root: What `read_config` gives.
        data: The data of the task.

    Returns:
        The images with the addresses of their photographs, and the controls for brushes, in the configuration's order;
        what a ``Repeater`` repeats is there once for each item of the task.
    """
    if root is None:
        return TaskView()
    images, controls = [], []
    for tag in _tags(root, data, {}):
        name = tag.attributes.get("name", "")
        if tag.kind == "image":
            value = tag.attributes.get("valuelist") or tag.attributes.get("value", "")
            images.append(ImageTag(name, value, _addresses(looked_up(value, data))))
        if tag.kind == "brushlabels":
            aims = tag.attributes.get("toname", "").split(",")
            controls += [BrushControl(name, aim.strip(), tag.labels) for aim in aims]
    return TaskView(tuple(images), tuple(controls))


def looked_up(value: str, data: Mapping[str, Any]) -> Any:
    """What a value of the configuration stands for in a task.

    Args:
        value: A field such as ``$image`` or ``$eyes[0].url``, or a text with such fields in it.
        data: The data of the task.

    Returns:
        The content of the field, None where the task does not have it; or the text with the contents in it.
    """
    if value.startswith("$") and value[1:] in data:
        return data[value[1:]]
    whole = _VARIABLE.fullmatch(value)
    if whole:
        return _at(whole[1], data)
    found = [_at(path, data) for path in _VARIABLE.findall(value)]
    return None if None in found else _VARIABLE.sub(lambda match: str(_at(match[1], data)), value)


def choose_control(view: TaskView, to_name: str, label: str) -> BrushControl:
    """Choose the control that a mask is drawn with.

    Args:
        view: What the configuration shows of the task.
        to_name: The image that the mask is on.
        label: The label of the mask.

    Returns:
        A control for this image, one that offers the label before others; the usual one without a configuration.

    Raises:
        AnnotationError: When there are brushes for other images alone, on which the mask would be wrong.
    """
    if view.controls is None:
        return BrushControl(to_name=to_name) if to_name else BrushControl()
    fitting: Sequence[BrushControl] = [control for control in view.controls if control.to_name == to_name]
    if not fitting and not view.images:
        fitting = view.controls
    if not fitting:
        raise AnnotationError(
            f"the labelling configuration has no BrushLabels for the image {to_name!r}; add <BrushLabels "
            f'name="brush_{to_name}" toName="{to_name}"> with the same labels'
        )
    return max(fitting, key=lambda control: label in control.labels)


def _tags(element: Element, data: Mapping[str, Any], indices: Mapping[str, str]) -> Iterator[_Tag]:
    """The tags in their order, those within a repeater once for each item, with its number in their attributes."""
    attributes = {name.casefold(): _replaced(value, indices) for name, value in element.attrib.items()}
    kind = element.tag.casefold()
    if kind != "repeater":
        labels = [label for label in element.iter() if label.tag.casefold() == "label"]
        yield _Tag(kind, attributes, tuple(_replaced(label.get("value", ""), indices) for label in labels))
        for child in element:
            yield from _tags(child, data, indices)
        return
    items = looked_up(attributes.get("on", ""), data)
    for place in range(len(items) if isinstance(items, list) else 0):
        for child in element:
            yield from _tags(child, data, {**indices, element.get("indexFlag", _INDEX): str(place)})


def _replaced(text: str, indices: Mapping[str, str]) -> str:
    for flag, index in indices.items():
        text = text.replace(flag, index)
    return text


def _at(path: str, data: Any) -> Any:
    """What is at a path such as ``eyes[0].url``; None where nothing is."""
    if isinstance(data, Mapping) and path in data:
        return data[path]
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(data, Mapping) and step in data:
            data = data[step]
        elif isinstance(data, list) and step.isascii() and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def _addresses(content: Any) -> tuple[str, ...]:
    """The addresses in a field, of which a list has one for each page."""
    pages = content if isinstance(content, list) else [content]
    return tuple(page if isinstance(page, str) else "" for page in pages) if any(pages) else ()
