"""Which annotations share a task of Label Studio: those of one photograph, by different people or models."""

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from coarsekit.annotations.annotators import annotator_of, person_in
from coarsekit.annotations.details import own_provenance
from coarsekit.annotations.exports_over_time import ORIGIN
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.types import Annotation


class _Whose(NamedTuple):
    """What tells annotations of one name apart.

    ``person``: who drew, or for whose drawing a model answered; empty where nobody is named but for the task.
    ``drawer``: the same, or the task. ``photograph``: what the tool that it came from knows the photograph by; None
    where that is its name alone. ``is_model``: whether a model answered.
    """

    person: str
    drawer: str
    photograph: Hashable
    is_model: bool

    def shares(self, others: Iterable["_Whose"]) -> bool:
        """Whether it is of the photograph that others are of, as far as can be told.

        Their tool says so; or one of them is of the same drawing; or different people are named, who give one
        photograph one name. A name alone may be that of two photographs, as of two patients.
        """
        several = list(others)
        if self.photograph is not None and any(self.photograph == other.photograph for other in several):
            return True
        own = [other for other in several if self[1:3] == other[1:3]]
        if own:
            return all(other.is_model != self.is_model for other in own)
        return bool(self.person) and all(other.person for other in several)


def by_task(annotations: Iterable[Annotation]) -> list[tuple[str, list[Annotation]]]:
    """The annotations of each task, with the name of its photograph, in their order."""
    tasks: list[tuple[str, list[Annotation]]] = []
    of_name: dict[str, list[tuple[list[_Whose], list[Annotation]]]] = {}
    for one in annotations:
        name, whose = photograph_name(one.image), _whose(one)
        near = of_name.setdefault(name, [])
        task = next((task for task in near if whose.shares(task[0])), None)
        if task is None:
            task = [], []
            near.append(task)
            tasks.append((name, task[1]))
        task[0].append(whose)
        task[1].append(one)
    return tasks


def _whose(annotation: Annotation) -> _Whose:
    provenance = annotation.provenance
    person = person_in(provenance)
    if person == provenance.get("task"):  # CVAT's tasks are told apart by their names where no assignee is
        person = ""
    ids = [own_provenance(annotation, name).get("id") for name in ("cvat", "coco")]
    known = [provenance.get(ORIGIN), *ids]
    photograph = (str(provenance.get("file")), *map(str, known)) if any(each is not None for each in known) else None
    if own_provenance(annotation, "labelstudio"):
        photograph = ("labelstudio", str(provenance.get(ORIGIN))) if ORIGIN in provenance else None
    return _Whose(person, annotator_of(annotation), photograph, "model_version" in provenance)
