"""Where a labelling configuration of Label Studio takes masks: the controls with which brushes are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from coarsekit.errors import AnnotationError


@dataclass(frozen=True, slots=True)
class BrushControl:
    """A control for brushes.

    ``name``: of the control. ``to_name``: of the image that it is for. ``field``: of a task's data that has this image;
    empty where it is not known. ``labels``: that it offers.
    """

    name: str = "brush"
    to_name: str = "image"
    field: str = ""
    labels: tuple[str, ...] = ()


def brush_controls(config: str) -> list[BrushControl]:
    """The controls of a labelling configuration that take masks with labels.

    Args:
        config: The configuration as XML; empty where it is not known.

    Returns:
        The controls in order; the usual one where nothing is known of the configuration.

    Raises:
        AnnotationError: When it is no XML, or has no such control.
    """
    if not config.strip():
        return [BrushControl()]
    try:
        view = ElementTree.fromstring(config)
    except (SyntaxError, ValueError, LookupError, DefusedXmlException) as cause:
        raise AnnotationError(f"the labelling configuration is not XML that can be read ({cause})") from None
    fields = {image.get("name", ""): image.get("value", "").removeprefix("$") for image in view.iter("Image")}
    found = []
    for control in view.iter("BrushLabels"):
        name, aim = control.get("name", ""), control.get("toName", "")
        labels = tuple(label.get("value", "") for label in control.iter("Label"))
        found.append(BrushControl(name, aim, fields.get(aim, ""), labels))
    if not found:
        raise AnnotationError(
            'the labelling configuration has no BrushLabels, which masks need; add <BrushLabels name="brush" '
            'toName="image"> with the same labels'
        )
    return found


def choose_control(controls: Sequence[BrushControl], field: str, label: str) -> BrushControl:
    """The control for a mask: one for the image of ``field`` before others, and of these one that offers the label."""
    return max(controls, key=lambda control: (control.field == field, label in control.labels))
