"""On which photograph of a task of Label Studio something was drawn, as its labelling configuration says."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from coarsekit.annotations.labelstudio_addresses import Picture
from coarsekit.annotations.labelstudio_pictures import by_picture, pictures_of
from coarsekit.annotations.labelstudio_tasks import answers_of, is_drawn, region_of
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import AnnotationError
from zoo.integrations.labelstudio_controls import ImageTag, TaskView
from zoo.integrations.labelstudio_photographs import without_data_urls

_Result = dict[str, Any]


class Shown(NamedTuple):
    """A photograph of a task.

    ``address``: as the task has it. ``to_name``: the image that shows it. ``item_index``: its page, where the image has
    several; None where it has one.
    """

    address: str
    to_name: str
    item_index: int | None = None


def drawn_on(
    data: Mapping[str, Any], answer: list[_Result], view: TaskView, recorder: Recorder
) -> dict[Shown, list[_Result]]:
    """Tell which photographs of a task were drawn on.

    Args:
        data: The data of the task.
        answer: The results of one annotator.
        view: What the labelling configuration shows of the task. Without one, what a ``to_name`` stands for is guessed
            from the names.
        recorder: Is told of what was guessed, and of regions that are on no photograph for certain.

    Returns:
        By photograph the regions on it, and the answers about them; nothing where nothing was drawn.

    Raises:
        AnnotationError: When the task has no photograph, or, where the recorder is strict, a region is on none.
    """
    results = [item for given in answers_of({"annotations": [{"result": answer}]}, "", recorder) for item in given[0]]
    if not any(map(is_drawn, results)):
        return {}
    if not view.images:
        return _guessed(data, results, recorder)
    images = _completed(view, data)
    found: dict[str, Shown] = {}
    for place, item in enumerate(results):
        if is_drawn(item):
            with recorder.forgiving(f"result {place}"):
                found[region_of(item)] = _photograph(item, images, data)
    groups: dict[Shown, list[_Result]] = {}
    for item in results:
        if region_of(item) in found:
            groups.setdefault(found[region_of(item)], []).append(item)
    return groups


def _guessed(data: Mapping[str, Any], results: list[_Result], recorder: Recorder) -> dict[Shown, list[_Result]]:
    """The results by photograph where no configuration says what a ``to_name`` stands for."""
    pictures = pictures_of({"data": without_data_urls(data)}, lists=True)
    groups = {}
    for key, items in by_picture(results, pictures, "the task", recorder).items():
        drawn = [item for item in items if is_drawn(item)]
        if drawn:
            address = _address(data, pictures[key])
            groups[Shown(address, str(drawn[0].get("to_name") or ""), pictures[key].place)] = items
    return groups


def _completed(view: TaskView, data: Mapping[str, Any]) -> dict[str, ImageTag]:
    """The images by name; an image alone shows the photograph alone, whatever its field is called."""
    images = {image.name: image for image in view.images}
    [first, *others] = images.values()
    if not others and not first.addresses:
        pictures = _pictures(data)
        if len(pictures) == 1:
            images[first.name] = ImageTag(first.name, first.value, (_address(data, pictures[0]),))
    return images


def _photograph(item: _Result, images: Mapping[str, ImageTag], data: Mapping[str, Any]) -> Shown:
    """The photograph that a region is on."""
    name = str(item.get("to_name") or "")
    alone = len(images) == 1 and (not name or len(_pictures(data)) < 2)  # what else could it be on
    image = next(iter(images.values())) if alone else images.get(name)
    if image is None:
        named = ", ".join(images)
        raise AnnotationError(
            f"its to_name {name!r} is none of the images {named} of the labelling configuration; draw it again"
        )
    several = len(image.addresses) > 1
    page: Any = item.get("item_index") if several else 0
    if several and not (isinstance(page, int) and 0 <= page < len(image.addresses)):
        raise AnnotationError(
            f"its item_index {page!r} is none of the {len(image.addresses)} photographs of the image {image.name!r}; "
            "draw it again"
        )
    if not image.addresses or not image.addresses[page]:
        raise AnnotationError(
            f"the task has no address of a photograph for the image {image.name!r}, which shows {image.value!r}; "
            "correct its data"
        )
    return Shown(image.addresses[page], image.name, page if several else None)


def _pictures(data: Mapping[str, Any]) -> list[Picture]:
    """The photographs in the data of a task, as far as their addresses show that they are some."""
    try:
        return list(pictures_of({"data": without_data_urls(data)}, lists=True).values())
    except AnnotationError:
        return []


def _address(data: Mapping[str, Any], picture: Picture) -> str:
    content = data[picture.field]
    return str(content if picture.place is None else content[picture.place])
